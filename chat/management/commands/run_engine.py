"""`manage.py run_engine`: an engine as a process of its own, on any number of machines."""

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from chat.collector import spare_loaded_objects
from chat.gigachat.errors import GigaChatError
from chat.node import start_node, stop_node


class Command(BaseCommand):
    help = "Answer queued turns until SIGTERM or Ctrl-C; set ENGINE_MODE=separate for the web processes."

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        spare_loaded_objects()
        try:
            asyncio.run(run_until_stopped())
        except GigaChatError as error:
            raise CommandError(f"GigaChat cannot be used: {error}") from error


async def run_until_stopped() -> None:
    """Run this process's node, without phones, until a signal asks it to stop."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    start_node(with_engine=True)
    await stopped.wait()
    await stop_node()

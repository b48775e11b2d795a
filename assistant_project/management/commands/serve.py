"""`manage.py serve`: one server process with every setting pinned."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.module_loading import import_string
from typing_extensions import override

from assistant_project.asgi import application
from assistant_project.servers.limits import STOP_MARGIN_SECONDS
from chat.collector import spare_loaded_objects

# By name: a process loads only the server it runs.
SERVERS = {
    "daphne": "assistant_project.servers.daphne_server.serve_with_daphne",
    "uvicorn": "assistant_project.servers.uvicorn_server.serve_with_uvicorn",
}


class Command(BaseCommand):
    help = "Serve HTTP and WebSocket on HOST:PORT until SIGTERM."
    requires_system_checks = []

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--server", choices=sorted(SERVERS), default="daphne")
        parser.add_argument("--host", default=settings.HOST, help="address to listen on (setting HOST)")
        parser.add_argument("--port", type=int, default=settings.PORT, help="TCP port (setting PORT)")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        serve = import_string(SERVERS[options["server"]])
        spare_loaded_objects()
        stop_seconds = settings.DRAIN_SECONDS + settings.ENGINE_GRACE_SECONDS + STOP_MARGIN_SECONDS
        sys.exit(serve(application, host=options["host"], port=options["port"], stop_seconds=stop_seconds))

"""Refused connections: a listener that closes its port for a while and comes back on the same one."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web


class Refusals:
    """Closes and reopens listeners in background tasks; `listeners` maps a fault name to (close, open)."""

    def __init__(self) -> None:
        self.listeners: dict[str, tuple[Callable[[], Awaitable[None]], Callable[[], Awaitable[None]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, name: str, seconds: float) -> None:
        """Refuse new connections from now on for `seconds`; requests on open ones are dropped."""
        task = asyncio.create_task(self._refuse(name, seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def cancel(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _refuse(self, name: str, seconds: float) -> None:
        close, reopen = self.listeners[name]
        await close()
        await asyncio.sleep(seconds)
        await reopen()


REFUSALS: web.AppKey[Refusals] = web.AppKey("sandbox_refusals", Refusals)

"""Refused connections: a listener that closes its port for a while and comes back on the same one."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web


class Refusals:
    """Closes listeners and reopens them in background tasks; `listeners` maps a fault name to (close, open)."""

    def __init__(self) -> None:
        self.listeners: dict[str, tuple[Callable[[], Awaitable[None]], Callable[[], Awaitable[None]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, name: str, seconds: float) -> None:
        """Refuse new connections from when this returns for `seconds`; requests on open ones are dropped."""
        close, reopen = self.listeners[name]
        await close()
        task = asyncio.create_task(_reopen_later(reopen, seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        """Return when every listener is open again."""
        await asyncio.gather(*self._tasks)

    async def cancel(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _reopen_later(reopen: Callable[[], Awaitable[None]], seconds: float) -> None:
    await asyncio.sleep(seconds)
    await reopen()


REFUSALS: web.AppKey[Refusals] = web.AppKey("sandbox_refusals", Refusals)

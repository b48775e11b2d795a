"""Both ends of ASGI's lifespan: the application's, and the server's for Daphne, which has none.

On both servers `stop` runs while the sockets are still open: it is the place that drains them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Act = Callable[[], Awaitable[None]]

logger = logging.getLogger(__name__)


class StartFailed(Exception):
    """The application did not start; its log says why."""


@dataclass(frozen=True, slots=True)
class Lifespan:
    """The application's end: runs `start` once before the first connection and `stop` once at the end."""

    start: Callable[[], object]
    stop: Act

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if await report(self._start, send, "lifespan.startup"):
            await receive()
            await report(self.stop, send, "lifespan.shutdown")

    async def _start(self) -> None:
        """Call `start` on the running loop, where it may create tasks."""
        self.start()


async def report(act: Act, send: Send, name: str) -> bool:
    """Run `act` and tell the server how it went; a failure is logged here and ends the process there."""
    try:
        await act()
    except Exception:
        logger.exception("%s failed", name)
        await send({"type": f"{name}.failed", "message": ""})
        return False
    await send({"type": f"{name}.complete"})
    return True


class LifespanDriver:
    """The server's end, for a server that does not speak lifespan."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._to_application: asyncio.Queue[Message] = asyncio.Queue()
        self._from_application: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Start the application.

        Raises: StartFailed.
        """
        scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}
        self._task = asyncio.ensure_future(self._run(scope))
        await self._ask("lifespan.startup")

    async def shutdown(self, timeout_seconds: float) -> None:
        """Stop the application, waiting at most `timeout_seconds`; does nothing when it never started."""
        if self._task is None or self._task.done():
            return
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._ask("lifespan.shutdown")
        except TimeoutError:
            logger.error("the application needed more than %s s to stop", timeout_seconds)  # noqa: TRY400
        except StartFailed:
            logger.error("the application did not stop cleanly")  # noqa: TRY400
        self._task.cancel()

    async def _run(self, scope: Scope) -> None:
        await self._application(scope, self._to_application.get, self._from_application.put)

    async def _ask(self, name: str) -> None:
        assert self._task is not None
        await self._to_application.put({"type": name})
        answer = asyncio.ensure_future(self._from_application.get())
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done() or answer.result()["type"] != f"{name}.complete":
            answer.cancel()
            raise StartFailed

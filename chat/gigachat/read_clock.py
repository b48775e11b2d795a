"""How long an answer may be silent, and how long it may take: one timer for the whole stream.

aiohttp's own timeouts take a timer back and set another one twice for each packet, and a packet is one token.
"""

import asyncio

import aiohttp


class ReadClock:
    """Fails the reading of `content` when nothing came for `idle_seconds`, and at `deadline` by the loop's clock.

    Only time in which somebody waits counts as silence: a reader that is itself held up says nothing about the peer.
    """

    def __init__(self, content: aiohttp.StreamReader, *, idle_seconds: float, deadline: float) -> None:
        self._content = content
        self._idle_seconds = idle_seconds
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._waits_since: float | None = None
        self._timer = self._loop.call_at(min(self._loop.time() + idle_seconds, deadline), self._check)

    async def read(self) -> bytes:
        """Return what has arrived; nothing at the end.

        Raises: aiohttp.SocketTimeoutError for silence, TimeoutError at the deadline, and what aiohttp raises
        """
        self._waits_since = self._loop.time()
        try:
            return await self._content.readany()
        finally:
            self._waits_since = None

    def stop(self) -> None:
        self._timer.cancel()

    def _check(self) -> None:
        now = self._loop.time()
        silent_at = (now if self._waits_since is None else self._waits_since) + self._idle_seconds
        if now >= self._deadline:
            self._content.set_exception(TimeoutError())
        elif now >= silent_at:
            self._content.set_exception(aiohttp.SocketTimeoutError())
        else:
            self._timer = self._loop.call_at(min(silent_at, self._deadline), self._check)

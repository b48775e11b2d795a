"""Counters of one instance: what a test or a bench asserts about the traffic it caused."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """One completion request as it arrived, without `Authorization`. Kept in memory only."""

    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(slots=True)
class Stats:
    """Counts since the start.

    open_streams  completions in progress, plain ones too
    disconnects   completions whose client left before their end
    requests      API requests by "METHOD path"
    """

    oauth_calls: int = 0
    oauth_tokens: int = 0
    chat_calls: int = 0
    refused_by_limit: int = 0
    open_streams: int = 0
    max_open_streams: int = 0
    disconnects: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    recent: deque[RecordedRequest] = field(default_factory=lambda: deque(maxlen=200))
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def open_stream(self) -> None:
        self.open_streams += 1
        self.max_open_streams = max(self.max_open_streams, self.open_streams)
        self._changed.set()

    def close_stream(self, *, is_disconnected: bool) -> None:
        self.open_streams -= 1
        self.disconnects += is_disconnected
        self._changed.set()

    async def wait_until(self, condition: Callable[["Stats"], bool], timeout_seconds: float = 5.0) -> None:
        """Return once `condition` holds; looked at whenever a completion begins or ends.

        Raises: TimeoutError
        """
        async with asyncio.timeout(timeout_seconds):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()

    def to_json(self) -> dict[str, Any]:
        return {
            "oauth_calls": self.oauth_calls,
            "oauth_tokens": self.oauth_tokens,
            "chat_calls": self.chat_calls,
            "refused_by_limit": self.refused_by_limit,
            "open_streams": self.open_streams,
            "max_open_streams": self.max_open_streams,
            "disconnects": self.disconnects,
            "requests": dict(self.requests),
        }

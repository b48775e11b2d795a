"""Counters of one instance: what a test or a bench asserts about the traffic it caused."""

from collections import Counter, deque
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

    disconnects  streams whose client left before their end
    requests     API requests by "METHOD path"
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

    def open_stream(self) -> None:
        self.open_streams += 1
        self.max_open_streams = max(self.max_open_streams, self.open_streams)

    def close_stream(self) -> None:
        self.open_streams -= 1

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

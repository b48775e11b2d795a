"""What is logged of one call: sizes, times, ids and closed codes; never a text, a token or a header."""

import logging
import time
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class CallRecord:
    """Filled in by the client while the call goes on; `outcome` is a finish reason, an error code or `left`."""

    model: str
    request_id: str
    request_bytes: int
    started_at: float = field(default_factory=time.monotonic)
    first_byte_ms: int | None = None
    status: int | None = None
    attempts: int = 0
    answer_bytes: int = 0
    provider_request_id: str = ""
    outcome: str = "left"

    def note_packet(self, size_bytes: int) -> None:
        if self.first_byte_ms is None:
            self.first_byte_ms = self._count_ms()
        self.answer_bytes += size_bytes

    def log(self) -> None:
        """Write the call's one line."""
        logger.info(
            "gigachat call %s",
            self.outcome,
            extra={
                "model": self.model,
                "upstream_request_id": self.provider_request_id or self.request_id,
                "status": self.status,
                "attempts": self.attempts,
                "request_bytes": self.request_bytes,
                "answer_bytes": self.answer_bytes,
                "first_byte_ms": self.first_byte_ms,
                "duration_ms": self._count_ms(),
            },
        )

    def _count_ms(self) -> int:
        return count_ms(self.started_at)


@dataclass(slots=True, kw_only=True)
class RestRecord:
    """One short call; `path` holds no ids, `outcome` is `ok`, an error code or `left`."""

    method: str
    path: str
    request_id: str
    started_at: float = field(default_factory=time.monotonic)
    status: int | None = None
    attempts: int = 0
    provider_request_id: str = ""
    outcome: str = "left"

    def log(self) -> None:
        """Write the call's one line."""
        logger.info(
            "gigachat %s %s %s",
            self.method,
            self.path,
            self.outcome,
            extra={
                "upstream_request_id": self.provider_request_id or self.request_id,
                "status": self.status,
                "attempts": self.attempts,
                "duration_ms": count_ms(self.started_at),
            },
        )


def count_ms(started_at: float) -> int:
    """Return the milliseconds since a moment of the monotonic clock."""
    return round((time.monotonic() - started_at) * 1000)

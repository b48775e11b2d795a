"""When to ask GigaChat again, all before the first byte of an answer: pure."""

import random

from chat.gigachat.errors import GigaChatError, Unreachable

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 8.0


class RetryBudget:
    """The repetitions one call may still make: a number of them, all begun within some seconds."""

    def __init__(self, *, retries: int, seconds: float, now: float) -> None:
        self._remaining = retries
        self._deadline = now + seconds
        self._ceiling = FIRST_DELAY_SECONDS

    def find_delay(self, error: GigaChatError, *, now: float) -> float | None:
        """Return the seconds to wait before the next attempt, and count it; None when there must be none.

        Full jitter, so that callers refused together do not come back together. Never sooner than the provider asked:
        when that is later than the budget lasts, the error goes to the caller at once.
        """
        if not (isinstance(error, Unreachable) or error.status in RETRIED_STATUSES) or self._remaining <= 0:
            return None
        delay = random.uniform(0.0, self._ceiling) + (error.retry_after_seconds or 0.0)  # noqa: S311 - no secret
        if now + delay > self._deadline:
            return None
        self._remaining -= 1
        self._ceiling = min(self._ceiling * 2, MAX_DELAY_SECONDS)
        return delay

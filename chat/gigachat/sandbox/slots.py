"""Parallel completions per client id: the licence's limit, which all users of one contract share."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from chat.gigachat.sandbox.errors import ApiError
from chat.gigachat.sandbox.stats import Stats


class Slots:
    """Counts completions in progress; one above the limit is refused at once, nobody waits."""

    def __init__(self, limit: int, stats: Stats) -> None:
        self._limit = limit
        self._stats = stats
        self._held: Counter[str] = Counter()

    @contextmanager
    def hold(self, client_id: str) -> Iterator[None]:
        """Hold one slot until the block ends, also when it ends by the client's disconnect.

        Raises: ApiError 429
        """
        if self._held[client_id] >= self._limit:
            self._stats.refused_by_limit += 1
            raise ApiError(429, "Too many requests")
        self._held[client_id] += 1
        self._stats.open_stream()
        is_disconnected = False
        try:
            yield
        except (asyncio.CancelledError, ConnectionError):
            # The listeners cancel the handler of a client that left.
            is_disconnected = True
            raise
        finally:
            self._held[client_id] -= 1
            self._stats.close_stream(is_disconnected=is_disconnected)

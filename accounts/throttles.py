"""Counting failures per time window in the shared cache, without a gap between reading and writing.

Phones' logins use this and nothing else (docs/decisions); django-axes guards the staff login only. Windows are cut by
the clock, so twice the limit fits around a boundary; the limits are chosen with that in mind.
"""

import hashlib
import ipaddress
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.cache import cache
from redis.exceptions import RedisError

from accounts.errors import ThrottleUnavailable


@dataclass(frozen=True, slots=True)
class Window:
    """One counter in one stretch of time; `number` counts the stretches since 1970."""

    key: str
    limit: int
    seconds: int
    number: int

    @property
    def cache_key(self) -> str:
        # The number in the key makes a counter that lost its timeout harmless: nobody asks for it again.
        return f"throttle:{self.key}:{self.number}"

    def count_seconds_left(self) -> int:
        return max(1, int((self.number + 1) * self.seconds - time.time()) + 1)


def build_window(scope: str, subject: str, *, limit: int, seconds: int) -> Window:
    """Return the current window of a subject; the cache sees a digest of it, never the subject."""
    digest = hashlib.sha256(subject.encode()).hexdigest()[:32]
    return Window(f"{scope}:{digest}", limit, seconds, int(time.time() // seconds))


def count_hit(window: Window) -> int:
    """Add one to the window and return its count, this hit included; exact under any concurrency.

    Raises: ThrottleUnavailable
    """
    with cache_or_unavailable():
        cache.add(window.cache_key, 0, timeout=window.seconds + 1)
        try:
            return int(cache.incr(window.cache_key))
        except ValueError:
            # Its timeout passed between the two calls: the window is over, and this hit is the next one's first.
            return 1


def take_back_hit(window: Window) -> None:
    """Subtract a hit that turned out to be honest.

    Raises: ThrottleUnavailable
    """
    with cache_or_unavailable():
        try:
            cache.decr(window.cache_key)
        except ValueError:
            return


def forget_hits(window: Window) -> None:
    """Start the window again from zero.

    Raises: ThrottleUnavailable
    """
    with cache_or_unavailable():
        cache.delete(window.cache_key)


@contextmanager
def cache_or_unavailable() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise ThrottleUnavailable("the cache does not answer") from error


def fold_username(username: str) -> str:
    """Return one spelling for all that look the same, so that writing a name differently buys no more guesses."""
    return unicodedata.normalize("NFKC", username).casefold().strip()


def group_address(ip: str) -> str:
    """Return what counts as one address: IPv4 whole, IPv6 by the /64 that one household gets; "" when unknown."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)

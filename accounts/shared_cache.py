"""What all processes know together: Django's cache. One that is down is one that holds nothing, never an error."""

import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.cache import caches
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

CACHE_ALIAS = "default"


def read_value(name: str) -> Any:
    """Return the value; None when there is none."""
    with survive_fault():
        return caches[CACHE_ALIAS].get(name)
    return None


def read_values(names: Sequence[str]) -> dict[str, Any]:
    """Return those of the values that exist."""
    with survive_fault():
        return dict(caches[CACHE_ALIAS].get_many(names))
    return {}


def write_value(name: str, value: bytes | str | float, *, seconds: float) -> None:
    with survive_fault():
        caches[CACHE_ALIAS].set(name, value, seconds)


def add_value(name: str, value: str, *, seconds: float) -> bool:
    """Return whether `name` was free; also when the cache is down, and everybody acts alone."""
    with survive_fault():
        return bool(caches[CACHE_ALIAS].add(name, value, seconds))
    return True


def increment_value(name: str) -> int:
    """Add one and return the sum; 0 when there is no such value."""
    # The cache framework's own word for a missing name.
    with survive_fault(), contextlib.suppress(ValueError):
        return int(caches[CACHE_ALIAS].incr(name))
    return 0


def delete_values(*names: str) -> None:
    with survive_fault():
        caches[CACHE_ALIAS].delete_many(names)


@contextlib.contextmanager
def survive_fault() -> Iterator[None]:
    """Log a fault of the cache and go on without it."""
    try:
        yield
    except (OSError, RedisError) as error:
        logger.warning("the shared cache is down", extra={"fault": type(error).__name__})

"""What tests of several apps share: which services they use, a clean cache, a cache in Redis."""

import os
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from pytest_django import Settings

from tests.audit_flush import flush_append_only_tables  # noqa: F401 - a fixture for every test


def read_worker_number() -> int:
    """Return the xdist worker's number; 0 without xdist."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture(autouse=True)
def empty_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test sees what another left in the in-memory cache (throttles, tokens)."""
    yield
    if "redis_cache" not in request.fixturenames:
        cache.clear()


@pytest.fixture
def redis_url(settings: Settings) -> str:
    """URL of a Redis database that belongs to this xdist worker."""
    url: str = settings.TEST_REDIS_URL
    if not url:
        pytest.fail("TEST_REDIS_URL is not set")
    worker = read_worker_number()
    if url.startswith("unix:"):
        address, _, database = url.partition("?db=")
        return f"{address}?db={int(database or 0) + worker}"
    address, _, database = url.rpartition("/")
    return f"{address}/{int(database or 0) + worker}"


@pytest.fixture
def redis_cache(settings: Settings, redis_url: str) -> Iterator[None]:
    """Django's default cache lives in Redis, empty at the start and at the end."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis_url}}
    cache.clear()
    yield
    cache.clear()

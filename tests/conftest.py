"""What tests of several apps share: which services they use, a clean cache, a cache in Redis."""

import os
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from pytest_django import Settings

from tests import chromium
from tests.audit_flush import flush_append_only_tables  # noqa: F401 - a fixture for every test


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the browser tests out where no browser is; the summary says so."""
    if chromium.find_chromium() is None and chromium.may_lack_browser():
        items[:], left_out = chromium.split_browser_tests(items)
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if chromium.find_chromium() is None and chromium.may_lack_browser():
        text = f"NOT RUN: the tests of the phone page, because no browser is installed; {chromium.CURE}"
        terminalreporter.section("incomplete", sep="!", red=True, bold=True)
        terminalreporter.write_line(text, red=True, bold=True)


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


@pytest.fixture
def broken_cache(settings: Settings) -> Iterator[None]:
    """Django's default cache is a Redis that nobody answers for."""
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"}}
    yield
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

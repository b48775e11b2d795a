"""The test stand: a private durable PostgreSQL, the generator, the relay, the servers; all on this machine."""

import asyncio
import hashlib
import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import trustme

from assistant_project.embedded.children import Child, start_child
from assistant_project.embedded.errors import StartRefused
from assistant_project.embedded.postgres import DURABLE, Instance, delete_data, start_postgres
from tests.bench.machine import choose_cores, pinned_to
from tests.bench.sockets import Person

PROJECT_DIR = Path(__file__).resolve().parent.parent.parent
READY_SECONDS = 30.0
POLL_SECONDS = 0.02
PREPARE_SECONDS = 120
# The settings of a server that is not to be held back by limits meant for customers.
UNLIMITED = {
    "ENGINE_MAX_RUNS": "512",
    "GIGACHAT_STREAMS": "512",
    "GIGACHAT_POOL_SIZE": "512",
    "TURNS_PER_MINUTE": "1000000",
    "TURNS_PER_HOUR": "1000000",
    "ACCESS_TOKEN_SECONDS": "7200",
    # The bench's own sockets must not hold up the end of a server.
    "DRAIN_SECONDS": "0",
    "ENGINE_GRACE_SECONDS": "0",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A started server under test."""

    name: str
    child: Child
    port: int


class Stand:
    """Starts everything and keeps it until `close`.

    server_core  where the servers under test run, alone; None where processes cannot be pinned
    load_core    where upstream, load and PostgreSQL run
    """

    def __init__(self, *, people: int) -> None:
        self._cleanup = ExitStack()
        self.server_core, self.load_core = choose_cores()
        self.directory = Path(tempfile.mkdtemp(prefix="asst-bench-", dir="/tmp"))
        self._cleanup.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self._secret_key = secrets.token_urlsafe(48)
        try:
            self._start(people)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop every child and delete every file."""
        self._cleanup.close()

    def _start(self, people: int) -> None:
        self.ca_sha256 = self._make_authority()
        with pinned_to(self.load_core):
            self.postgres = self._start_postgres()
            self.generator_port = self._start_helper("generator")
            self.people = self._prepare_database(people)
        with pinned_to(self.server_core):
            relay_port = self._start_helper("relay")
        self.relay = Endpoint("relay", self._helpers["relay"], relay_port)

    def _make_authority(self) -> str:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.directory / "ca.pem"))
        leaf = authority.issue_cert("127.0.0.1")
        leaf.private_key_and_cert_chain_pem.write_to_path(str(self.directory / "leaf.pem"))
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode())).hexdigest()

    def _start_postgres(self) -> Instance:
        state_dir = self.directory / "postgres"
        self._cleanup.callback(delete_data, state_dir)
        instance = start_postgres(state_dir, log_path=self.directory / "postgres.log", options=DURABLE)
        self._cleanup.callback(instance.stop)
        return instance

    def _start_helper(self, name: str) -> int:
        child = start_child(
            name,
            [sys.executable, "-m", f"tests.bench.{name}", self.directory],
            log_path=self.directory / f"{name}.log",
            environment={"PATH": os.environ.get("PATH", os.defpath)},
            directory=PROJECT_DIR,
        )
        self._cleanup.callback(child.stop)
        self._helpers = {**getattr(self, "_helpers", {}), name: child}
        ready = self.directory / f"{name}.json"
        wait_for(child, ready.exists)
        port: int = json.loads(ready.read_text(encoding="utf-8"))["port"]
        return port

    def _prepare_database(self, people: int) -> list[Person]:
        environment = self._build_environment(self.postgres.url)
        self._run([PROJECT_DIR / "manage.py", "migrate", "--verbosity", "0"], environment)
        path = self.directory / "people.json"
        self._run(["-m", "tests.bench.people", str(people), path], environment)
        return [Person(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]

    def _run(self, command: Sequence[str | Path], environment: dict[str, str]) -> None:
        try:
            answer = subprocess.run(
                [sys.executable, *command],
                env=environment,
                cwd=PROJECT_DIR,
                capture_output=True,
                text=True,
                timeout=PREPARE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise StartRefused(f"{command[1]} needed more than {PREPARE_SECONDS} s") from error
        if answer.returncode:
            raise StartRefused(f"{command[1]} failed: {answer.stderr.strip()[-2000:]}")

    def _build_environment(self, database_url: str) -> dict[str, str]:
        """Return a server's whole environment; nothing of the developer's own settings reaches it."""
        upstream = f"https://127.0.0.1:{self.generator_port}"
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "ENV_FILE": os.devnull,
            "SECRET_KEY": self._secret_key,
            "DATABASE_URL": database_url,
            "GIGACHAT_CREDENTIALS": b64encode(b"bench:bench").decode(),
            "GIGACHAT_BASE_URL": f"{upstream}/v1",
            "GIGACHAT_AUTH_URL": f"{upstream}/api/v2/oauth",
            "GIGACHAT_CA_FILE": str(self.directory / "ca.pem"),
            "GIGACHAT_CA_SHA256": self.ca_sha256,
            **UNLIMITED,
        }

    def start_server(self, kind: str, *, database: str) -> Endpoint:
        """Start our server on a database of its own: two engines on one would share the turns."""
        url = self._copy_database(database)
        port = find_free_port()
        with pinned_to(self.server_core):
            child = start_child(
                database,
                [sys.executable, "manage.py", "serve", "--server", kind, "--host", "127.0.0.1", "--port", str(port)],
                log_path=self.directory / f"{database}.log",
                environment=self._build_environment(url),
                directory=PROJECT_DIR,
            )
        self._cleanup.callback(child.stop)
        wait_for(child, lambda: is_listening(port))
        return Endpoint(kind, child, port)

    def _copy_database(self, name: str) -> str:
        with psycopg.connect(self.postgres.url.replace("/assistant", "/postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE assistant')
        return self.postgres.url.replace("/assistant", f"/{name}")

    def describe_database(self) -> str:
        """Return PostgreSQL's version and what makes its commits durable. Raises: StartRefused when they are not"""
        with psycopg.connect(self.postgres.url) as connection:
            names = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
            values = [str(connection.execute(f"SHOW {name}").fetchone()[0]) for name in names]  # type: ignore[index]
        if values[1:3] != ["on", "on"]:
            raise StartRefused("the database of the benchmark does not commit durably")
        shown = ", ".join(f"{name} {value}" for name, value in zip(names[1:], values[1:], strict=True))
        return f"PostgreSQL {values[0]}, {shown}"

    async def wait_until_quiet(self) -> None:
        """Wait until the generator has no stream left, so that no measurement carries the last one's load."""
        async with asyncio.timeout(READY_SECONDS):
            while await self._count_streams():  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(POLL_SECONDS)

    async def _count_streams(self) -> int:
        context = ssl.create_default_context(cafile=str(self.directory / "ca.pem"))
        reader, writer = await asyncio.open_connection("127.0.0.1", self.generator_port, ssl=context)
        writer.write(b"GET /active HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        content: dict[str, Any] = json.loads(await reader.readuntil(b"}"))
        writer.transport.abort()
        return int(content["active"])


def wait_for(child: Child, condition: Callable[[], bool]) -> None:
    """Wait until the child is ready. Raises: StartRefused when it ends first or needs more than 30 s"""
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        if child.has_ended() or time.monotonic() > deadline:
            raise StartRefused(f"{child.name} did not start: {child.read_last_lines()}")
        time.sleep(POLL_SECONDS)


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

"""Starts the parts of a running product and stops them again; each part is a process with its own log."""

import json
import os
import secrets
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from psycopg import sql

from assistant_project.embedded.children import Child, start_child
from tests.phone import Phone

PROJECT_DIR = Path(__file__).resolve().parent.parent.parent
READY_SECONDS = 60.0

# Short enough to wait for in a test, long enough for a busy machine.
SHORT_TIMES = {
    "WS_HELLO_SECONDS": "1",
    "WS_PING_SECONDS": "1",
    "WS_PONG_SECONDS": "1",
    "WS_WINDOW_BYTES": str(32 * 1024),
    "WS_WINDOW_FULL_SECONDS": "1",
    "WS_EXPIRY_NOTICE_SECONDS": "30",
    "WS_EXPIRY_GRACE_SECONDS": "2",
    "TURNS_PER_MINUTE": "6",
    "CONFIRM_SECONDS": "6",
    "DRAIN_SECONDS": "1",
    # One test with a bad day must not spoil the next.
    "GIGACHAT_BREAKER_FAILURES": "1000",
    "GIGACHAT_READ_IDLE_SECONDS": "2",
    "GIGACHAT_RETRY_SECONDS": "2",
}


def build_environment(directory: Path, database_url: str) -> dict[str, str]:
    """Return the settings of a product on `database_url`: nothing of the developer's, short times, its own keys."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key_path = directory / "jwt.pem"
    key_path.write_bytes(pem)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "assistant_project.settings",
        "PYTHONPATH": str(PROJECT_DIR),
        "DATABASE_URL": database_url,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "JWT_SIGNING_KEY_FILE": str(key_path),
        "MEDIA_DIR": str(directory / "files"),
        **SHORT_TIMES,
    }


def make_database(name: str) -> str:
    """Return the URL of a new, empty database beside the tests' own."""
    base, _, _ = os.environ["TEST_DATABASE_URL"].rpartition("/")
    drop_database(name)
    run_on_server(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"{base}/{name}"


def drop_database(name: str) -> None:
    run_on_server(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def run_on_server(statement: sql.Composed) -> None:
    base, _, _ = os.environ["TEST_DATABASE_URL"].rpartition("/")
    with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
        connection.execute(statement)


class Clerk:
    """The clerk's process (tests/live/clerk.py); `ask` names one of its functions."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._log = (directory / "clerk.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.live.clerk"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=dict(environment),
            text=True,
        )

    def ask(self, act: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"act": act, "arguments": arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the clerk failed, see {self._log.name!r}")
        return json.loads(line)

    def stop(self) -> None:
        self._process.communicate(timeout=10)
        self._log.close()


@dataclass(frozen=True)
class SandboxHandle:
    """The sandbox's process, and its ready file's content: addresses and credentials."""

    child: Child
    ready: Mapping[str, str] = field(repr=False)

    def get_settings(self) -> dict[str, str]:
        """Return the settings that lead a product to this sandbox."""
        return {
            "GIGACHAT_BASE_URL": self.ready["base_url"],
            "GIGACHAT_AUTH_URL": self.ready["auth_url"],
            "GIGACHAT_CA_FILE": self.ready["ca_file"],
            "GIGACHAT_CA_SHA256": self.ready["ca_sha256"],
            "GIGACHAT_CREDENTIALS": self.ready["credentials"],
            "GIGACHAT_SCOPE": self.ready["scope"],
            "GIGACHAT_MODEL": self.ready["model"],
        }

    def set_faults(self, faults: str, *, count: int | None = None) -> None:
        """Put fault switches in force, for the next `count` requests or until `clear_faults`."""
        order = {"faults": faults} | ({} if count is None else {"count": count})
        self._send("POST", json.dumps(order).encode())

    def clear_faults(self) -> None:
        self._send("DELETE", None)

    def read_stats(self) -> dict[str, Any]:
        """Return what the sandbox counted since it started."""
        stats: dict[str, Any] = json.loads(self._ask("GET", "stats", None))
        return stats

    def _send(self, method: str, body: bytes | None) -> None:
        self._ask(method, "faults", body)

    def _ask(self, method: str, path: str, body: bytes | None) -> bytes:
        request = urllib.request.Request(f"{self.ready['admin_url']}/{path}", data=body, method=method)
        context = ssl.create_default_context(cafile=self.ready["ca_file"])
        with urllib.request.urlopen(request, timeout=5, context=context) as response:
            answer: bytes = response.read()
            return answer


def start_sandbox(directory: Path, *, chunk_delay_ms: int = 25) -> SandboxHandle:
    """Start a sandbox that answers at a quick but visible pace."""
    state_dir = directory / "sandbox"
    pace = ["--latency-ms", "20", "--chunk-delay-ms", str(chunk_delay_ms), "--account", "b2b"]
    command: list[str | Path] = [sys.executable, "-m", "chat.gigachat.sandbox", "--state-dir", state_dir, *pace]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(PROJECT_DIR)}
    child = start_child("sandbox", command, log_path=directory / "sandbox.log", environment=environment)
    ready_file = state_dir / "ready.json"
    wait_until(child, ready_file.exists)
    return SandboxHandle(child, json.loads(ready_file.read_bytes()))


@dataclass(frozen=True)
class Product:
    """One server process with everything behind it."""

    kind: str
    port: int
    child: Child
    clerk: Clerk
    environment: Mapping[str, str] = field(repr=False)

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/v1"

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add_customer(self) -> "Account":
        return Account(self, str(self.clerk.ask("add_customer")))


@dataclass(frozen=True)
class Account:
    """One customer of the running product."""

    product: Product
    id: str

    def open_session(self, device_id: str = "") -> "Device":
        device_id = device_id or f"d_{uuid4().hex[:12]}"
        session = self.product.clerk.ask("add_session", customer=self.id, device=device_id)
        return Device(self.product, session, device_id)

    def take_phone(self, **options: Any) -> Phone:
        """Return a phone of a new device of this customer."""
        return self.open_session().take_phone(**options)

    def open_accounts(self, minor: int) -> None:
        """Give the customer a current account with `minor` kopecks and an empty savings account."""
        self.product.clerk.ask("open_accounts", customer=self.id, minor=minor)

    def read_balances(self) -> list[int]:
        """Return what is booked on both, kopecks."""
        balances: list[int] = self.product.clerk.ask("read_balances", customer=self.id)
        return balances

    def list_actions(self) -> list[str]:
        actions: list[str] = self.product.clerk.ask("list_actions", customer=self.id)
        return actions


@dataclass(frozen=True)
class Device:
    """One device session."""

    product: Product
    session: str
    device_id: str

    def issue_token(self, seconds: int = 600) -> str:
        return str(self.product.clerk.ask("issue_token", session=self.session, seconds=seconds))

    def take_phone(self, *, seconds: int = 600, **options: Any) -> Phone:
        """Return the phone with a token that ends in `seconds`."""
        return Phone(self.product.ws_url, token=self.issue_token(seconds), device_id=self.device_id, **options)

    def enrol_key(self) -> "DeviceKey":
        key = self.product.clerk.ask("enrol_key", session=self.session)
        return DeviceKey(key["kid"], key["pem"])

    def sign_out(self) -> None:
        self.product.clerk.ask("sign_out", session=self.session)


@dataclass(frozen=True)
class DeviceKey:
    """The key of a device: it decides about what the bank asks."""

    kid: str
    pem: str = field(repr=False)

    def decide(self, question: Mapping[str, Any], decision: str = "approve") -> dict[str, Any]:
        """Return the body of `confirm.decide` for the body of a `confirm.requested`, as docs/protocol.md says."""
        key = load_pem_private_key(self.pem.encode(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        payload = question["payload"].encode()
        signature = key.sign(b"asst-confirm-v1\0" + decision.encode() + b"\0" + payload, ec.ECDSA(SHA256()))
        return {
            "confirm": question["confirm"],
            "decision": decision,
            "hash": question["hash"],
            "nonce": json.loads(payload)["n"],
            "kid": self.kid,
            "sig": urlsafe_b64encode(signature).rstrip(b"=").decode(),
            "at": int(time.time() * 1000),
        }


def start_server(kind: str, directory: Path, environment: Mapping[str, str], clerk: Clerk, **settings: str) -> Product:
    """Start one server process (`daphne` or `uvicorn`) and wait until it listens."""
    port = find_free_port()
    environment = {**environment, "PORT": str(port), **settings}
    command: list[str | Path] = [sys.executable, PROJECT_DIR / "manage.py", "serve", "--server", kind]
    log_path = directory / f"{kind}-{port}.log"
    child = start_child(kind, command, log_path=log_path, environment=environment, stop_seconds=30.0)
    product = Product(kind, port, child, clerk, environment)
    wait_until(child, partial(is_listening, urlsplit(product.http_url).hostname or "", port))
    return product


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def wait_until(child: Child, condition: Any, *, seconds: float = READY_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not child.has_ended():
        if condition():
            return
        time.sleep(0.02)
    raise RuntimeError(f"{child.name} did not start: {child.read_last_lines()}")

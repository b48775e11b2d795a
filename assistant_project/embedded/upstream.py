"""Which GigaChat the demo talks to: the real one, another server, or the sandbox it starts itself."""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from assistant_project.embedded.children import Child, start_child
from assistant_project.embedded.errors import StartRefused
from assistant_project.environment import build_child_environment
from chat.gigachat.auth import AuthKind
from chat.gigachat.configuration import build_auth
from chat.gigachat.errors import AuthorityRefused, CredentialsMalformed, SettingRefused
from chat.gigachat.tls import load_authority

READY_SECONDS = 20.0
POLL_SECONDS = 0.02
# Ten streams at once, as an organisation has: two phones must not wait for each other.
SANDBOX_ACCOUNT = "b2b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """Where the answers come from; `environment` is what the server process must be told, `child` a started sandbox."""

    base_url: str
    auth_url: str
    ca_file: str
    ca_sha256: str
    environment: dict[str, str]
    child: Child | None = None

    def describe(self) -> dict[str, Any]:
        return {
            "base_url": self.base_url,
            "auth_url": self.auth_url,
            "ca_file": self.ca_file,
            "ca_sha256": self.ca_sha256,
            "sandbox": self.child is not None,
        }


def needs_sandbox() -> bool:
    """Say whether nobody named another GigaChat: no credentials and the default address."""
    has_credentials = bool(settings.GIGACHAT_CREDENTIALS) or settings.GIGACHAT_AUTH != AuthKind.OAUTH
    return not has_credentials and settings.GIGACHAT_BASE_URL == settings.DEFAULT_GIGACHAT_BASE_URL


def use_configured_upstream() -> Upstream:
    """Return the configured GigaChat after checking what can be checked without a connection.

    Raises: StartRefused with the cure.
    """
    if not settings.GIGACHAT_CREDENTIALS and settings.GIGACHAT_AUTH == AuthKind.OAUTH:
        raise StartRefused("GIGACHAT_BASE_URL is set: set GIGACHAT_CREDENTIALS for that server too")
    try:
        build_auth()
    except SettingRefused as error:
        raise StartRefused(f"{error.setting} has no usable value; .env.example describes it") from error
    except CredentialsMalformed as error:
        raise StartRefused("GIGACHAT_CREDENTIALS is not base64 of client_id:client_secret") from error
    try:
        load_authority(settings.GIGACHAT_CA_FILE, settings.GIGACHAT_CA_SHA256)
    except AuthorityRefused as error:
        cure = "run `.venv/bin/python manage.py gigachat_certs install`, or set GIGACHAT_CA_FILE and GIGACHAT_CA_SHA256"
        raise StartRefused(
            f"the root certificate for GigaChat: {error.code} ({settings.GIGACHAT_CA_FILE}); {cure}"
        ) from (error)
    return Upstream(
        base_url=settings.GIGACHAT_BASE_URL,
        auth_url=settings.GIGACHAT_AUTH_URL,
        ca_file=settings.GIGACHAT_CA_FILE,
        ca_sha256=settings.GIGACHAT_CA_SHA256,
        environment={},
    )


def start_sandbox(state_dir: Path, *, log_path: Path) -> Child:
    """Start the sandbox; `wait_for_sandbox` tells when and where it serves."""
    return start_child(
        "sandbox",
        [sys.executable, "-m", "chat.gigachat.sandbox", "--state-dir", state_dir, "--account", SANDBOX_ACCOUNT],
        log_path=log_path,
        environment=build_child_environment({}),
        directory=settings.BASE_DIR,
    )


def wait_for_sandbox(child: Child, state_dir: Path) -> Upstream:
    """Return the running sandbox's addresses.

    Raises: StartRefused when it ends or needs more than 20 s.
    """
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if child.has_ended():
            raise StartRefused(f"the GigaChat sandbox ended at start: {child.read_last_lines(1)}")
        ready = read_ready_file(state_dir / "ready.json")
        if ready.get("pid") == child.pid:  # not the file of an earlier, killed one
            return build_sandbox_upstream(child, ready)
        time.sleep(POLL_SECONDS)
    raise StartRefused(f"the GigaChat sandbox did not come up in {READY_SECONDS:.0f} s, see {child.log_path}")


def read_ready_file(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # absent, or being written
        return {}
    return content


def build_sandbox_upstream(child: Child, ready: dict[str, Any]) -> Upstream:
    return Upstream(
        base_url=ready["base_url"],
        auth_url=ready["auth_url"],
        ca_file=ready["ca_file"],
        ca_sha256=ready["ca_sha256"],
        environment={
            "GIGACHAT_BASE_URL": ready["base_url"],
            "GIGACHAT_AUTH_URL": ready["auth_url"],
            "GIGACHAT_CA_FILE": ready["ca_file"],
            "GIGACHAT_CA_SHA256": ready["ca_sha256"],
            "GIGACHAT_CREDENTIALS_FILE": ready["credentials_file"],
            "GIGACHAT_SCOPE": ready["scope"],
            "GIGACHAT_SANDBOX": "true",
        },
        child=child,
    )

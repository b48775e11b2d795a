"""Which GigaChat answers, and what happens when it cannot be the chosen one."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from assistant_project.embedded import upstream
from assistant_project.embedded.children import Child, start_child
from assistant_project.embedded.errors import StartRefused
from assistant_project.embedded.upstream import (
    needs_sandbox,
    start_sandbox,
    use_configured_upstream,
    wait_for_sandbox,
)

CREDENTIALS = "aWQ6c2VjcmV0"
OTHER_SERVER = "https://gigachat.bank.example/v1"


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({}, True),
        ({"GIGACHAT_CREDENTIALS": CREDENTIALS}, False),
        ({"GIGACHAT_BASE_URL": OTHER_SERVER}, False),
    ],
)
def test_sandbox_is_needed_only_when_nothing_is_configured(
    settings: Settings, changes: dict[str, str], needed: bool
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)

    assert needs_sandbox() is needed


def test_configured_upstream_changes_nothing_for_the_server(settings: Settings, authority: Path) -> None:
    settings.GIGACHAT_CREDENTIALS = CREDENTIALS
    settings.GIGACHAT_BASE_URL = OTHER_SERVER

    chosen = use_configured_upstream()

    assert (chosen.environment, chosen.child) == ({}, None)
    assert chosen.describe() == {
        "base_url": OTHER_SERVER,
        "auth_url": settings.GIGACHAT_AUTH_URL,
        "ca_file": str(authority),
        "ca_sha256": settings.GIGACHAT_CA_SHA256,
        "sandbox": False,
    }


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"GIGACHAT_CREDENTIALS": "s3cret"}, "is not base64 of client_id:client_secret"),
        ({"GIGACHAT_CREDENTIALS": CREDENTIALS, "GIGACHAT_CA_SHA256": "0" * 64}, "authority_mismatch"),
        ({"GIGACHAT_BASE_URL": OTHER_SERVER}, "set GIGACHAT_CREDENTIALS for that server too"),
    ],
)
def test_unusable_upstream_is_refused_without_its_secret(
    settings: Settings, authority: Path, changes: dict[str, str], cause: str
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)

    with pytest.raises(StartRefused, match=cause) as refused:
        use_configured_upstream()
    assert "s3cret" not in str(refused.value)


def test_started_sandbox_tells_the_server_everything(tmp_path: Path) -> None:
    child = start_sandbox(tmp_path / "sandbox", log_path=tmp_path / "log")
    try:
        chosen = wait_for_sandbox(child, tmp_path / "sandbox")
    finally:
        child.stop()

    assert chosen.describe()["sandbox"] is True
    assert chosen.environment["GIGACHAT_SANDBOX"] == "true"
    assert chosen.environment["GIGACHAT_BASE_URL"].startswith("https://127.0.0.1:")
    assert Path(chosen.environment["GIGACHAT_CREDENTIALS_FILE"]).stat().st_mode & 0o777 == 0o600
    assert Path(chosen.ca_file).exists()
    assert child.process.returncode == 0


def run_child(code: str, tmp_path: Path) -> Child:
    return start_child("sandbox", [sys.executable, "-c", code], log_path=tmp_path / "log", environment={})


def test_sandbox_that_ends_is_told_with_its_last_line(tmp_path: Path) -> None:
    child = run_child("raise SystemExit('error: the port is taken')", tmp_path)
    child.process.wait(10)

    with pytest.raises(StartRefused, match="the GigaChat sandbox ended at start: error: the port is taken"):
        wait_for_sandbox(child, tmp_path)


@pytest.mark.parametrize("content", [None, "{", json.dumps({"pid": 1})])
def test_sandbox_that_is_silent_is_refused_and_old_files_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any
) -> None:
    monkeypatch.setattr(upstream, "READY_SECONDS", 0.05)
    if content is not None:
        (tmp_path / "ready.json").write_text(content, encoding="utf-8")
    child = run_child("import time; time.sleep(60)", tmp_path)
    try:
        with pytest.raises(StartRefused, match="did not come up"):
            wait_for_sandbox(child, tmp_path)
    finally:
        child.stop()

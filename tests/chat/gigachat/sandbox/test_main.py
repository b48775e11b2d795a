"""The command: ready file, one line, clean stop, death of the parent, errors in one line."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chat.gigachat.sandbox import Contour, Sandbox
from chat.gigachat.sandbox.__main__ import (
    announce_ready,
    build_parser,
    build_settings,
    main,
    serve,
    wait_for_end,
    write_ready_file,
)
from chat.gigachat.sandbox.settings import SandboxSettings

WAIT_SECONDS = 10.0
PROJECT = Path(__file__).parents[4]
Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Start the command with its state in `tmp_path`; what is left running ends with the test."""
    started = []

    def start(*options: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "chat.gigachat.sandbox", "--state-dir", str(tmp_path), *options]
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"]},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_for_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def read_ready(tmp_path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((tmp_path / "ready.json").read_text(encoding="utf-8"))
    return value


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_says_it_is_ready_and_stops_cleanly(run: Run, tmp_path: Path, number: signal.Signals) -> None:
    process = run("--account", "b2b")
    line = wait_for_line(process)
    ready = read_ready(tmp_path)
    mode = (tmp_path / "ready.json").stat().st_mode & 0o777

    process.send_signal(number)
    output, errors = process.communicate(timeout=WAIT_SECONDS)

    assert line.startswith(f"GigaChat sandbox ready: {ready['base_url']} {ready['auth_url']} ")
    assert set(ready) == {
        "base_url",
        "auth_url",
        "admin_url",
        "ca_file",
        "ca_sha256",
        "credentials",
        "credentials_file",
        "scope",
        "model",
        "pid",
    }
    assert (ready["pid"], ready["scope"], ready["model"], mode) == (
        process.pid,
        "GIGACHAT_API_B2B",
        "GigaChat-2",
        0o600,
    )
    assert Path(ready["credentials_file"]).read_text() == ready["credentials"]
    assert re.fullmatch(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", ready["ca_sha256"])
    assert (process.returncode, output, errors) == (0, "", "")
    assert not (tmp_path / "ready.json").exists()


def test_command_keeps_authority_and_credentials_over_restarts(run: Run, tmp_path: Path) -> None:
    kept = []
    for _ in range(2):
        process = run()
        wait_for_line(process)
        ready = read_ready(tmp_path)
        kept.append((ready["ca_sha256"], ready["credentials"]))
        process.terminate()
        process.wait(WAIT_SECONDS)

    assert kept[0] == kept[1]


async def test_ready_file_on_bank_contour_tells_the_client_certificate(tmp_path: Path) -> None:
    async with Sandbox(SandboxSettings(state_dir=tmp_path, contour=Contour.B2BANK)) as sandbox:
        write_ready_file(sandbox)
    ready = read_ready(tmp_path)

    assert ready["auth_url"] == ""
    assert ready["client_certificate_file"] == str(tmp_path / "client.pem")
    assert ready["client_key_file"] == str(tmp_path / "client.key")


def test_main_on_busy_port_fails_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        status = main(["--state-dir", str(tmp_path), "--api-port", str(taken.getsockname()[1])])

    captured = capsys.readouterr()
    assert (status, captured.out) == (1, "")
    assert captured.err.startswith("error: the sandbox cannot start: ")
    assert captured.err.count("\n") == 1


def test_announce_ready_prints_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    announce_ready("ready")

    assert capsys.readouterr().out == "ready\n"


def test_command_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-m', 'chat.gigachat.sandbox', '--state-dir', {str(tmp_path)!r},"
        " '--exit-with-parent'])\n"
        "child.wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    wait_for_line(parent)
    pid = read_ready(tmp_path)["pid"]

    parent.kill()
    # The child holds the other end of the pipe: it reads as ended when the child is gone.
    parent.communicate(timeout=WAIT_SECONDS)

    assert not (tmp_path / "ready.json").exists()
    with pytest.raises(ProcessLookupError):
        wait_until_gone(pid)


def wait_until_gone(pid: int) -> None:
    """Raises: ProcessLookupError once the process is gone"""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        os.kill(pid, 0)
        os.sched_yield()


async def test_serve_writes_and_removes_the_ready_file(tmp_path: Path, state_dir: Path) -> None:
    shutil.copytree(state_dir, tmp_path, dirs_exist_ok=True)
    ready_file = tmp_path / "ready.json"
    lines: asyncio.Queue[str] = asyncio.Queue()
    settings = SandboxSettings(state_dir=tmp_path)
    serving = asyncio.create_task(serve(settings, lines.put_nowait, exits_with_parent=True))
    line = await asyncio.wait_for(lines.get(), WAIT_SECONDS)
    was_there = ready_file.exists()

    signal.raise_signal(signal.SIGTERM)
    await asyncio.wait_for(serving, WAIT_SECONDS)

    assert line.endswith(f" {ready_file}")
    assert (was_there, ready_file.exists()) == (True, False)


async def test_wait_for_end_returns_when_the_parent_is_another() -> None:
    await asyncio.wait_for(wait_for_end(asyncio.Event(), -1), WAIT_SECONDS)


async def test_wait_for_end_keeps_looking_at_the_parent() -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().call_later(0.6, stopping.set)

    await asyncio.wait_for(wait_for_end(stopping, os.getppid()), WAIT_SECONDS)

    assert stopping.is_set()


async def test_wait_for_end_returns_when_told_to_stop() -> None:
    stopping = asyncio.Event()
    waiting = [asyncio.create_task(wait_for_end(stopping, parent)) for parent in (None, os.getppid())]
    await asyncio.sleep(0)
    stopping.set()

    await asyncio.wait_for(asyncio.gather(*waiting), WAIT_SECONDS)


def test_parser_defaults_are_the_settings_defaults(tmp_path: Path) -> None:
    options = build_parser().parse_args(["--state-dir", str(tmp_path)])

    assert build_settings(options) == SandboxSettings(state_dir=tmp_path)


def test_parser_options_reach_the_settings(tmp_path: Path) -> None:
    arguments = ["--latency-ms", "5", "--streams", "7", "--no-faults", "--bench", "--host-profile", "legacy"]
    settings = build_settings(build_parser().parse_args(["--state-dir", str(tmp_path), *arguments]))

    assert (settings.latency_ms, settings.stream_limit, settings.has_fault_switches, settings.is_bench) == (
        5.0,
        7,
        False,
        True,
    )
    assert settings.path_prefix == "/api/v1"

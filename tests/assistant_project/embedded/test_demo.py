"""`manage.py demo` as a newcomer uses it: up, used, stopped; up again quickly; refused in one line when it cannot."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from assistant_project.embedded.postgres import delete_data

PROJECT_DIR = Path(__file__).resolve().parents[3]
# The first start migrates; a machine that does much else at the same time needs its time for that.
START_SECONDS = 150.0
STOP_SECONDS = 60.0
# On an idle machine; the suite runs beside others, so the bar is loose and the time is printed.
SECOND_START_SECONDS = 60.0

# One after another: they share a place.
pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("demo")]


class Place:
    """Where a demo keeps its data: below a directory that only its owner may enter, with a space in its name."""

    def __init__(self, directory: Path) -> None:
        self.processes: list[subprocess.Popen[str]] = []
        closed = directory / "closed"
        closed.mkdir(mode=0o700)
        self.run_path = closed / "bank assistant"

    def start(self, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--run-dir", self.run_path, *arguments],
            cwd=PROJECT_DIR,
            env=build_environment(**settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def kill_all(self) -> None:
        """End what a failed test has left; the children go with their supervisor."""
        while self.processes:
            process = self.processes.pop()
            process.kill()
            process.communicate()

    def read_demo(self) -> dict[str, Any]:
        path = self.run_path / "demo.json"
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return content

    def wait_for_demo(self, process: "subprocess.Popen[str]") -> dict[str, Any]:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise AssertionError(process.communicate())
            demo = self.read_demo()
            if demo and demo["pids"]["supervisor"] == process.pid:  # not what a killed one left
                return demo
            time.sleep(0.05)
        raise AssertionError("the demo did not come up")


def build_environment(**settings: str) -> dict[str, str]:
    """Return what a newcomer's shell has: nothing of ours, and none of this test session."""
    wanted = ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_")
    kept = {name: value for name, value in os.environ.items() if name.startswith(wanted)}
    return {**kept, "ENV_FILE": os.devnull, **settings}


def find_free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while any(map(is_running, pids)):
        assert time.monotonic() < deadline, [pid for pid in pids if is_running(pid)]
        time.sleep(0.05)


def stop(process: "subprocess.Popen[str]", number: signal.Signals) -> tuple[str, str]:
    process.send_signal(number)
    return process.communicate(timeout=STOP_SECONDS)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One place for all tests here, which use it one after another: no demo runs at the end of a test."""
    place = Place(tmp_path_factory.mktemp("demo"))
    yield place
    delete_data(place.run_path / "postgres")


@pytest.fixture(autouse=True)
def end_processes(place: Place) -> Iterator[None]:
    yield
    place.kill_all()


def sign_in(demo: dict[str, Any], role: str) -> requests.Response:
    login = next(login for login in demo["logins"] if login["role"] == role)
    return requests.post(
        f"{demo['urls']['api']}auth/login",
        json={"username": login["username"], "password": login["password"]},
        timeout=10,
    )


def test_demo_comes_up_serves_stops_and_comes_up_again(place: Place) -> None:
    port = find_free_port()
    process = place.start(PORT=str(port))
    demo = place.wait_for_demo(process)

    assert stat.S_IMODE((place.run_path / "demo.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(place.run_path.stat().st_mode) == 0o700
    assert set(demo) == {"urls", "logins", "pids", "gigachat", "database_url", "started_at"}
    assert set(demo["pids"]) == {"supervisor", "postgres", "sandbox", "server", "upkeep"}
    assert demo["gigachat"]["sandbox"] is True
    assert len([login for login in demo["logins"] if login["role"] == "customer"]) == 3
    assert requests.get(f"http://127.0.0.1:{port}/livez", timeout=10).json() == {"status": "ok"}
    ready = requests.get(f"http://127.0.0.1:{port}/readyz", timeout=10)
    assert (ready.status_code, set(ready.json()["checks"].values())) == (200, {"ok"})
    for name in ("phone", "admin", "docs", "schema"):
        assert requests.get(demo["urls"][name], timeout=10).status_code == 200, name
    assert sign_in(demo, "customer").status_code == 200

    output, errors = stop(process, signal.SIGINT)

    assert (process.returncode, errors) == (0, "")
    assert demo["urls"]["phone"] in output
    wait_until_gone(list(demo["pids"].values()))
    assert not (place.run_path / "demo.json").exists()

    started = time.monotonic()
    again = place.start(PORT=str(port))
    second = place.wait_for_demo(again)
    seconds = time.monotonic() - started
    print(f"second start: {seconds:.1f} s")  # noqa: T201 - shown with -s, the number people ask for
    assert seconds < SECOND_START_SECONDS
    assert second["logins"] == demo["logins"]
    assert sign_in(second, "customer").status_code == 200
    stop(again, signal.SIGTERM)
    assert again.returncode == 0
    wait_until_gone(list(second["pids"].values()))


def test_killed_demo_leaves_nothing_running_and_its_data_recovers(place: Place) -> None:
    process = place.start(PORT="0")
    demo = place.wait_for_demo(process)
    refused = place.start(PORT="0")
    _, errors = refused.communicate(timeout=STOP_SECONDS)
    assert refused.returncode == 1
    assert errors == f"error: a demo already runs on {place.run_path} (process {process.pid}); stop it first\n"

    process.kill()
    process.communicate(timeout=STOP_SECONDS)
    wait_until_gone(list(demo["pids"].values()))

    again = place.start(PORT="0")
    second = place.wait_for_demo(again)
    assert sign_in(second, "customer").status_code == 200
    os.kill(second["pids"]["server"], signal.SIGKILL)
    output, errors = again.communicate(timeout=STOP_SECONDS)

    assert again.returncode == 1
    assert errors.startswith("error: server ended unexpectedly (exit code -9)")
    assert "Traceback" not in errors + output
    wait_until_gone(list(second["pids"].values()))


def run_refused(place: Place, **settings: str) -> str:
    """Return the one line of a start that must fail before anything is started."""
    process = place.start(**settings)
    output, errors = process.communicate(timeout=STOP_SECONDS)
    assert process.returncode == 1
    assert output == ""
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert "Traceback" not in errors
    return errors


def test_busy_port_is_one_line(place: Place) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]

        assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in run_refused(place, PORT=str(port))


def test_foreign_address_is_one_line(place: Place) -> None:
    assert "cannot listen on 192.0.2.1:8000" in run_refused(place, HOST="192.0.2.1")


def test_wrong_setting_is_one_line(place: Place) -> None:
    assert "PORT is not a valid int" in run_refused(place, PORT="eighty")


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"GIGACHAT_CREDENTIALS": "not base64"}, "GIGACHAT_CREDENTIALS is not base64 of client_id:client_secret"),
        (
            {"GIGACHAT_CREDENTIALS": "aWQ6c2VjcmV0", "GIGACHAT_CA_FILE": "/nowhere.pem"},
            "authority_missing (/nowhere.pem)",
        ),
        ({"GIGACHAT_BASE_URL": "https://gigachat.bank.example/v1"}, "set GIGACHAT_CREDENTIALS for that server too"),
    ],
)
def test_unusable_gigachat_is_one_line(place: Place, settings: dict[str, str], cause: str) -> None:
    assert cause in run_refused(place, PORT="0", **settings)


def test_configured_gigachat_and_database_are_used_and_none_started(
    place: Place, authority: Path, settings: Any, empty_database: str
) -> None:
    process = place.start(
        PORT="0",
        DATABASE_URL=empty_database,
        GIGACHAT_BASE_URL="https://127.0.0.1:1/v1",
        GIGACHAT_AUTH_URL="https://127.0.0.1:1/oauth",
        GIGACHAT_CREDENTIALS="aWQ6c2VjcmV0",
        GIGACHAT_CA_FILE=str(authority),
        GIGACHAT_CA_SHA256=settings.GIGACHAT_CA_SHA256,
    )
    demo = place.wait_for_demo(process)

    assert set(demo["pids"]) == {"supervisor", "server", "upkeep"}
    assert demo["database_url"] == empty_database
    assert demo["gigachat"] == {
        "base_url": "https://127.0.0.1:1/v1",
        "auth_url": "https://127.0.0.1:1/oauth",
        "ca_file": str(authority),
        "ca_sha256": settings.GIGACHAT_CA_SHA256,
        "sandbox": False,
    }
    stop(process, signal.SIGTERM)
    assert process.returncode == 0


def test_unreachable_database_is_told_and_stops_what_was_started(place: Place) -> None:
    process = place.start(PORT="0", DATABASE_URL="postgres://nobody@127.0.0.1:1/absent")
    _, errors = process.communicate(timeout=STOP_SECONDS)

    assert (process.returncode, errors) == (1, "error: the database of DATABASE_URL does not answer\n")


def test_forget_deletes_what_was_kept_here_and_elsewhere(place: Place) -> None:
    record = place.run_path / "postgres" / "home"
    home = Path(record.read_text(encoding="utf-8")) if record.exists() else place.run_path / "postgres"
    assert home.exists()

    process = place.start("--forget")
    _, errors = process.communicate(timeout=STOP_SECONDS)

    assert (process.returncode, errors) == (0, "")
    assert not home.exists()
    assert not place.run_path.exists()

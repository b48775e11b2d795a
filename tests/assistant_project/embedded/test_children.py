"""A child is asked to end, then killed; it dies with its parent; its log tells why it ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assistant_project.embedded import children
from assistant_project.embedded.children import Child, start_child

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]
PARENT = """
import os, sys, time
from pathlib import Path
from assistant_project.embedded.children import start_child
child = start_child("child", [sys.executable, "-c", "import time; time.sleep(60)"], log_path=Path(sys.argv[1]),
                    environment=dict(os.environ))
print(child.pid, flush=True)
time.sleep(60)
"""


def start(command: list[str], path: Path, *, stop_seconds: float = 5.0) -> Child:
    child = start_child("sample", command, log_path=path, environment=dict(os.environ), stop_seconds=stop_seconds)
    deadline = time.monotonic() + 5
    while "up" not in path.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return child


def test_stop_asks_first(tmp_path: Path) -> None:
    child = start(SLEEP, tmp_path / "log")

    child.stop()

    assert child.process.returncode == -signal.SIGTERM
    child.stop()


def test_stop_kills_a_child_that_does_not_end(tmp_path: Path) -> None:
    child = start(STUBBORN, tmp_path / "log", stop_seconds=0.1)

    child.stop()

    assert child.process.returncode == -signal.SIGKILL


def test_log_is_private_and_its_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    child = start_child(
        "sample", ["/bin/sh", "-c", "echo up; seq 30; echo oops >&2; exit 3"], log_path=path, environment={}
    )

    assert child.process.wait(5) == 3
    assert child.has_ended()
    assert child.read_last_lines(2) == "30\noops"
    assert path.stat().st_mode & 0o777 == 0o600


def test_child_gets_only_the_given_environment_and_no_terminal_signals(tmp_path: Path) -> None:
    path = tmp_path / "log"
    child = start_child(
        "sample", ["/bin/sh", "-c", "echo $ONE; ps -o sid= -p $$"], log_path=path, environment={"ONE": "1"}
    )

    assert child.process.wait(5) == 0
    first, session = path.read_text(encoding="utf-8").split()
    assert first == "1"
    assert int(session) != os.getsid(0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_child_dies_with_a_killed_parent(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()

    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8"):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_die_with_parent_ends_a_child_whose_parent_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)

    class Libc:
        def prctl(self, *_arguments: int) -> int:
            return 0

    monkeypatch.setattr(children, "LIBC", Libc())
    children.die_with_parent(os.getppid(), signal.SIGTERM)
    assert ended == []
    children.die_with_parent(os.getppid() + 1, signal.SIGTERM)
    assert ended == [children.PARENT_DIED]
    monkeypatch.setattr(children, "LIBC", None)
    children.die_with_parent(os.getppid() + 1, signal.SIGTERM)
    assert ended == [children.PARENT_DIED]

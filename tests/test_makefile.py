"""`make` helps, and refuses in one line what it cannot do."""

import os
import re
import subprocess
from pathlib import Path

import pytest

PROJECT_DIR = Path(__file__).resolve().parent.parent


def make(*arguments: str, path: str | None = None) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": path or os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C"}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=PROJECT_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def list_errors(answer: "subprocess.CompletedProcess[str]") -> list[str]:
    """Return what was said on stderr without make's own last line."""
    return [line for line in answer.stderr.splitlines() if not line.startswith("make: ***")]


def test_make_alone_prints_every_target() -> None:
    answer = make()

    assert answer.returncode == 0
    printed = re.findall(r"^  make ([a-z]+) ", answer.stdout, re.MULTILINE)
    assert printed == ["help", "run", "test", "check", "fmt", "lock", "bench", "clean"]


def write_program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("python", ["/bin/false", "/nowhere/python3.11", ""])
def test_run_without_new_enough_python_is_one_line(tmp_path: Path, python: str) -> None:
    answer = make("run", f"VENV={tmp_path / 'venv'}", f"PYTHON={python}")

    assert answer.returncode != 0
    assert list_errors(answer) == [
        "error: Python 3.11 or newer is needed; install it or say PYTHON=/path/to/python3.11"
    ]
    assert answer.stdout == ""


def test_run_with_python_that_cannot_make_environments_is_one_line(tmp_path: Path) -> None:
    python = write_program(
        tmp_path / "python3", 'case "$1" in -c) exit 0;; *) echo "No module named ensurepip"; exit 1;; esac'
    )

    answer = make("run", f"VENV={tmp_path / 'venv'}", f"PYTHON={python}")

    assert answer.returncode != 0
    (line,) = list_errors(answer)
    assert "cannot make an environment with pip (on Debian: apt-get install python3-venv)" in line
    assert not (tmp_path / "venv").exists()


def test_shell_scripts_parse() -> None:
    assert subprocess.run(["sh", "-n", PROJECT_DIR / ".ci" / "run"], check=True).returncode == 0
    assert os.access(PROJECT_DIR / ".ci" / "run", os.X_OK)

"""PostgreSQL's programs are found, copied whole where their user cannot reach them, and fail in one line."""

import os
import subprocess
from pathlib import Path

import pytest

from assistant_project.embedded import programs
from assistant_project.embedded.errors import StartRefused
from assistant_project.embedded.programs import (
    Install,
    build_environment,
    can_run_as,
    copy_install,
    find_install,
    make_reachable,
    read_major,
    run_program,
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user to run as")


def write_program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def make_install(bin_dir: Path, version: str) -> Path:
    bin_dir.mkdir(parents=True)
    for name in ("postgres", "initdb", "pg_ctl"):
        write_program(bin_dir / name, f'echo "{name} (PostgreSQL) {version}"')
    return bin_dir


def test_find_install_prefers_the_wheel() -> None:
    install = find_install()

    assert (install.is_from_wheel, install.major) == (True, 18)


def test_find_install_without_wheel_takes_the_newest_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("9.6", "15", "16"):
        make_install(tmp_path / version / "bin", version)
    monkeypatch.setattr(programs, "WHEEL", "absent_wheel")
    monkeypatch.setattr(programs, "SYSTEM_INSTALLS", tmp_path)

    assert find_install() == Install(bin_dir=tmp_path / "16" / "bin", major=16, is_from_wheel=False)


def test_find_install_without_any_tells_both_ways_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_install(tmp_path / "14" / "bin", "14.1")
    monkeypatch.setattr(programs, "WHEEL", "absent_wheel")
    monkeypatch.setattr(programs, "SYSTEM_INSTALLS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(StartRefused, match="install the package absent_wheel or postgresql, or set DATABASE_URL"):
        find_install()


def test_read_major_of_broken_programs_is_zero(tmp_path: Path) -> None:
    bin_dir = make_install(tmp_path / "bin", "unknown")
    assert read_major(bin_dir) == 0
    write_program(bin_dir / "postgres", "exit 1")
    assert read_major(bin_dir) == 0
    (bin_dir / "postgres").write_bytes(b"\x7fELF for another machine")
    assert read_major(bin_dir) == 0
    (bin_dir / "initdb").unlink()
    assert read_major(bin_dir) == 0


def test_copied_programs_find_their_libraries(tmp_path: Path) -> None:
    original = find_install()

    copy = copy_install(original, tmp_path / "programs")

    assert copy.bin_dir.is_relative_to(tmp_path)
    linked = subprocess.run(
        ["ldd", copy.bin_dir / "initdb"], capture_output=True, text=True, check=True, env=build_environment()
    ).stdout
    assert "not found" not in linked
    assert str(original.bin_dir.parent.parent) not in linked
    assert "initdb (PostgreSQL)" in run_program(copy, ["initdb", "--version"], user=None)


def test_copy_is_made_once_and_again_for_another_wheel_or_after_a_cut(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / programs.WHEEL / "pginstall18"
    install = Install(bin_dir=make_install(package / "bin", "18.4"), major=18, is_from_wheel=True)
    target = tmp_path / "programs"
    (target / programs.WHEEL / "pginstall18" / "left from a cut copy").mkdir(parents=True)

    copy = copy_install(install, target)
    assert not (target / programs.WHEEL / "pginstall18" / "left from a cut copy").exists()
    (copy.bin_dir / "kept").touch()

    assert copy_install(install, target) == copy
    assert (copy.bin_dir / "kept").exists()

    os.utime(install.bin_dir / "postgres", (1, 1))
    assert copy_install(install, target) == copy
    assert not (copy.bin_dir / "kept").exists()
    assert read_major(copy.bin_dir) == 18


@needs_root
def test_programs_in_a_closed_directory_are_copied(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = closed / programs.WHEEL / "pginstall18"
    install = Install(bin_dir=make_install(package / "bin", "18.4"), major=18, is_from_wheel=True)

    assert make_reachable(install, home=tmp_path, user=None) == install
    copy = make_reachable(install, home=tmp_path, user=65_534)

    assert copy.bin_dir.is_relative_to(tmp_path / "programs-18")
    assert not can_run_as([str(install.bin_dir / "postgres"), "--version"], 65_534)
    assert can_run_as(["/bin/true"], 65_534)


def test_run_program_tells_the_last_line_of_a_failure(tmp_path: Path) -> None:
    install = Install(bin_dir=make_install(tmp_path / "bin", "18.4"), major=18, is_from_wheel=False)
    write_program(install.bin_dir / "initdb", "echo first >&2; echo 'disk is full' >&2; exit 3")
    write_program(install.bin_dir / "pg_ctl", "exit 4")

    with pytest.raises(StartRefused, match="initdb failed: disk is full"):
        run_program(install, ["initdb"], user=None)
    with pytest.raises(StartRefused, match="pg_ctl failed: exit code 4"):
        run_program(install, ["pg_ctl"], user=None)


def test_private_server_sees_none_of_the_callers_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/somewhere/else")

    assert set(build_environment()) == {"PATH", "LC_ALL", "TZ"}

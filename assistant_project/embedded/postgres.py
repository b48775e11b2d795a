"""A private PostgreSQL on a unix socket, from the wheel's binaries or the machine's own.

PostgreSQL refuses to run as root, so root's instance runs as `nobody` in a directory that `nobody` can reach.
"""

import os
import pwd
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from assistant_project.embedded.children import Child, start_child
from assistant_project.embedded.errors import StartRefused
from assistant_project.embedded.programs import (
    Install,
    build_environment,
    can_run_as,
    find_install,
    make_reachable,
    run_program,
)

BUILTIN_LOCALES_SINCE = 17
READY_SECONDS = 30.0
POLL_SECONDS = 0.01
DATABASE_NAME = "assistant"
# A socket's path must fit the kernel's 104 bytes (macOS) or 108 (Linux) with `/.s.PGSQL.5432` behind the directory.
SOCKET_DIRECTORY_BYTES = 104 - len("/.s.PGSQL.5432.lock") - 1
# Where a directory for `nobody` may live when the caller is root; a system's cleaner leaves the first alone.
SHARED_PARENTS = ("/var/lib", "/var/tmp", "/tmp")  # noqa: S108 - a private directory of random name is made inside
SOCKET_PREFIX = "asst-"
HOME_PREFIX = "bank-assistant-"
# Files in the state directory that remember where the two are.
SOCKET_RECORD = "socket"
HOME_RECORD = "home"

DURABLE = ("shared_buffers=64MB", "max_connections=60")
# Tests lose nothing that matters when the machine dies.
DISPOSABLE = (
    "shared_buffers=64MB",
    "max_connections=100",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A running server. `url` opens the database `assistant` as its superuser through the private socket."""

    child: Child
    socket_dir: Path
    major: int

    @property
    def url(self) -> str:
        return f"postgres://postgres@{quote(str(self.socket_dir), safe='')}/{DATABASE_NAME}"

    def stop(self) -> None:
        """End the server (fast shutdown) and remove its socket directory."""
        self.child.stop()
        shutil.rmtree(self.socket_dir, ignore_errors=True)


def start_postgres(
    state_dir: Path,
    *,
    log_path: Path,
    options: Sequence[str] = DURABLE,
    shared_parents: Sequence[str] = SHARED_PARENTS,
) -> Instance:
    """Start the private server on the data below `state_dir`, made at the first start, and wait until it answers.

    A server that an earlier, killed supervisor left behind is stopped first; PostgreSQL then recovers by itself.

    state_dir        owner-only directory of the caller; as root it only records where the data directory of `nobody` is
    shared_parents   where that directory may be made, in this order
    Raises: StartRefused when no programs are found or the server does not come up.
    """
    user = find_unprivileged_user()
    home = prepare_home(state_dir, user, shared_parents)
    install = make_reachable(find_install(), home=home, user=user)
    data_dir = home / f"data-{install.major}"
    if not (data_dir / "PG_VERSION").exists():
        create_cluster(install, data_dir=data_dir, user=user)
    stop_leftover(install, data_dir=data_dir, user=user)
    socket_dir = make_socket_dir(state_dir, user)
    child = start_child(
        "postgres",
        [install.bin_dir / "postgres", "-D", data_dir, *build_arguments(socket_dir, options)],
        log_path=log_path,
        environment=build_environment(),
        user=user,
        # PostgreSQL's fast shutdown: ends sessions, writes a checkpoint.
        stop_signal=signal.SIGINT,
        orphan_signal=signal.SIGINT,
    )
    instance = Instance(child=child, socket_dir=socket_dir, major=install.major)
    try:
        wait_until_ready(child, data_dir)
        create_database(install, socket_dir=socket_dir, user=user)
    except BaseException:
        instance.stop()
        raise
    return instance


def find_unprivileged_user() -> int | None:
    """Return the user id PostgreSQL must run as: `nobody` for root, None (the caller) for everyone else."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError as error:
        raise StartRefused("PostgreSQL refuses to run as root and this system has no user `nobody`") from error


def prepare_home(state_dir: Path, user: int | None, shared_parents: Sequence[str] = SHARED_PARENTS) -> Path:
    """Return the directory that holds the data: `state_dir`, or for root a directory of `nobody` recorded there.

    The place must be reachable for `nobody` whatever the checkout's parents allow. Its random name is made by us and
    owned by `nobody`, so nobody else can have prepared it.
    """
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if user is None:
        return state_dir
    record = state_dir / HOME_RECORD
    if record.exists():
        home = Path(record.read_text(encoding="utf-8"))
        if home.is_dir() and home.stat().st_uid == user:
            return home
    home = make_shared_directory(user, shared_parents)
    record.write_text(str(home), encoding="utf-8")
    return home


def delete_data(state_dir: Path) -> None:
    """Delete everything `start_postgres` has kept, also what lies outside `state_dir`. The server must be stopped."""
    remove_recorded_directory(state_dir / HOME_RECORD, HOME_PREFIX)
    remove_recorded_directory(state_dir / SOCKET_RECORD, SOCKET_PREFIX)
    shutil.rmtree(state_dir, ignore_errors=True)


def remove_recorded_directory(record: Path, prefix: str) -> None:
    """Delete the directory whose name `record` holds, if it is one that we name so."""
    if not record.exists():
        return
    directory = Path(record.read_text(encoding="utf-8"))
    if directory.name.startswith(prefix):
        shutil.rmtree(directory, ignore_errors=True)


def make_shared_directory(user: int, shared_parents: Sequence[str]) -> Path:
    for parent in shared_parents:
        try:
            home = Path(tempfile.mkdtemp(prefix=HOME_PREFIX, dir=parent))
        except OSError:
            continue
        os.chown(home, user, user)
        if can_run_as(["/bin/sh", "-c", f"cd '{home}'"], user):
            return home
        home.rmdir()
    raise StartRefused(f"no directory that PostgreSQL's user can reach: tried {', '.join(shared_parents)}")


def create_cluster(install: Install, *, data_dir: Path, user: int | None) -> None:
    """Make the data directory. Trusting every local user is safe: only the owner can enter the socket's directory."""
    unfinished = data_dir.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = ["initdb", "-D", str(unfinished), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
    if install.major >= BUILTIN_LOCALES_SINCE:
        # Case rules for Cyrillic without any locale installed on the machine.
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    else:
        command += ["--locale=C.UTF-8"]
    run_program(install, command, user=user)
    unfinished.rename(data_dir)


def stop_leftover(install: Install, *, data_dir: Path, user: int | None) -> None:
    """Stop a server that still holds the data; our own lock file has already excluded a second supervisor."""
    pid_file = data_dir / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
    if is_running(pid):
        run_program(install, ["pg_ctl", "stop", "-D", str(data_dir), "-m", "fast", "-w", "-t", "20"], user=user)


def is_running(pid: int) -> bool:
    """Say whether a PostgreSQL with that process id lives; a reused number that is another program does not count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    command = Path(f"/proc/{pid}/cmdline")
    if not command.exists():  # not Linux
        return True
    program = command.read_bytes().partition(b"\0")[0]
    return Path(os.fsdecode(program)).name == "postgres"


def make_socket_dir(state_dir: Path, user: int | None) -> Path:
    """Return a fresh directory of the server's user, closed to others and short enough for a socket's path.

    The one of an earlier, killed start is removed: its name is kept in `state_dir`.
    """
    remove_recorded_directory(state_dir / SOCKET_RECORD, SOCKET_PREFIX)
    parent = tempfile.gettempdir()
    if len(os.fsencode(parent)) + len(f"/{SOCKET_PREFIX}xxxxxxxx") > SOCKET_DIRECTORY_BYTES:
        parent = "/tmp"  # noqa: S108 - mkdtemp makes a private directory in it
    directory = Path(tempfile.mkdtemp(prefix=SOCKET_PREFIX, dir=parent))
    (state_dir / SOCKET_RECORD).write_text(str(directory), encoding="utf-8")
    if user is not None:
        os.chown(directory, user, user)
    return directory


def build_arguments(socket_dir: Path, options: Sequence[str]) -> list[str]:
    settings = [
        "listen_addresses=",
        f"unix_socket_directories={socket_dir}",
        "unix_socket_permissions=0700",
        "timezone=UTC",
        "log_timezone=UTC",
        *options,
    ]
    return [part for setting in settings for part in ("-c", setting)]


def wait_until_ready(child: Child, data_dir: Path) -> None:
    """Wait until the server says `ready` in its pid file, as pg_ctl does.

    Raises: StartRefused when it ends or needs more than 30 s.
    """
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if child.has_ended():
            raise StartRefused(f"PostgreSQL ended at start, see {child.log_path}: {child.read_last_lines(1)}")
        if read_status(data_dir / "postmaster.pid", child.pid) == "ready":
            return
        time.sleep(POLL_SECONDS)
    raise StartRefused(f"PostgreSQL did not come up in {READY_SECONDS:.0f} s, see {child.log_path}")


def read_status(pid_file: Path, pid: int) -> str:
    """Return the status line of the pid file, or nothing while the file is absent, unfinished or another server's."""
    try:
        lines = pid_file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ""
    return lines[7].strip() if len(lines) > 7 and lines[0] == str(pid) else ""


def create_database(install: Install, *, socket_dir: Path, user: int | None) -> None:
    """Create the database `assistant` if it is not there."""
    psql = ["psql", "-h", str(socket_dir), "-U", "postgres", "-d", "postgres", "-X", "-A", "-t", "-c"]
    names = run_program(install, [*psql, "SELECT datname FROM pg_database"], user=user)
    if DATABASE_NAME not in names.splitlines():
        run_program(install, [*psql, f"CREATE DATABASE {DATABASE_NAME}"], user=user)

"""The private server starts, is found again, recovers, and leaves nothing behind."""

import os
import pwd
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import psycopg
import pytest

from assistant_project.embedded import postgres
from assistant_project.embedded.children import start_child
from assistant_project.embedded.errors import StartRefused
from assistant_project.embedded.postgres import (
    Instance,
    delete_data,
    find_unprivileged_user,
    is_running,
    make_shared_directory,
    make_socket_dir,
    prepare_home,
    read_status,
    start_postgres,
    wait_until_ready,
)
from assistant_project.environment import parse_database_url


@pytest.fixture(scope="module")
def state_dir() -> Iterator[Path]:
    """A path below a closed directory, as a checkout under /root has; one cluster for all tests here."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory) / "postgres"
        delete_data(Path(directory) / "postgres")


def start(state_dir: Path) -> Instance:
    return start_postgres(state_dir, log_path=state_dir.with_suffix(".log"), shared_parents=["/tmp"])


def ask(instance: Instance, statement: str) -> object:
    entry = parse_database_url(instance.url)
    with psycopg.connect(host=entry["HOST"], user=entry["USER"], dbname=entry["NAME"], autocommit=True) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_start_twice_keeps_the_data_and_listens_on_no_port(state_dir: Path) -> None:
    instance = start(state_dir)
    try:
        assert ask(instance, "SELECT current_database()") == "assistant"
        assert ask(instance, "SHOW listen_addresses") == ""
        assert ask(instance, "SELECT lower('ЖЁЛТЫЙ')") == "жёлтый"
        assert instance.socket_dir.stat().st_mode & 0o777 == 0o700
        assert unquote(instance.url).startswith(f"postgres://postgres@{instance.socket_dir}/")
        ask(instance, "CREATE TABLE kept (value int)")
    finally:
        instance.stop()
    assert not instance.socket_dir.exists()

    again = start(state_dir)
    try:
        assert ask(again, "SELECT count(*) FROM kept") == 0
    finally:
        again.stop()


def test_start_after_a_kill_recovers(state_dir: Path) -> None:
    killed = start(state_dir)
    ask(killed, "CREATE TABLE IF NOT EXISTS recovered AS SELECT 1")
    os.kill(killed.child.pid, signal.SIGKILL)
    killed.child.process.wait(10)

    instance = start(state_dir)
    try:
        assert ask(instance, "SELECT count(*) FROM recovered") == 1
        assert not killed.socket_dir.exists()
    finally:
        instance.stop()


def test_start_stops_a_server_that_was_left_behind(state_dir: Path) -> None:
    left = start(state_dir)

    instance = start(state_dir)
    try:
        assert left.child.process.wait(10) == 0
        assert ask(instance, "SELECT 1") == 1
    finally:
        instance.stop()


def test_start_with_broken_data_tells_where_the_log_is(state_dir: Path) -> None:
    instance = start(state_dir)
    instance.stop()
    home = Path((state_dir / "home").read_text(encoding="utf-8")) if (state_dir / "home").exists() else state_dir
    control = next(home.glob("data-*")) / "global" / "pg_control"
    kept = control.read_bytes()
    try:
        control.write_bytes(b"broken")
        with pytest.raises(StartRefused, match=r"PostgreSQL ended at start, see .*postgres.log"):
            start(state_dir)
    finally:
        control.write_bytes(kept)
    assert not Path((state_dir / "socket").read_text(encoding="utf-8")).exists()


def test_socket_directory_is_short_whatever_the_temporary_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))

    directory = make_socket_dir(tmp_path, None)
    try:
        assert len(os.fsencode(directory / ".s.PGSQL.5432.lock")) < 104
    finally:
        shutil.rmtree(directory)


def test_unprivileged_user_is_needed_only_by_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert find_unprivileged_user() is None
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert find_unprivileged_user() == pwd.getpwnam("nobody").pw_uid


def test_root_without_nobody_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def know_nobody(name: str) -> pwd.struct_passwd:
        raise KeyError(name)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", know_nobody)

    with pytest.raises(StartRefused, match="no user `nobody`"):
        find_unprivileged_user()


def test_ordinary_users_home_is_the_state_directory(tmp_path: Path) -> None:
    home = prepare_home(tmp_path / "state", None)

    assert home == tmp_path / "state"
    assert home.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root prepares a directory for somebody else")
def test_roots_home_is_kept_and_replaced_when_it_is_gone(tmp_path: Path) -> None:
    user = pwd.getpwnam("nobody").pw_uid
    first = prepare_home(tmp_path, user, ["/tmp"])
    assert prepare_home(tmp_path, user, ["/tmp"]) == first
    shutil.rmtree(first)
    second = prepare_home(tmp_path, user, ["/tmp"])
    try:
        assert second != first
        assert second.stat().st_uid == user
    finally:
        delete_data(tmp_path)
    assert not second.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root prepares a directory for somebody else")
def test_shared_directory_must_be_reachable(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(StartRefused, match="no directory that PostgreSQL's user can reach"):
        make_shared_directory(pwd.getpwnam("nobody").pw_uid, ["/absent", str(closed)])
    assert list(closed.iterdir()) == []


def test_delete_data_touches_no_foreign_directory(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    state = tmp_path / "state"
    state.mkdir()
    (state / "home").write_text(str(foreign), encoding="utf-8")

    delete_data(state)

    assert foreign.exists()
    assert not state.exists()


def test_is_running_knows_a_reused_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_running(os.getpid())  # lives, but is no PostgreSQL
    assert not is_running(2**22 + 1)  # above the kernel's highest

    def forbid(_pid: int, _signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbid)
    assert is_running(1)


def test_status_is_read_only_from_the_own_servers_file(tmp_path: Path) -> None:
    path = tmp_path / "postmaster.pid"
    assert read_status(path, 1) == ""
    path.write_text("1\n", encoding="utf-8")
    assert read_status(path, 1) == ""
    path.write_text("1\n2\n3\n4\n5\n6\n7\nready   \n", encoding="utf-8")
    assert read_status(path, 1) == "ready"
    assert read_status(path, 2) == ""


def test_server_that_never_gets_ready_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "READY_SECONDS", 0.05)
    child = start_child(
        "postgres", [sys.executable, "-c", "import time; time.sleep(60)"], log_path=tmp_path / "log", environment={}
    )
    try:
        with pytest.raises(StartRefused, match="did not come up"):
            wait_until_ready(child, tmp_path)
    finally:
        child.stop()

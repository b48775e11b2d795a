"""One runner at a time; every chore gets its turn, whatever happened to the one before."""

import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import psycopg
import pytest
from django.db import connection

from assistant_project.upkeep.lock import LockTaken, UpkeepLock, hold_lock
from assistant_project.upkeep.runner import (
    Chore,
    ChoreReport,
    ChoreUnfinished,
    list_due,
    run_once,
    run_rounds,
    run_until_stopped,
)
from audit.context import AuditContext

pytestmark = pytest.mark.django_db

WAIT_SECONDS = 5.0


class Diary:
    """Chores that note their turns."""

    def __init__(self) -> None:
        self.turns: list[str] = []
        self.contexts: list[AuditContext] = []

    def make_chore(self, name: str, *, fault: Exception | None = None, every: int = 0) -> Chore:
        def act(context: AuditContext, now: datetime) -> Mapping[str, int]:
            self.turns.append(name)
            self.contexts.append(context)
            if fault:
                raise fault
            return {"done": 2}

        return Chore(name=name, every=timedelta(seconds=every), act=act)


def read_reports(reports: list[ChoreReport]) -> list[tuple[str, Mapping[str, int], str]]:
    return [(report.chore, report.counts, report.fault) for report in reports]


@pytest.fixture
def other_holder() -> Iterator[None]:
    """Another process holds the lock."""
    with hold_lock():
        yield


def test_every_chore_is_done_and_told_whatever_the_one_before_ran_into(caplog: pytest.LogCaptureFixture) -> None:
    diary = Diary()
    chores = [
        diary.make_chore("broken", fault=ZeroDivisionError("secret words")),
        diary.make_chore("partly", fault=ChoreUnfinished("unreachable", {"done": 1})),
        diary.make_chore("sound"),
    ]

    reports = run_once(chores)

    assert read_reports(reports) == [
        ("broken", {}, "ZeroDivisionError"),
        ("partly", {"done": 1}, "unreachable"),
        ("sound", {"done": 2}, ""),
    ]
    assert [context.actor_id for context in diary.contexts] == ["upkeep.broken", "upkeep.partly", "upkeep.sound"]
    told = [(record.levelname, record.message) for record in caplog.records if hasattr(record, "chore")]
    assert told == [
        ("ERROR", "chore failed"),
        ("WARNING", "chore unfinished"),
        ("WARNING", "chore unfinished"),
        ("INFO", "chore done"),
    ]


def test_second_runner_is_refused_and_does_nothing(other_holder: None) -> None:
    diary = Diary()

    with pytest.raises(LockTaken):
        run_once([diary.make_chore("a")])
    assert diary.turns == []


def test_lock_is_free_again_after_its_holder() -> None:
    with hold_lock():
        pass
    with hold_lock() as lock:
        lock.prove()


def test_chore_has_its_turn_when_its_time_has_come() -> None:
    diary = Diary()
    often, seldom = diary.make_chore("often"), diary.make_chore("seldom", every=3600)

    assert [chore.name for chore in list_due([often, seldom], {})] == ["often", "seldom"]
    last = {"often": time.monotonic(), "seldom": time.monotonic()}
    assert [chore.name for chore in list_due([often, seldom], last)] == ["often"]


def test_rounds_go_on_until_stopped_and_finish_the_chore_in_progress() -> None:
    diary, stopped = Diary(), threading.Event()

    def stop(_context: AuditContext, _now: datetime) -> Mapping[str, int]:
        diary.turns.append("last")
        if diary.turns.count("last") == 3:
            stopped.set()
        return {}

    chores = [Chore(name="stop", every=timedelta(), act=stop), diary.make_chore("after")]
    run_until_stopped(chores, stopped, pause_seconds=0.0)

    assert diary.turns == ["last", "after", "last", "after", "last"]


def test_runner_that_lost_its_lock_does_no_more() -> None:
    diary = Diary()
    with hold_lock() as lock:
        cut_connection(lock)

        with pytest.raises(psycopg.OperationalError):
            run_rounds([diary.make_chore("a")], lock, threading.Event(), pause_seconds=0.0)
    assert diary.turns == []


def cut_connection(lock: UpkeepLock) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [lock._holder.info.backend_pid])


def test_waiting_runner_takes_over_when_the_other_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    diary, stopped, told = Diary(), threading.Event(), threading.Event()
    waiting = threading.Event()

    class Ear:
        """Says when the waiting runner has found the lock taken."""

        def filter(self, record: object) -> bool:
            if "another process" in str(getattr(record, "msg", "")):
                waiting.set()
            return True

    caplog.handler.addFilter(Ear().filter)

    def act(_context: AuditContext, _now: datetime) -> Mapping[str, int]:
        diary.turns.append("took over")
        stopped.set()
        told.set()
        return {}

    chores = [Chore(name="a", every=timedelta(), act=act)]
    with hold_lock():
        runner = threading.Thread(target=run_until_stopped, args=(chores, stopped), kwargs={"pause_seconds": 0.01})
        runner.start()
        assert waiting.wait(WAIT_SECONDS)
        assert diary.turns == []
    assert told.wait(WAIT_SECONDS)
    runner.join(WAIT_SECONDS)
    assert (diary.turns, runner.is_alive()) == (["took over"], False)

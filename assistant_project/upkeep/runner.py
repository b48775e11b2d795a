"""Runs chores one after the other. One that fails is logged and told, and never keeps the next from its turn."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from threading import Event

import psycopg
from django.db import close_old_connections
from django.utils import timezone

from assistant_project.upkeep.lock import LockTaken, UpkeepLock, hold_lock
from audit.context import AuditContext, build_system_context
from audit.enums import Origin

logger = logging.getLogger(__name__)


class ChoreUnfinished(Exception):
    """A chore did a part and could not do the rest; its next turn tries again.

    code     closed code of what was in the way
    counts   what was done
    """

    def __init__(self, code: str, counts: Mapping[str, int]) -> None:
        super().__init__(code)
        self.code = code
        self.counts = counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """One thing to do again and again; `act` is a whole, may be repeated at any time, and counts what it did.

    every   least time from one turn to the next
    """

    name: str
    every: timedelta
    act: Callable[[AuditContext, datetime], Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoreReport:
    """How one turn of a chore went; `fault` is the code or kind of what ended it, empty when all is done."""

    chore: str
    counts: Mapping[str, int] = field(default_factory=dict)
    fault: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def run_chore(chore: Chore) -> ChoreReport:
    """Do the chore once and say how it went, whatever happens."""
    context = build_system_context(Origin.COMMAND, f"upkeep.{chore.name}")
    started = time.monotonic()
    counts: Mapping[str, int] = {}
    fault = ""
    try:
        counts = chore.act(context, timezone.now())
    except ChoreUnfinished as error:
        counts, fault = error.counts, error.code
    except Exception as error:
        # The edge of a task: what one chore cannot do must not keep the others from being done.
        fault = type(error).__name__
        logger.exception("chore failed", extra={"chore": chore.name, "fault": fault})
    report = ChoreReport(chore=chore.name, counts=counts, fault=fault, seconds=round(time.monotonic() - started, 3))
    log_report(report)
    return report


def log_report(report: ChoreReport) -> None:
    """Tell what was done; turns in which nothing was due are told at DEBUG only."""
    is_worth_telling = report.fault or any(report.counts.values())
    level = logging.WARNING if report.fault else logging.INFO if is_worth_telling else logging.DEBUG
    logger.log(level, "chore done" if not report.fault else "chore unfinished", extra=report.to_json())


def run_once(chores: Sequence[Chore]) -> list[ChoreReport]:
    """Do every chore now. Raises: LockTaken, psycopg.OperationalError"""
    with hold_lock():
        return [run_chore(chore) for chore in chores]


def run_until_stopped(chores: Sequence[Chore], stopped: Event, *, pause_seconds: float) -> None:
    """Do each chore as often as it wants until `stopped`; the chore in progress is finished first.

    Any number of runners may be started: one works, the others wait for its lock. Outages of the database are waited
    out.

    pause_seconds   between two looks at what is due, and between two tries to get the lock
    """
    logger.info("upkeep started")
    while not stopped.is_set():
        try:
            with hold_lock() as lock:
                run_rounds(chores, lock, stopped, pause_seconds=pause_seconds)
        except LockTaken:
            logger.debug("another process does the upkeep")
        except psycopg.OperationalError:
            logger.warning("the database does not answer")
        stopped.wait(pause_seconds)
    logger.info("upkeep stopped")


def run_rounds(chores: Sequence[Chore], lock: UpkeepLock, stopped: Event, *, pause_seconds: float) -> None:
    """Do what is due, round by round, until `stopped`.

    Raises: psycopg.OperationalError when the lock is lost
    """
    last: dict[str, float] = {}
    while not stopped.is_set():
        for chore in list_due(chores, last):
            lock.prove()
            if stopped.is_set():
                return
            last[chore.name] = time.monotonic()
            run_chore(chore)
            # A connection that broke must not spoil the next chore, nor may one idle for the whole pause.
            close_old_connections()
        stopped.wait(pause_seconds)


def list_due(chores: Sequence[Chore], last: Mapping[str, float]) -> Iterator[Chore]:
    """Yield the chores whose time has come. last  when each began its last turn, by `time.monotonic`"""
    for chore in chores:
        began = last.get(chore.name)
        if began is None or time.monotonic() - began >= chore.every.total_seconds():
            yield chore

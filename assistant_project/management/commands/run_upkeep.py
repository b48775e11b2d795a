"""`manage.py run_upkeep`: every periodic chore, until SIGTERM; `--once`: all of them now.

Exit code of `--once`: 0 everything was done, 1 something was not, 75 another process is doing it (try later).
"""

import json
import os
import signal
import sys
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from assistant_project.upkeep.chores import CHORES
from assistant_project.upkeep.lock import LockTaken
from assistant_project.upkeep.runner import Chore, ChoreReport, run_once, run_until_stopped


class Command(BaseCommand):
    help = "Do every periodic chore again and again; any number may be started, one of them works."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="do every chore now and end")
        parser.add_argument("--only", nargs="+", choices=[chore.name for chore in CHORES], help="leave out the others")
        parser.add_argument("--json", action="store_true", help="with --once: print one JSON object per chore")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        chores = [chore for chore in CHORES if not options["only"] or chore.name in options["only"]]
        if options["once"]:
            self._run_once(chores, as_json=options["json"])
        else:
            run_until_stopped(chores, listen_to_signals(), pause_seconds=settings.UPKEEP_SECONDS)

    def _run_once(self, chores: list[Chore], *, as_json: bool) -> None:
        try:
            reports = run_once(chores)
        except LockTaken:
            raise CommandError("another process does the upkeep", returncode=os.EX_TEMPFAIL) from None
        for report in reports:
            self.stdout.write(json.dumps(report.to_json()) if as_json else describe_report(report))
        if any(report.fault for report in reports):
            sys.exit(1)


def describe_report(report: ChoreReport) -> str:
    done = ", ".join(f"{name}: {count}" for name, count in report.counts.items() if count) or "nothing was due"
    return f"{report.chore}: {done}" + (f"; unfinished: {report.fault}" if report.fault else "")


def listen_to_signals() -> Event:
    """Return the event that SIGTERM and Ctrl-C set."""
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    return stopped

import json
import os
import signal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from assistant_project.management.commands.run_upkeep import describe_report, listen_to_signals
from assistant_project.upkeep.lock import hold_lock
from assistant_project.upkeep.runner import ChoreReport

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("run_upkeep", *arguments, stdout=out)
    return out.getvalue()


def test_run_upkeep_once_says_what_was_done() -> None:
    assert run("--once", "--only", "transfers", "holds") == "transfers: nothing was due\nholds: nothing was due\n"


def test_run_upkeep_once_in_json_is_one_object_per_chore() -> None:
    report = json.loads(run("--once", "--json", "--only", "holds"))

    assert {**report, "seconds": 0} == {"chore": "holds", "counts": {"expired": 0}, "fault": "", "seconds": 0}


def test_run_upkeep_once_fails_when_a_chore_is_unfinished(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.GIGACHAT_CREDENTIALS = "not base64 of a pair"

    with pytest.raises(SystemExit) as caught:
        call_command("run_upkeep", "--once", "--only", "files")

    assert caught.value.code == 1
    assert capsys.readouterr().out == "files: nothing was due; unfinished: credentials_malformed\n"


def test_run_upkeep_once_beside_another_says_so_and_asks_to_try_later() -> None:
    with hold_lock(), pytest.raises(CommandError, match="another process") as caught:
        run("--once")

    assert caught.value.returncode == os.EX_TEMPFAIL


def test_describe_report_names_only_what_was_done() -> None:
    assert describe_report(ChoreReport(chore="x", counts={"a": 0, "b": 2})) == "x: b: 2"
    assert describe_report(ChoreReport(chore="x", fault="away")) == "x: nothing was due; unfinished: away"


def test_signals_stop_the_loop() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        stopped = listen_to_signals()
        assert not stopped.is_set()
        signal.raise_signal(signal.SIGTERM)
        assert stopped.is_set()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

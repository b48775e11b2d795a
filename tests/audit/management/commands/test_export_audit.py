"""The command writes whole private files or none, and says which option was wrong."""

import csv
import hashlib
import os
import resource
import stat
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.core.management import CommandError, call_command

from audit.enums import AuditAction
from audit.models import AuditEntry
from tests.factories.audit import fill_entries, make_entry

pytestmark = pytest.mark.django_db(transaction=True)


def run_export(**options: Any) -> str:
    """Run the command and return what it says to the terminal."""
    told = StringIO()
    call_command("export_audit", stderr=told, no_color=True, **options)
    return told.getvalue()


def test_export_to_a_file_writes_it_private_and_whole(tmp_path: Path) -> None:
    fill_entries(700)
    target = tmp_path / "audit.jsonl"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o644)

    told = run_export(output=str(target), **{"from": "2026-01-01", "to": "2026-01-01"})

    data = target.read_bytes()
    assert len(data.splitlines()) == 700
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert told == f"rows 700  sha256 {hashlib.sha256(data).hexdigest()}\n"
    assert list(tmp_path.iterdir()) == [target]


def test_export_filters_by_customer_action_and_conversation(tmp_path: Path) -> None:
    ids: dict[str, Any] = {"customer_id": UUID(int=1), "conversation_id": UUID(int=2)}
    wanted = make_entry(**ids)
    make_entry(AuditAction.ACCESS_DENIED, **ids)
    make_entry(customer_id=UUID(int=1))
    target = tmp_path / "audit.csv"

    run_export(
        format="csv",
        output=str(target),
        customer=str(UUID(int=1)),
        conversation=str(UUID(int=2)),
        action="demo.seeded",
    )

    with target.open(newline="", encoding="utf-8") as file:
        assert [row["id"] for row in csv.DictReader(file)] == [str(wanted.pk)]


def test_export_to_standard_output_prints_the_rows(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    entry = make_entry()

    run_export(action="demo.seeded")

    printed = capfdbinary.readouterr().out
    assert [orjson.loads(line)["id"] for line in printed.splitlines()] == [str(entry.pk)]


def test_export_is_recorded_with_its_actor(tmp_path: Path) -> None:
    run_export(output=str(tmp_path / "audit.jsonl"))

    entries = AuditEntry.objects.filter(action="audit.exported").order_by("occurred_at", "id")
    assert [(row.actor_kind, row.actor_id, row.origin) for row in entries] == [
        ("system", "export_audit", "command")
    ] * 2


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"from": "yesterday"}, "--from: expected an ISO date"),
        ({"to": "2026-13-01"}, "--to: expected an ISO date"),
        ({"customer": "42"}, "--customer: expected an id"),
        ({"conversation": "42"}, "--conversation: expected an id"),
        ({"action": "turn.exploded"}, "--action: expected one of: login.succeeded"),
        ({"from": "2026-01-02", "to": "2026-01-01"}, "--from: must lie before"),
        ({"output": "/nowhere/audit.jsonl"}, "--output: No such file or directory"),
        ({"output": "/tmp"}, "--output: Is a directory"),
    ],
)
def test_export_with_a_bad_option_names_it_and_records_nothing(options: dict[str, str], complaint: str) -> None:
    with pytest.raises(CommandError) as refused:
        run_export(**options)

    assert str(refused.value).startswith(complaint)
    assert not AuditEntry.objects.exists()


def test_export_to_a_full_disk_leaves_the_old_file_and_is_recorded_as_aborted(tmp_path: Path) -> None:
    fill_entries(3000)
    target = tmp_path / "audit.jsonl"
    target.write_text("old", encoding="utf-8")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))

    try:
        with pytest.raises(CommandError, match="--output: File too large"):
            run_export(output=str(target))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    last = AuditEntry.objects.filter(action="audit.exported").latest("occurred_at")
    assert orjson.loads(bytes(last.body))["details"]["stage"] == "aborted"
    assert [path.name for path in tmp_path.iterdir()] == ["audit.jsonl"]
    assert target.read_text(encoding="utf-8") == "old"


def test_export_to_a_pipe_writes_into_it_and_leaves_it_in_place(tmp_path: Path) -> None:
    make_entry()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Open for both, so that neither end waits for the other; one row fits into the pipe's buffer.
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)

    run_export(output=str(pipe), action="demo.seeded")

    assert len(os.read(reader, 65536).splitlines()) == 1
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)

"""An export is one snapshot, leaves two entries, and holds its memory and its place."""

import hashlib
import threading
import tracemalloc
from typing import Any
from uuid import UUID

import orjson
import psycopg
import pytest
from django.db import connection
from pytest_django import Settings

from audit.canonical import encode_canonical
from audit.context import build_system_context
from audit.enums import AuditAction, Origin
from audit.errors import TooManyExports
from audit.export.filters import EntryFilter, parse_filter
from audit.export.formats import ExportFormat
from audit.export.job import Export, open_export, slots
from audit.journal import compute_leaf
from audit.models import AuditEntry
from tests.factories.audit import fill_entries, make_entry

pytestmark = pytest.mark.django_db(transaction=True)

CONTEXT = build_system_context(Origin.COMMAND, "export_audit")
TURNS = EntryFilter(action=AuditAction.TURN_STARTED)


def open_sample(chosen: EntryFilter = TURNS, kind: ExportFormat = ExportFormat.JSONL) -> Export:
    return open_export(CONTEXT, chosen, kind=kind)


def list_export_details() -> list[dict[str, Any]]:
    entries = AuditEntry.objects.filter(action=AuditAction.AUDIT_EXPORTED).order_by("occurred_at", "id")
    return [{"outcome": row.outcome, **orjson.loads(bytes(row.body))["details"]} for row in entries]


def test_export_holds_every_matching_row_once_in_order_and_proves_it() -> None:
    fill_entries(3000)

    export = open_sample()
    data = b"".join(export)

    lines = [orjson.loads(line) for line in data.splitlines()]
    stored = AuditEntry.objects.filter(action="turn.started").order_by("occurred_at", "id")
    assert [UUID(line["id"]) for line in lines] == [row.pk for row in stored]
    assert all(compute_leaf(encode_canonical(line["body"])).hex() == line["digest"] for line in lines)
    assert (export.row_count, export.sha256) == (1000, hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("kind", list(ExportFormat))
def test_export_is_recorded_before_its_first_byte_and_after_its_last(kind: ExportFormat) -> None:
    make_entry(customer_id=UUID(int=1))
    export = open_sample(parse_filter({"customer": str(UUID(int=1)), "from": "2020-01-01"}), kind)

    assert [row["stage"] for row in list_export_details()] == ["started"]
    data = b"".join(export)

    since = "2020-01-01T00:00:00+00:00"
    # Its own first entry is about the same customer, so it is the second row.
    assert list_export_details() == [
        {"outcome": "ok", "stage": "started", "format": kind.value, "since": since},
        {
            "outcome": "ok",
            "stage": "finished",
            "format": kind.value,
            "since": since,
            "rows": 2,
            "sha256": hashlib.sha256(data).hexdigest(),
        },
    ]
    entries = AuditEntry.objects.filter(action="audit.exported")
    assert set(entries.values_list("subject_id", "customer_id")) == {(str(export.id), UUID(int=1))}


def test_export_of_nothing_is_empty_and_recorded() -> None:
    assert b"".join(open_sample()) == b""
    assert b"".join(open_sample(kind=ExportFormat.CSV)).startswith(b"id,occurred_at,")
    assert [row.get("rows") for row in list_export_details()] == [None, 0, None, 0]


def test_export_shows_one_moment_whatever_is_written_meanwhile() -> None:
    fill_entries(6000)
    chunks = iter(open_sample(EntryFilter(action=AuditAction.MODEL_ASKED)))

    first = next(chunks)
    make_entry(AuditAction.MODEL_ASKED, customer_id=UUID(int=1), conversation_id=UUID(int=2), turn_id=UUID(int=3))
    rest = b"".join(chunks)

    assert rest
    assert len((first + rest).splitlines()) == 2000
    assert AuditEntry.objects.filter(action="model.asked").count() == 2001


def test_export_closed_early_is_recorded_as_aborted() -> None:
    fill_entries(6000)
    chunks = iter(open_sample())

    next(chunks)
    chunks.close()

    last = list_export_details()[-1]
    assert (last["stage"], last["outcome"]) == ("aborted", "failed")
    assert 0 < last["rows"] < 2000


def test_export_whose_connection_is_killed_is_recorded_as_failed() -> None:
    fill_entries(6000)
    chunks = iter(open_sample())
    next(chunks)

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'audit-export'")
    with pytest.raises(psycopg.OperationalError):
        b"".join(chunks)

    last = list_export_details()[-1]
    assert (last["stage"], last["outcome"]) == ("failed", "failed")


def test_export_beyond_the_limit_is_refused_until_one_ends(settings: Settings) -> None:
    settings.AUDIT_EXPORT_LIMIT = 1
    fill_entries(6000)
    first, second = open_sample(), open_sample()
    chunks = iter(first)
    next(chunks)

    with pytest.raises(TooManyExports):
        open_sample()
    with pytest.raises(TooManyExports):
        next(iter(second))
    chunks.close()

    assert b"".join(open_sample())


def test_slots_are_never_more_than_the_limit(settings: Settings) -> None:
    settings.AUDIT_EXPORT_LIMIT = 3
    barrier, release, taken, refused = threading.Barrier(10), threading.Event(), [], []

    def take() -> None:
        barrier.wait(5)
        try:
            with slots.occupy():
                taken.append(1)
                release.wait(5)
        except TooManyExports:
            refused.append(1)
            if len(refused) == 7:
                release.set()

    threads = [threading.Thread(target=take) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert (len(taken), len(refused)) == (3, 7)


def measure_peak_bytes(kind: ExportFormat, until: str) -> tuple[int, int]:
    """Return the bytes an export wrote and the most memory Python held for it."""
    tracemalloc.start()
    try:
        written = sum(map(len, open_sample(parse_filter({"to": until}), kind)))
        return written, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", list(ExportFormat))
def test_export_of_ten_times_the_rows_needs_no_more_memory(kind: ExportFormat) -> None:
    fill_entries(30_000)
    small_bytes, small_peak = measure_peak_bytes(kind, "2026-01-01T00:50:01Z")

    large_bytes, large_peak = measure_peak_bytes(kind, "2026-01-02")

    assert large_bytes > 9 * small_bytes
    assert large_bytes > 10_000_000
    assert large_peak < 1.5 * small_peak + 500_000

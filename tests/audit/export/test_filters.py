"""Options are read strictly; a refusal names the option."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from audit.enums import AuditAction
from audit.errors import ExportRefused
from audit.export.filters import EntryFilter, describe_filter, parse_filter, select_entries
from tests.factories.audit import make_entry

CUSTOMER = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T15:00:00Z", datetime(2026, 1, 31, 15, tzinfo=UTC)),
        ("2026-01-31 15:00", datetime(2026, 1, 31, 15, tzinfo=UTC)),
        ("2026-01-31T18:00:00+03:00", datetime(2026, 1, 31, 15, tzinfo=UTC)),
        (" 2026-01-31T15:00:00.000001Z ", datetime(2026, 1, 31, 15, 0, 0, 1, tzinfo=UTC)),
        ("20260131", datetime(2026, 1, 31, tzinfo=UTC)),
        ("", None),
    ],
)
def test_parse_from_reads_iso_dates_and_times_as_utc(text: str, expected: datetime | None) -> None:
    assert parse_filter({"from": text}).since == expected


def test_parse_to_includes_a_day_and_leaves_out_a_time() -> None:
    assert parse_filter({"to": "2026-01-31"}).until == datetime(2026, 2, 1, tzinfo=UTC)
    assert parse_filter({"to": "2026-01-31T15:00:00Z"}).until == datetime(2026, 1, 31, 15, tzinfo=UTC)


def test_parse_reads_every_option() -> None:
    chosen = parse_filter(
        {
            "from": "2026-01-01",
            "to": "2026-01-01",
            "customer": str(CUSTOMER),
            "action": "turn.failed",
            "conversation": "",
        }
    )

    assert chosen == EntryFilter(
        since=datetime(2026, 1, 1, tzinfo=UTC),
        until=datetime(2026, 1, 2, tzinfo=UTC),
        customer_id=CUSTOMER,
        action=AuditAction.TURN_FAILED,
    )
    assert parse_filter({}) == EntryFilter()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("from", "yesterday"),
        ("from", "2026-02-30"),
        ("from", "31.01.2026"),
        ("to", "2026-01-31T25:00:00Z"),
        ("to", "9999-12-31"),
        ("customer", "42"),
        ("conversation", "'; DROP TABLE audit_auditentry"),
        ("action", "turn.exploded"),
    ],
)
def test_parse_an_unreadable_value_is_refused_by_the_name_of_its_option(option: str, value: str) -> None:
    with pytest.raises(ExportRefused) as refused:
        parse_filter({option: value})

    assert refused.value.option == option


@pytest.mark.parametrize("until", ["2026-01-30", "2026-01-31T00:00:00Z"])
def test_parse_a_period_that_ends_before_it_starts_is_refused(until: str) -> None:
    with pytest.raises(ExportRefused) as refused:
        parse_filter({"from": "2026-01-31", "to": until})

    assert refused.value.option == "from"


@pytest.mark.django_db
def test_select_takes_the_half_open_period_of_one_customer_action_and_conversation() -> None:
    start = datetime(2026, 1, 31, tzinfo=UTC)
    ids: dict[str, Any] = {"customer_id": CUSTOMER, "conversation_id": UUID(int=2)}
    inside = [make_entry(occurred_at=start + timedelta(hours=n), **ids) for n in (2, 0, 1)]
    make_entry(occurred_at=start + timedelta(hours=3), **ids)
    make_entry(occurred_at=start - timedelta(microseconds=1), **ids)
    make_entry(occurred_at=start, customer_id=UUID(int=9), conversation_id=UUID(int=2))
    make_entry(occurred_at=start, customer_id=CUSTOMER, conversation_id=UUID(int=9))
    make_entry(AuditAction.ACCESS_DENIED, occurred_at=start, **ids)

    chosen = EntryFilter(
        since=start,
        until=start + timedelta(hours=3),
        customer_id=CUSTOMER,
        conversation_id=UUID(int=2),
        action=AuditAction.DEMO_SEEDED,
    )

    assert list(select_entries(chosen)) == [inside[1], inside[2], inside[0]]


def test_describe_names_what_was_chosen() -> None:
    chosen = EntryFilter(since=datetime(2026, 1, 31, tzinfo=UTC), action=AuditAction.TURN_FAILED)

    assert describe_filter(chosen) == {"since": "2026-01-31T00:00:00+00:00", "action": "turn.failed"}

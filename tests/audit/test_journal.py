"""Entries commit with the act, refusals survive its rollback, and nothing that looks like text gets in."""

import hashlib
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from audit.context import AuditContext, build_system_context
from audit.enums import ActorKind, AuditAction, Origin, Outcome
from audit.errors import EntryRefused, OutsideTransaction, RefusalInsideTransaction
from audit.journal import build_entry, record_entries, record_entry, record_refusal
from audit.models import AuditEntry

CUSTOMER = UUID(int=1)
CONVERSATION = UUID(int=2)
TURN = UUID(int=3)
PHONE = AuditContext(
    actor_kind=ActorKind.CUSTOMER,
    actor_id=str(CUSTOMER),
    origin=Origin.WEBSOCKET,
    request_id="req-1",
    session_id="session-1",
    ip="198.51.100.7",
)
SYSTEM = build_system_context(Origin.ENGINE, "engine-1", "req-2")


def record_turn(**details: Any) -> AuditEntry:
    return record_entry(
        PHONE,
        AuditAction.TURN_STARTED,
        subject="turn",
        subject_id=str(TURN),
        customer_id=CUSTOMER,
        conversation_id=CONVERSATION,
        turn_id=TURN,
        details=details,
    )


def build_turn_entry() -> AuditEntry:
    ids = {"customer_id": CUSTOMER, "conversation_id": CONVERSATION, "turn_id": TURN}
    subject = ("turn", str(TURN))
    return build_entry(PHONE, AuditAction.TURN_STARTED, subject=subject, ids=ids, outcome=Outcome.OK, details={})


@pytest.mark.django_db
def test_record_entry_stores_body_digest_and_columns(settings: Settings) -> None:
    settings.AUDIT_LOG_NAME = "bank.example/log"

    record_turn(bytes=12, sum="abc", first=True, cached=None)

    entry = AuditEntry.objects.get()
    body = orjson.loads(bytes(entry.body))
    address = body["corr"].pop("ip")
    assert body == {
        "v": 1,
        "log": "bank.example/log",
        "id": str(entry.pk),
        "ts": entry.occurred_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "type": "turn.started",
        "actor": {"kind": "customer", "id": str(CUSTOMER)},
        "origin": "ws",
        "object": {"kind": "turn", "id": str(TURN)},
        "outcome": "ok",
        "corr": {
            "customer": str(CUSTOMER),
            "conversation": str(CONVERSATION),
            "turn": str(TURN),
            "request": "req-1",
            "session": "session-1",
        },
        "details": {"bytes": 12, "sum": "abc", "first": True, "cached": None},
    }
    assert len(address) == 32
    assert bytes(entry.digest) == hashlib.sha256(b"\x00" + bytes(entry.body)).digest()
    assert (entry.action, entry.outcome, entry.actor_kind, entry.actor_id) == (
        "turn.started",
        "ok",
        "customer",
        str(CUSTOMER),
    )
    assert (entry.origin, entry.subject, entry.subject_id, entry.request_id) == ("ws", "turn", str(TURN), "req-1")
    assert (entry.customer_id, entry.conversation_id, entry.turn_id) == (CUSTOMER, CONVERSATION, TURN)


@pytest.mark.django_db
def test_record_entry_keeps_the_address_out_of_the_row() -> None:
    record_turn()

    with connection.cursor() as cursor:
        cursor.execute("SELECT e::text, convert_from(body, 'UTF8') FROM audit_auditentry e")
        row, body = cursor.fetchone()
    assert PHONE.ip not in row
    assert PHONE.ip not in body


@pytest.mark.django_db(transaction=True)
def test_record_entry_outside_a_transaction_is_refused() -> None:
    with pytest.raises(OutsideTransaction, match=r"turn\.started"):
        record_turn()
    with pytest.raises(OutsideTransaction, match="record_entries"):
        record_entries([build_turn_entry()])

    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
def test_record_entries_writes_all_in_order_with_one_statement(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    made = [build_turn_entry(), build_turn_entry()]
    with django_assert_num_queries(1):
        record_entries(made)

    stored = list(AuditEntry.objects.order_by("pk"))
    assert [(bytes(entry.body), bytes(entry.digest)) for entry in stored] == [(e.body, e.digest) for e in made]
    assert all(entry.recorded_at for entry in stored)


@pytest.mark.django_db(transaction=True)
def test_record_entry_vanishes_with_the_act_and_the_refusal_stays() -> None:
    def act() -> None:
        with transaction.atomic():
            record_turn()
            raise PermissionError

    with pytest.raises(PermissionError):
        act()
    record_refusal(PHONE, AuditAction.ACCESS_DENIED, subject="conversation", subject_id=str(CONVERSATION))

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.outcome) == ("access.denied", "refused")


@pytest.mark.django_db(transaction=True)
def test_record_refusal_inside_a_transaction_is_refused() -> None:
    with transaction.atomic(), pytest.raises(RefusalInsideTransaction, match=r"access\.denied"):
        record_refusal(PHONE, AuditAction.ACCESS_DENIED, subject="conversation", subject_id="x")

    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_record_refusal_is_committed_when_it_returns() -> None:
    record_refusal(PHONE, AuditAction.ACCESS_DENIED, subject="page", subject_id="x", outcome=Outcome.FAILED)

    assert not connection.in_atomic_block
    assert AuditEntry.objects.get().outcome == "failed"


@pytest.mark.django_db
@pytest.mark.parametrize("missing", ["customer_id", "conversation_id", "turn_id"])
def test_record_entry_without_an_id_its_action_demands_is_refused(missing: str) -> None:
    ids: dict[str, Any] = {"customer_id": CUSTOMER, "conversation_id": CONVERSATION, "turn_id": TURN, missing: None}

    with pytest.raises(EntryRefused) as refused:
        record_entry(SYSTEM, AuditAction.TURN_FAILED, subject="turn", subject_id="x", **ids)

    assert refused.value.field == missing


@pytest.mark.django_db
def test_record_entry_without_a_detail_its_action_demands_is_refused() -> None:
    with pytest.raises(EntryRefused) as refused:
        record_entry(SYSTEM, AuditAction.AUDIT_EXPORTED, subject="export", subject_id="x", details={"stage": "started"})

    assert refused.value.field == "details.format"


@pytest.mark.django_db
def test_record_entry_with_an_unknown_action_is_refused() -> None:
    unknown: Any = "money.stolen"

    with pytest.raises(EntryRefused) as refused:
        record_entry(SYSTEM, unknown, subject="x", subject_id="x")

    assert refused.value.field == "action"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "details",
    [
        {"text": "Переведи маме 500 рублей"},
        {"text": "two words"},
        {"text": "да"},
        {"text": "x" * 257},
        {"text": "line\nfeed"},
        {"rate": 0.5},
        {"list": ["a"]},
        {"map": {"a": 1}},
        {"raw": b"bytes"},
        {"Key": 1},
        {"with space": 1},
        {"big": 2**53},
        {f"k{n}": n for n in range(33)},
    ],
)
def test_record_entry_with_details_that_are_no_tokens_is_refused(details: dict[str, Any]) -> None:
    with pytest.raises(EntryRefused) as refused:
        record_turn(**details)

    assert "Переведи" not in str(refused.value)
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("subject", "subject_id", "context"),
    [
        ("Turn", "x", SYSTEM),
        ("", "x", SYSTEM),
        ("turn", "Иван Петров", SYSTEM),
        ("turn", "x" * 257, SYSTEM),
        ("turn", "x", build_system_context(Origin.ENGINE, "a name")),
        ("turn", "x", build_system_context(Origin.ENGINE, "engine", "r" * 129)),
    ],
)
def test_record_entry_with_names_instead_of_ids_is_refused(
    subject: str, subject_id: str, context: AuditContext
) -> None:
    with pytest.raises(EntryRefused):
        record_entry(context, AuditAction.DEMO_SEEDED, subject=subject, subject_id=subject_id)


class Failure(StrEnum):
    SLOW = "upstream.timeout"


@pytest.mark.django_db
def test_record_entry_with_members_of_enumerations_stores_their_values() -> None:
    record_turn(error=Failure.SLOW, state=Outcome.FAILED)

    assert orjson.loads(bytes(AuditEntry.objects.get().body))["details"] == {
        "error": "upstream.timeout",
        "state": "failed",
    }

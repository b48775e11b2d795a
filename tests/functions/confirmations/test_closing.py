"""Questions that end without an execution, and what the database itself refuses."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.db import IntegrityError, transaction

from audit.models import AuditEntry
from functions.confirmations.closing import (
    cancel_confirmation,
    close_pending,
    expire_confirmation,
    list_due_confirmations,
)
from functions.enums import CallStatus, ConfirmationState
from functions.errors import ConfirmationDecided, ConfirmationNotFound
from functions.models import Confirmation
from tests.factories.accounts import make_customer
from tests.factories.confirmations import Phone
from tests.factories.ledger import NOW, build_context

pytestmark = pytest.mark.django_db
OVER = NOW + timedelta(seconds=120)


def read_end(asked: Confirmation) -> tuple[str, str, str]:
    """Return state, and status and code of the call, whose result must say the same."""
    asked.refresh_from_db()
    asked.call.refresh_from_db()
    assert orjson.loads(asked.call.result)["error"]["code"] == asked.call.code
    return asked.state, asked.call.status, asked.call.code


def test_expiry_is_a_move_of_its_own_at_its_time(asked: Confirmation) -> None:
    early = OVER - timedelta(seconds=1)
    assert list_due_confirmations(early) == []
    assert expire_confirmation(build_context(), confirmation_id=asked.pk, now=early) is None
    assert list_due_confirmations(OVER) == [asked]

    expired = expire_confirmation(build_context(), confirmation_id=asked.pk, now=OVER)

    assert expired == asked
    assert read_end(asked) == (ConfirmationState.EXPIRED, CallStatus.ERROR, "expired")
    assert AuditEntry.objects.filter(action="fn.expired", subject_id=str(asked.pk)).count() == 1
    assert expire_confirmation(build_context(), confirmation_id=asked.pk, now=OVER) is None
    assert expire_confirmation(build_context(), confirmation_id=uuid4(), now=OVER) is None
    assert list_due_confirmations(OVER) == []


@pytest.mark.parametrize(
    ("state", "code"), [(ConfirmationState.SUPERSEDED, "superseded"), (ConfirmationState.CANCELLED, "declined")]
)
def test_close_pending_ends_the_one_question_and_answers_its_call(
    asked: Confirmation, state: ConfirmationState, code: str
) -> None:
    closed = close_pending(build_context(), conversation_id=asked.conversation_id, state=state, now=NOW)

    assert closed == asked
    assert read_end(asked) == (state, CallStatus.ERROR, code)
    assert close_pending(build_context(), conversation_id=asked.conversation_id, state=state, now=NOW) is None
    assert close_pending(build_context(), conversation_id=uuid4(), state=state, now=NOW) is None


def test_cancel_withdraws_the_owners_question_only(asked: Confirmation, phone: Phone) -> None:
    own = {"customer_id": asked.customer_id, "conversation_id": asked.conversation_id}
    foreign: list[dict[str, Any]] = [
        {**own, "customer_id": make_customer().pk},
        {**own, "conversation_id": uuid4()},
        {**own, "confirmation_id": uuid4()},
    ]
    for where in foreign:
        with pytest.raises(ConfirmationNotFound):
            cancel_confirmation(build_context(), now=NOW, **where)

    cancelled = cancel_confirmation(build_context(), confirmation_id=asked.pk, now=NOW, **own)

    assert cancelled == asked
    assert read_end(asked) == (ConfirmationState.CANCELLED, CallStatus.ERROR, "declined")
    assert isinstance(phone.decide(asked).refusal, ConfirmationDecided)
    with pytest.raises(ConfirmationDecided):
        cancel_confirmation(build_context(), confirmation_id=asked.pk, now=NOW, **own)


CHANGES: list[dict[str, Any]] = [
    {"payload": b"{}"},
    {"digest": "x" * 43},
    {"nonce": "x" * 22},
    {"plan": {}},
    {"methods": "tap"},
    {"risk": 0},
    {"needs_step_up": True},
    {"needs_payee": True},
    {"expires_at": OVER + timedelta(hours=1)},
    {"customer_id": "other"},
    {"is_money": False},
    {"function": "other"},
]


@pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: next(iter(changes)))
def test_database_refuses_to_change_what_was_asked(asked: Confirmation, changes: dict[str, Any]) -> None:
    if "customer_id" in changes:
        changes = {"customer_id": make_customer().pk}
    with pytest.raises(IntegrityError, match="does not change"), transaction.atomic():
        Confirmation.objects.filter(pk=asked.pk).update(**changes)


MOVES: list[tuple[str, str]] = [
    ("declined", "pending"),
    ("declined", "cancelled"),
    ("expired", "pending"),
    ("cancelled", "expired"),
    ("superseded", "pending"),
    ("failed", "pending"),
    ("pending", "asked_again"),
]


@pytest.mark.parametrize(("before", "after"), MOVES)
def test_database_refuses_moves_backwards(asked: Confirmation, before: str, after: str) -> None:
    row = Confirmation.objects.filter(pk=asked.pk)
    row.update(state=before)
    with pytest.raises(IntegrityError, match="does not become"), transaction.atomic():
        row.update(state=after)


def delete(asked: Confirmation) -> None:
    Confirmation.objects.filter(pk=asked.pk).delete()


def insert_executed(asked: Confirmation) -> None:
    asked.pk, asked.nonce, asked.state = uuid4(), "n" * 22, ConfirmationState.CANCELLED
    asked.save(force_insert=True)


def decide_again(asked: Confirmation) -> None:
    row = Confirmation.objects.filter(pk=asked.pk)
    row.update(state=ConfirmationState.DECLINED, decided_at=NOW, decided_device="phone-1")
    row.update(decided_device="tablet")


def execute_without_money(asked: Confirmation) -> None:
    Confirmation.objects.filter(pk=asked.pk).update(state=ConfirmationState.EXECUTED, decided_at=NOW)


def cool_off_for_ever(asked: Confirmation) -> None:
    Confirmation.objects.filter(pk=asked.pk).update(state=ConfirmationState.COOLING_OFF, decided_at=NOW)


def ask_twice(asked: Confirmation) -> None:
    asked.pk, asked.nonce = uuid4(), "n" * 22
    asked.save(force_insert=True)


@pytest.mark.parametrize(
    "attack", [delete, insert_executed, decide_again, execute_without_money, cool_off_for_ever, ask_twice]
)
def test_database_refuses_rows_that_cannot_be(asked: Confirmation, attack: Callable[[Confirmation], None]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        attack(asked)

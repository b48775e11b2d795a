"""Who may say yes to what, and that everything else ends in no execution at all."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from pytest_django import Settings

from accounts.models import Account, Customer, DeviceSession, Operation
from accounts.services.device_keys import revoke_device_key
from accounts.services.sessions import close_session
from audit.models import AuditEntry
from functions.confirmations.checking import MAX_BAD_SIGNATURES
from functions.confirmations.device_signatures import build_signed_text
from functions.confirmations.outcomes import Decided
from functions.enums import CallStatus, ConfirmationState, Risk
from functions.errors import (
    ConfirmationDecided,
    ConfirmationError,
    ConfirmationExpired,
    ConfirmationMismatch,
    ConfirmationNotFound,
    ConfirmationSuperseded,
    DeviceRefused,
    SignatureRefused,
    StepUpNeeded,
    TooManySignatures,
)
from functions.models import Confirmation
from tests.device import Device
from tests.factories.accounts import make_customer
from tests.factories.confirmations import Phone, ask_block, ask_own_transfer, ask_phone_transfer, make_phone
from tests.factories.ledger import NOW, build_context, make_card, make_payee, read_books

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(seconds=10)


def count_executions(confirmation: Confirmation) -> int:
    return Operation.objects.filter(idem_key=str(confirmation.pk)).count()


def read_codes(confirmation: Confirmation) -> list[str]:
    """Return why decisions did not count, in the words of the evidence."""
    entries = AuditEntry.objects.filter(action="fn.confirm_refused", subject_id=str(confirmation.pk))
    return [orjson.loads(bytes(entry.body))["details"]["code"] for entry in entries.order_by("recorded_at", "pk")]


def expect_refused(decided: Decided, confirmation: Confirmation, kind: type[ConfirmationError], code: str) -> None:
    """The decision did not count, nothing was done, and it is on record why."""
    assert isinstance(decided.refusal, kind)
    assert (decided.receipt, decided.replacement, decided.needs_gateway) == (None, None, False)
    assert count_executions(confirmation) == 0
    assert read_codes(confirmation)[-1] == code


def test_approve_executes_once_and_answers_the_call(
    asked: Confirmation, phone: Phone, source: Account, target: Account
) -> None:
    decided = phone.decide(asked, now=LATER)

    asked.refresh_from_db()
    asked.call.refresh_from_db()
    operation = Operation.objects.get(idem_key=str(asked.pk))
    assert (decided.refusal, decided.needs_gateway) == (None, False)
    assert (asked.state, asked.operation, asked.decided_at) == (ConfirmationState.EXECUTED, operation, LATER)
    assert (asked.decided_device, asked.decided_kid) == ("phone-1", phone.row.kid)
    assert bytes(asked.signature or b"") != b""
    assert operation.confirmation == asked.pk
    assert (read_books(source)[0], read_books(target)[0]) == (50_000, 50_000)
    assert (asked.call.status, asked.call.result) == (CallStatus.OK, decided.call_result)
    assert orjson.loads(asked.call.result)["data"]["status"] == "executed"
    actions = AuditEntry.objects.filter(turn_id=asked.turn_id).order_by("recorded_at", "pk")
    assert [entry.action for entry in actions] == ["fn.confirm_asked", "fn.confirmed", "fn.executed"]


def test_approve_twice_executes_once(asked: Confirmation, phone: Phone, source: Account) -> None:
    phone.decide(asked)
    again = phone.decide(asked)

    assert isinstance(again.refusal, ConfirmationDecided)
    assert again.refusal.state == ConfirmationState.EXECUTED
    assert (count_executions(asked), read_books(source)[0]) == (1, 50_000)


def test_approve_from_two_phones_executes_once(asked: Confirmation, phone: Phone, customer: Customer) -> None:
    other = make_phone(customer, "tablet")
    assert other.decide(asked).refusal is None
    assert isinstance(phone.decide(asked).refusal, ConfirmationDecided)
    assert count_executions(asked) == 1


def test_reject_ends_it_and_the_model_is_told(asked: Confirmation, phone: Phone, source: Account) -> None:
    decided = phone.decide(asked, "reject")

    asked.refresh_from_db()
    asked.call.refresh_from_db()
    assert (asked.state, asked.decided_kid) == (ConfirmationState.DECLINED, phone.row.kid)
    assert decided.receipt is None
    assert orjson.loads(decided.call_result or "")["error"]["code"] == "declined"
    assert (asked.call.status, asked.call.code) == (CallStatus.ERROR, "declined")
    assert AuditEntry.objects.filter(action="fn.declined", subject_id=str(asked.pk)).count() == 1
    assert isinstance(phone.decide(asked).refusal, ConfirmationDecided)
    assert (count_executions(asked), read_books(source)[0]) == (0, 100_000)


def test_approve_after_expiry_is_refused(asked: Confirmation, phone: Phone) -> None:
    expect_refused(phone.decide(asked, now=asked.expires_at), asked, ConfirmationExpired, "expired")
    assert phone.decide(asked, now=asked.expires_at - timedelta(seconds=1)).refusal is None


def test_approve_of_a_superseded_question_is_refused(
    asked: Confirmation, phone: Phone, source: Account, target: Account
) -> None:
    ask_own_transfer(source, target, conversation_id=asked.conversation_id)
    expect_refused(phone.decide(asked), asked, ConfirmationSuperseded, "superseded")


def test_approve_with_an_old_hash_or_nonce_is_refused(
    asked: Confirmation, phone: Phone, source: Account, target: Account
) -> None:
    older = ask_own_transfer(source, target)
    for field, value in (("hash", older.digest), ("nonce", older.nonce), ("hash", "ы"), ("nonce", "")):
        changes: dict[str, Any] = {field: value}
        decided = phone.decide(asked, **changes)
        expect_refused(decided, asked, ConfirmationMismatch, "mismatch")
        assert isinstance(decided.refusal, ConfirmationMismatch)
        assert decided.refusal.field == field


def test_approve_from_another_conversation_is_refused(asked: Confirmation, phone: Phone) -> None:
    decided = phone.send(asked, phone.build_decision(asked), conversation_id=uuid4())
    expect_refused(decided, asked, ConfirmationNotFound, "not_found")
    assert decided.confirmation is None


def test_approve_by_another_customer_is_refused(asked: Confirmation) -> None:
    stranger = make_phone(make_customer())
    expect_refused(stranger.decide(asked), asked, ConfirmationNotFound, "not_found")


def test_approve_with_another_customers_key_is_refused(asked: Confirmation, phone: Phone) -> None:
    stranger = make_phone(make_customer(), "phone-2")
    sent = stranger.build_decision(asked)
    expect_refused(phone.send(asked, sent), asked, DeviceRefused, "device")


def test_approve_with_the_key_of_another_own_device_is_refused(
    asked: Confirmation, phone: Phone, customer: Customer
) -> None:
    sent = make_phone(customer, "tablet").build_decision(asked)
    expect_refused(phone.send(asked, sent), asked, DeviceRefused, "device")


def test_approve_without_a_key_is_refused(asked: Confirmation, phone: Phone) -> None:
    expect_refused(phone.decide(asked, kid="", sig=b""), asked, DeviceRefused, "device")


def test_approve_with_a_revoked_key_is_refused(asked: Confirmation, phone: Phone, customer: Customer) -> None:
    revoke_device_key(build_context(), customer_id=customer.pk, key_id=phone.row.pk, now=NOW)
    expect_refused(phone.decide(asked), asked, DeviceRefused, "device")


def test_approve_from_a_revoked_session_is_refused(asked: Confirmation, phone: Phone) -> None:
    close_session(build_context(), session_id=phone.session.pk)
    expect_refused(phone.decide(asked), asked, DeviceRefused, "device")


def test_approve_from_a_session_of_another_device_is_refused(
    asked: Confirmation, phone: Phone, customer: Customer
) -> None:
    tablet = make_phone(customer, "tablet")
    sent = phone.build_decision(asked)
    expect_refused(phone.send(asked, sent, session_id=tablet.session.pk), asked, DeviceRefused, "device")
    expect_refused(phone.send(asked, sent, session_id=uuid4()), asked, DeviceRefused, "device")


def test_approve_from_another_device_than_asked_is_refused_when_the_setting_says_so(
    asked: Confirmation, phone: Phone, settings: Settings
) -> None:
    settings.CONFIRM_DEVICES = "same_device"
    sent = phone.build_decision(asked)
    expect_refused(phone.send(asked, sent, asked_device="tablet"), asked, DeviceRefused, "device")
    expect_refused(phone.send(asked, sent), asked, DeviceRefused, "device")
    assert phone.send(asked, sent, asked_device="phone-1").refusal is None


SIGNED: list[Callable[[Phone, Confirmation], bytes]] = [
    lambda phone, asked: Device().sign(build_signed_text("approve", bytes(asked.payload))),
    lambda phone, asked: phone.device.sign(build_signed_text("reject", bytes(asked.payload))),
    lambda phone, asked: phone.device.sign(bytes(asked.payload)),
    lambda phone, asked: phone.device.sign(
        build_signed_text("approve", bytes(asked.payload).replace(b'"50000"', b'"10000"'))
    ),
    lambda phone, asked: b"",
    lambda phone, asked: b"\x00" * 64,
]


@pytest.mark.parametrize(
    "sign", SIGNED, ids=["other key", "reject turned", "no domain", "tampered terms", "nothing", "zeros"]
)
def test_approve_with_a_signature_of_something_else_is_refused_and_counted(
    asked: Confirmation, phone: Phone, sign: Callable[[Phone, Confirmation], bytes]
) -> None:
    decided = phone.decide(asked, sig=sign(phone, asked))

    expect_refused(decided, asked, SignatureRefused, "signature")
    asked.refresh_from_db()
    assert (asked.state, asked.bad_signatures) == (ConfirmationState.PENDING, 1)


def test_signature_of_another_question_is_refused(
    asked: Confirmation, phone: Phone, source: Account, target: Account
) -> None:
    other = ask_own_transfer(source, target)
    phone.decide(other)
    replayed = phone.build_decision(other)
    expect_refused(phone.decide(asked, sig=replayed.sig), asked, SignatureRefused, "signature")


def test_raw_signature_of_a_browser_is_taken(asked: Confirmation, phone: Phone) -> None:
    raw = phone.device.sign_raw(build_signed_text("approve", bytes(asked.payload)))
    assert phone.decide(asked, sig=raw).refusal is None


def test_fifth_bad_signature_ends_the_question(asked: Confirmation, phone: Phone) -> None:
    refusals = [phone.decide(asked, sig=b"x") for _ in range(MAX_BAD_SIGNATURES)]

    left = [one.refusal.attempts_left for one in refusals if isinstance(one.refusal, SignatureRefused)]
    assert left == [4, 3, 2, 1]
    assert isinstance(refusals[-1].refusal, TooManySignatures)
    asked.refresh_from_db()
    asked.call.refresh_from_db()
    assert (asked.state, asked.bad_signatures) == (ConfirmationState.CANCELLED, 5)
    assert (asked.call.status, asked.call.result) == (CallStatus.ERROR, refusals[-1].call_result)
    assert read_codes(asked) == ["signature"] * 4 + ["attempts"]
    assert isinstance(phone.decide(asked).refusal, ConfirmationDecided)
    assert count_executions(asked) == 0


def test_reject_without_a_signature_needs_a_device_without_a_key(
    asked: Confirmation, phone: Phone, customer: Customer
) -> None:
    expect_refused(phone.decide(asked, "reject", kid="", sig=b""), asked, DeviceRefused, "device")
    revoke_device_key(build_context(), customer_id=customer.pk, key_id=phone.row.pk, now=NOW)

    assert phone.decide(asked, "reject", kid="", sig=b"").refusal is None
    asked.refresh_from_db()
    assert (asked.state, asked.decided_kid, asked.signature) == (ConfirmationState.DECLINED, "", None)


def test_approve_of_high_risk_needs_a_fresh_password(source: Account, target: Account, phone: Phone) -> None:
    asked = ask_own_transfer(source, target, risk=Risk.HIGH)
    DeviceSession.objects.filter(pk=phone.session.pk).update(stepped_up_at=NOW - timedelta(seconds=291))
    expect_refused(phone.decide(asked, now=LATER), asked, StepUpNeeded, "step_up")

    DeviceSession.objects.filter(pk=phone.session.pk).update(stepped_up_at=NOW - timedelta(seconds=290))
    assert phone.decide(asked, now=LATER).refusal is None


def test_reject_of_high_risk_needs_no_fresh_password(source: Account, target: Account, phone: Phone) -> None:
    asked = ask_own_transfer(source, target, risk=Risk.HIGH)
    DeviceSession.objects.filter(pk=phone.session.pk).update(stepped_up_at=NOW - timedelta(days=1))
    assert phone.decide(asked, "reject").refusal is None


def test_payee_who_is_not_proven_must_be_typed(source: Account, customer: Customer, phone: Phone) -> None:
    payee = make_payee(customer, "+70000000201")
    asked = ask_phone_transfer(source, payee, risk=Risk.HIGH, needs_payee=True)

    for typed in (None, "", "+70000000202", "Иван", "0201"):
        decided = phone.decide(asked, payee=typed)
        expect_refused(decided, asked, ConfirmationMismatch, "mismatch")
        assert isinstance(decided.refusal, ConfirmationMismatch)
        assert decided.refusal.field == "payee"
    assert phone.decide(asked, payee="8 (000) 000-02-01").refusal is None
    assert count_executions(asked) == 1


def test_tap_is_enough_for_no_risk(source: Account, phone: Phone) -> None:
    card = make_card(source)
    asked = ask_block(card)

    decided = phone.decide(asked, kid="", sig=b"")

    asked.refresh_from_db()
    card.refresh_from_db()
    assert (decided.refusal, asked.state, asked.operation_id, card.status) == (
        None,
        ConfirmationState.EXECUTED,
        None,
        "lost",
    )
    assert decided.receipt is not None
    assert (decided.receipt.op, decided.receipt.status) == (None, "done")


def test_refused_decisions_tell_nothing_of_the_device_in_evidence(asked: Confirmation, phone: Phone) -> None:
    phone.decide(asked, sig=b"x")
    body = bytes(AuditEntry.objects.get(action="fn.confirm_refused").body).decode()
    assert "phone-1" not in body


def test_decision_names_no_secret_when_printed(asked: Confirmation, phone: Phone) -> None:
    sent: Any = phone.build_decision(asked, payee="+70000000201")
    assert "0201" not in repr(sent)

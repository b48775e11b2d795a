"""What a yes leads to when the bank says no, says later, or says something else than the customer saw."""

from datetime import timedelta

import orjson
import pytest

from accounts.device_signatures import decode_base64url, is_signature_right
from accounts.enums import AccountStatus, LimitPeriod
from accounts.models import Account, Bill, Customer, FlaggedTarget, Operation, Payee, RefusedOrder, Suspension
from accounts.services.accounts import freeze_account
from accounts.services.transfers import submit_own_transfer
from audit.models import AuditEntry
from functions.confirmations.asking import list_superseded
from functions.confirmations.closing import cancel_confirmation
from functions.confirmations.cooling import ask_again, list_cooled
from functions.confirmations.outcomes import Decided
from functions.confirmations.receipts import Receipt
from functions.confirmations.server_key import RECEIPT_DOMAIN, get_public_keys
from functions.enums import CallStatus, ConfirmationState
from functions.errors import ConfirmationDecided, ConfirmationSuperseded
from functions.handles import HandleTable
from functions.models import Confirmation
from tests.factories.confirmations import Phone, ask_bill, ask_own_transfer, ask_phone_transfer
from tests.factories.ledger import (
    NOW,
    build_context,
    build_own_transfer,
    make_account,
    make_bill,
    make_payee,
    read_books,
    set_limit,
    set_tariff,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(seconds=10)


@pytest.fixture
def source(customer: Customer) -> Account:
    return make_account(customer, balance=1_000_000)


@pytest.fixture
def payee(customer: Customer) -> Payee:
    return make_payee(customer)


def count_executions(confirmation: Confirmation) -> int:
    return Operation.objects.filter(idem_key=str(confirmation.pk)).count()


def read_code(decided: Decided) -> str:
    """Return the code of the error that the model was told."""
    code: str = orjson.loads(decided.call_result or "")["error"]["code"]
    return code


def read_receipt(receipt: Receipt | None) -> dict[str, str]:
    """Return what the receipt says after checking our signature on it."""
    assert receipt is not None
    key = get_public_keys()[receipt.kid]
    assert is_signature_right(key, decode_base64url(receipt.ssig), RECEIPT_DOMAIN + receipt.receipt.encode())
    body: dict[str, str] = orjson.loads(receipt.receipt)
    return body


def test_receipt_of_a_transfer_repeats_the_terms_and_is_signed(source: Account, target: Account, phone: Phone) -> None:
    asked = ask_own_transfer(source, target)

    decided = phone.decide(asked, now=LATER)

    asked.refresh_from_db()
    assert asked.operation is not None
    assert read_receipt(decided.receipt) == {
        "v": 1,
        "confirm": str(asked.pk),
        "op": str(asked.operation.public_id),
        "act": "transfer_own",
        "status": "done",
        "at": "2026-11-01T12:00:10.000000Z",
        "from": str(source.public_id),
        "from_name": f"Текущий ··{source.last4}",
        "to": str(target.public_id),
        "to_name": f"Текущий ··{target.last4}",
        "amt": "50000",
        "ccy": "RUB",
        "fee": "0",
    }


def test_refusal_of_the_bank_ends_the_confirmation_for_good(source: Account, target: Account, phone: Phone) -> None:
    asked = ask_own_transfer(source, target, 1_000_001)

    decided = phone.decide(asked)

    asked.refresh_from_db()
    asked.call.refresh_from_db()
    assert (asked.state, asked.code, asked.operation) == (ConfirmationState.FAILED, "insufficient_funds", None)
    assert (asked.call.status, asked.call.code) == (CallStatus.ERROR, "insufficient_funds")
    assert read_code(decided) == "insufficient_funds"
    receipt = read_receipt(decided.receipt)
    assert (receipt["status"], receipt["code"], "op" in receipt) == ("failed", "insufficient_funds", False)
    assert RefusedOrder.objects.get().idem_key == str(asked.pk)
    assert AuditEntry.objects.filter(action="transfer.refused", subject_id=str(asked.pk)).count() == 1
    assert isinstance(phone.decide(asked).refusal, ConfirmationDecided)
    assert (count_executions(asked), read_books(source)[0]) == (0, 1_000_000)


def test_account_frozen_after_the_question_is_refused(source: Account, target: Account, phone: Phone) -> None:
    asked = ask_own_transfer(source, target)
    freeze_account(build_context(), account_id=target.public_id, status=AccountStatus.BLOCKED, reason="court_order")
    assert read_code(phone.decide(asked)) == "account_unavailable"
    assert read_books(source)[0] == 1_000_000


def test_cap_used_up_after_the_question_is_refused(source: Account, target: Account, phone: Phone) -> None:
    set_limit("own_transfer", LimitPeriod.DAY, 60_000)
    asked = ask_own_transfer(source, target)
    submit_own_transfer(build_context(), order=build_own_transfer(source, target, 20_000), now=NOW)
    assert read_code(phone.decide(asked)) == "cap_exceeded"
    assert count_executions(asked) == 0


def test_fee_that_appeared_supersedes_and_asks_anew(source: Account, target: Account, phone: Phone) -> None:
    asked = ask_own_transfer(source, target)
    set_tariff("own_transfer", rate_bp=100)

    decided = phone.decide(asked, now=LATER)

    asked.refresh_from_db()
    asked.call.refresh_from_db()
    fresh = decided.replacement
    assert fresh is not None
    assert (asked.state, asked.decided_kid) == (ConfirmationState.SUPERSEDED, phone.row.kid)
    assert (decided.call_result, decided.receipt, asked.call.status) == (None, None, CallStatus.WAITING)
    assert (fresh.replaces, fresh.call, fresh.state) == (asked, asked.call, ConfirmationState.PENDING)
    assert fresh.nonce != asked.nonce
    assert orjson.loads(bytes(fresh.payload))["fee"] == "500"
    assert list_superseded(fresh) == []
    assert (count_executions(asked), read_books(source)[0]) == (0, 1_000_000)
    assert isinstance(phone.decide(asked).refusal, ConfirmationSuperseded)

    again = phone.decide(fresh, now=LATER)

    assert orjson.loads(again.call_result or "")["data"]["status"] == "executed"
    assert (count_executions(fresh), read_books(source)[0]) == (1, 949_500)


def test_payee_renamed_after_the_question_supersedes(source: Account, payee: Payee, phone: Phone) -> None:
    asked = ask_phone_transfer(source, payee)
    Payee.objects.filter(pk=payee.pk).update(shown_name="Олег К.")

    fresh = phone.decide(asked).replacement

    assert fresh is not None
    assert orjson.loads(bytes(fresh.payload))["to_name"] == "Олег К."
    assert read_books(source) == (1_000_000, 1_000_000, 1_000_000)


def test_bill_that_asks_for_another_sum_supersedes(source: Account, customer: Customer, phone: Phone) -> None:
    bill = make_bill(customer, 30_000)
    asked = ask_bill(source, bill)
    Bill.objects.filter(pk=bill.pk).update(amount_minor=90_000)

    fresh = phone.decide(asked).replacement

    assert fresh is not None
    assert orjson.loads(bytes(fresh.payload))["amt"] == "90000"
    assert read_books(source) == (1_000_000, 1_000_000, 1_000_000)


def test_function_of_another_version_executes_nothing(source: Account, target: Account, phone: Phone) -> None:
    asked = ask_own_transfer(source, target)
    old = ask_own_transfer(source, target)
    for row, changes in ((asked, {"version": 99}), (old, {"function": "gone"})):
        copy = Confirmation.objects.get(pk=row.pk)
        for name, value in changes.items():
            setattr(copy, name, value)
        Confirmation.objects.filter(pk=row.pk).update(state=ConfirmationState.CANCELLED)
        copy.pk, copy.nonce, copy.state = None, f"{row.nonce[:-2]}zz", ConfirmationState.PENDING
        copy.save(force_insert=True)
        decided = phone.decide(copy)
        assert (read_code(decided), decided.replacement) == ("superseded", None)
        assert count_executions(copy) == 0
    assert read_books(source)[0] == 1_000_000


def test_suspended_transfer_cools_off_and_is_asked_again_and_passes_once(
    source: Account, payee: Payee, phone: Phone
) -> None:
    FlaggedTarget.objects.create(target_digest=payee.target_digest, listed_on=NOW.date())
    asked = ask_phone_transfer(source, payee)

    decided = phone.decide(asked, now=LATER)

    asked.refresh_from_db()
    due_at = LATER + timedelta(hours=48)
    assert (asked.state, asked.due_at, asked.operation) == (ConfirmationState.COOLING_OFF, due_at, None)
    error = orjson.loads(decided.call_result or "")["error"]
    assert (error["code"], error["until"]) == ("suspended", due_at.isoformat(timespec="seconds"))
    named = HandleTable.load(asked.conversation_id, asked.customer_id).find(error["confirm"])
    assert named is not None
    assert (error["confirm"], named.reference) == ("confirm_1", str(asked.pk))
    receipt = read_receipt(decided.receipt)
    assert (receipt["status"], receipt["until"]) == ("cooling_off", "2026-11-03T12:00:10.000000Z")
    assert Suspension.objects.get().until == due_at
    assert read_books(source) == (1_000_000, 1_000_000, 1_000_000)
    assert list_cooled(due_at - timedelta(seconds=1)) == []
    assert ask_again(build_context(), confirmation_id=asked.pk, now=due_at - timedelta(seconds=1)) is None
    assert list_cooled(due_at) == [asked]

    fresh = ask_again(build_context(), confirmation_id=asked.pk, now=due_at)

    asked.refresh_from_db()
    assert fresh is not None
    assert (asked.state, fresh.replaces_id, fresh.plan) == (ConfirmationState.ASKED_AGAIN, asked.pk, asked.plan)
    assert ask_again(build_context(), confirmation_id=asked.pk, now=due_at) is None
    again = phone.decide(fresh, now=due_at + timedelta(seconds=5))
    assert (again.refusal, again.needs_gateway, again.call_result) == (None, True, None)
    assert count_executions(fresh) == 1
    assert Suspension.objects.get().released_at is not None


def test_suspended_transfer_can_be_withdrawn(source: Account, payee: Payee, phone: Phone) -> None:
    FlaggedTarget.objects.create(target_digest=payee.target_digest, listed_on=NOW.date())
    asked = ask_phone_transfer(source, payee)
    phone.decide(asked)

    cancelled = cancel_confirmation(
        build_context(), customer_id=asked.customer_id, conversation_id=asked.conversation_id, now=LATER
    )

    assert (cancelled.pk, cancelled.state) == (asked.pk, ConfirmationState.CANCELLED)
    assert list_cooled(NOW + timedelta(days=3)) == []

"""Payments that leave the house: the gateway accepts, refuses, is silent, answers late, twice, otherwise."""

from datetime import datetime, timedelta
from functools import partial

import orjson
import pytest

from accounts.gateways.installed import get_gateway
from accounts.models import Account, Bill, Customer, GatewayOrder, Operation
from accounts.services.gateway_orders import reconcile_transfers
from accounts.services.idempotency import retry_transaction
from audit.models import AuditEntry
from functions.confirmations.outcomes import Decided
from functions.confirmations.settling import ask_gateway, list_unsettled, settle_confirmation
from functions.enums import CallStatus, ConfirmationState
from functions.models import Confirmation
from tests.factories.confirmations import Phone, ask_bill, ask_phone_transfer
from tests.factories.ledger import NOW, build_context, make_bill, make_payee, read_books

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(seconds=20)
MUCH_LATER = NOW + timedelta(minutes=10)


def ask_transfer(source: Account, customer: Customer, ending: str = "01") -> Confirmation:
    """Return a question about 500 roubles to a phone; its last two digits choose the gateway's behaviour."""
    return ask_phone_transfer(source, make_payee(customer, f"+700000002{ending}"))


def settle(asked: Confirmation, now: datetime = NOW) -> Decided | None:
    act = partial(settle_confirmation, build_context(), confirmation_id=asked.pk, now=now)
    return retry_transaction(act)


def finish(asked: Confirmation, now: datetime = NOW) -> Decided | None:
    """Do what the handler does after the commit of the decision."""
    ask_gateway(build_context(), confirmation_id=asked.pk, now=now)
    return settle(asked, now)


def reconcile(now: datetime) -> None:
    reconcile_transfers(build_context(), gateway=get_gateway(), now=now)


def read_status(decided: Decided | None) -> tuple[str | None, str | None]:
    """Return what the model is told, and what the receipt says."""
    assert decided is not None
    told = orjson.loads(decided.call_result) if decided.call_result else None
    model = None if told is None else told["data"]["status"] if told["ok"] else told["error"]["code"]
    return model, decided.receipt.status if decided.receipt else None


def count_operations(asked: Confirmation) -> int:
    return Operation.objects.filter(idem_key=str(asked.pk)).count()


def test_accepted_transfer_is_done_once(source: Account, customer: Customer, phone: Phone) -> None:
    asked = ask_transfer(source, customer)

    decided = phone.decide(asked)

    asked.refresh_from_db()
    asked.call.refresh_from_db()
    assert (asked.state, asked.call.status, decided.needs_gateway) == (
        ConfirmationState.PROCESSING,
        CallStatus.WAITING,
        True,
    )
    assert (decided.call_result, decided.receipt) == (None, None)
    assert read_books(source) == (100_000, 50_000, 50_000)
    assert read_status(finish(asked)) == ("executed", "done")
    asked.refresh_from_db()
    asked.call.refresh_from_db()
    assert (asked.state, asked.outcome, asked.call.status) == (ConfirmationState.EXECUTED, "", CallStatus.OK)
    assert (read_books(source)[0], count_operations(asked)) == (50_000, 1)
    assert (finish(asked), list_unsettled(MUCH_LATER)) == (None, [])
    entry = AuditEntry.objects.get(action="fn.executed", turn_id=asked.turn_id)
    assert asked.operation is not None
    details = orjson.loads(bytes(entry.body))["details"]
    assert (details["confirmation"], details["operation"]) == (str(asked.pk), str(asked.operation.public_id))


def test_refused_transfer_gives_the_money_back(source: Account, customer: Customer, phone: Phone) -> None:
    asked = ask_transfer(source, customer, "91")
    phone.decide(asked)

    assert read_status(finish(asked)) == ("declined", "failed")

    asked.refresh_from_db()
    assert (asked.state, asked.code) == (ConfirmationState.FAILED, "declined")
    assert read_books(source) == (100_000, 100_000, 100_000)
    assert finish(asked) is None


def test_silent_gateway_is_told_as_processing_once_and_a_late_yes_is_only_a_receipt(
    source: Account, customer: Customer, phone: Phone
) -> None:
    asked = ask_transfer(source, customer, "92")
    phone.decide(asked)

    assert read_status(finish(asked)) == ("processing", "processing")
    assert (finish(asked), list_unsettled(MUCH_LATER)) == (None, [])
    reconcile(LATER + timedelta(minutes=1))
    assert settle(asked) is None
    reconcile(LATER + timedelta(minutes=3))

    assert list_unsettled(MUCH_LATER) == [asked]
    assert read_status(settle(asked)) == (None, "done")
    asked.call.refresh_from_db()
    assert orjson.loads(asked.call.result)["data"]["status"] == "processing", "what the model was told stays"
    assert (list_unsettled(MUCH_LATER), settle(asked), read_books(source)[0]) == ([], None, 50_000)


def test_silent_gateway_that_had_refused_is_only_a_receipt(source: Account, customer: Customer, phone: Phone) -> None:
    asked = ask_transfer(source, customer, "93")
    phone.decide(asked)
    assert read_status(finish(asked)) == ("processing", "processing")

    reconcile(LATER + timedelta(minutes=1))

    assert read_status(settle(asked)) == (None, "failed")
    assert read_books(source) == (100_000, 100_000, 100_000)


@pytest.mark.parametrize("ending", ["94", "96", "98"])
def test_lost_late_and_silent_gateways_never_pay_twice(
    source: Account, customer: Customer, phone: Phone, ending: str
) -> None:
    asked = ask_transfer(source, customer, ending)
    phone.decide(asked)
    assert read_status(finish(asked)) == ("processing", "processing")

    for minutes in range(1, 4):
        reconcile(LATER + timedelta(minutes=minutes))
        settle(asked)

    asked.refresh_from_db()
    is_silent = ending == "98"
    assert asked.state == (ConfirmationState.PROCESSING if is_silent else ConfirmationState.EXECUTED)
    assert read_books(source)[0] == (100_000 if is_silent else 50_000)
    assert (read_books(source)[1], count_operations(asked)) == (50_000, 1)


@pytest.mark.parametrize("ending", ["95", "97"])
def test_second_answer_of_the_gateway_changes_nothing(
    source: Account, customer: Customer, phone: Phone, ending: str
) -> None:
    asked = ask_transfer(source, customer, ending)
    phone.decide(asked)
    assert read_status(finish(asked)) == ("executed", "done")

    reconcile(LATER + timedelta(minutes=1))

    assert (settle(asked), read_books(source)[0], count_operations(asked)) == (None, 50_000, 1)
    asked.refresh_from_db()
    assert asked.state == ConfirmationState.EXECUTED


def test_crash_after_the_commit_is_found_by_the_sweeper(source: Account, customer: Customer, phone: Phone) -> None:
    asked = ask_transfer(source, customer)
    phone.decide(asked)

    assert list_unsettled(NOW + timedelta(seconds=14)) == [], "whoever decided is still at it"
    assert list_unsettled(NOW + timedelta(seconds=15)) == [asked]
    assert read_status(finish(asked, LATER)) == ("executed", "done")
    assert GatewayOrder.objects.get().attempts == 1


def test_bill_is_paid_by_the_biller_only(source: Account, customer: Customer, phone: Phone) -> None:
    paid, refused = make_bill(customer, 20_000), make_bill(customer, 30_000, reference="0000000091")
    for bill in (paid, refused):
        asked = ask_bill(source, bill)
        phone.decide(asked)
        assert Bill.objects.get(pk=bill.pk).status == "processing"
        finish(asked)

    assert [bill.status for bill in Bill.objects.order_by("amount_minor")] == ["paid", "unpaid"]
    assert read_books(source) == (80_000, 80_000, 80_000)


def test_own_transfer_is_nothing_for_the_gateway(source: Account, customer: Customer, phone: Phone) -> None:
    asked = ask_transfer(source, customer)
    assert finish(asked) is None, "not decided yet"

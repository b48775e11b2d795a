from datetime import timedelta

import pytest

from accounts.enums import LimitPeriod
from accounts.errors import CurrencyMismatch, InsufficientFunds, NotFound, NotReversible
from accounts.gateways.demo import DemoGateway
from accounts.ledger_check import check_ledger
from accounts.models import AccountLine, CapUsage, Operation, RefusedOrder
from accounts.money import Money
from accounts.orders import RefundOrder, ReversalOrder
from accounts.services.card_payments import clear_card_purchase, submit_card_purchase
from accounts.services.outgoing import submit_bill_payment, submit_sbp_transfer
from accounts.services.reversals import refund_operation, reverse_operation, submit_refund, submit_reversal
from accounts.services.transfers import submit_own_transfer
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    NOW,
    build_bill_payment,
    build_context,
    build_own_transfer,
    build_purchase,
    build_sbp_transfer,
    get_holder_id,
    make_account,
    make_bill,
    make_card,
    make_payee,
    read_actions,
    read_books,
    set_limit,
    set_tariff,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=3)


def build_reversal(operation: Operation, key: str = "reversal") -> ReversalOrder:
    return ReversalOrder(
        customer_id=operation.customer_id,
        idempotency_key=key,
        operation=operation.public_id,
        reason="mistake",
        comment="см. обращение 17",
    )


def build_refund(operation: Operation, minor: int, key: str = "") -> RefundOrder:
    return RefundOrder(
        customer_id=operation.customer_id,
        idempotency_key=key or f"refund-{minor}",
        operation=operation.public_id,
        amount=Money(minor),
    )


def test_reversal_takes_transfer_and_fee_back_once() -> None:
    set_tariff("own_transfer", rate_bp=100)
    source = make_account(balance=10_000)
    target = make_account(source.customer)
    transfer = submit_own_transfer(build_context(), order=build_own_transfer(source, target, 5_000), now=NOW)
    assert (read_books(source)[0], read_books(target)[0]) == (4_950, 5_000)

    reversal = submit_reversal(build_context(), order=build_reversal(transfer), now=LATER)
    again = submit_reversal(build_context(), order=build_reversal(transfer), now=LATER)

    assert (reversal.pk, reversal.reverses_id, reversal.description) == (again.pk, transfer.pk, "см. обращение 17")
    assert (read_books(source)[0], read_books(target)[0]) == (10_000, 0)
    transfer.refresh_from_db()
    assert (transfer.status, reversal.status) == ("reversed", "posted")
    assert read_actions(reversal) == [("operation.reversed", "ok")]
    categories = AccountLine.objects.filter(operation=reversal).order_by("pk").values_list("category", flat=True)
    assert set(categories) == {"own_transfers"}
    assert check_ledger(now=LATER) == []

    with pytest.raises(NotReversible):
        submit_reversal(build_context(), order=build_reversal(transfer, "second"), now=LATER)


def test_reversal_of_money_that_is_gone_is_refused_and_stored() -> None:
    source = make_account(balance=10_000)
    target = make_account(source.customer)
    transfer = submit_own_transfer(build_context(), order=build_own_transfer(source, target, 5_000), now=NOW)
    submit_own_transfer(build_context(), order=build_own_transfer(target, source, 1), now=NOW)

    with pytest.raises(InsufficientFunds):
        submit_reversal(build_context(), order=build_reversal(transfer), now=LATER)

    transfer.refresh_from_db()
    assert transfer.status == "posted"
    assert RefusedOrder.objects.get(idem_key="reversal").code == "insufficient_funds"


def test_reversal_of_a_bill_makes_it_unpaid_and_of_a_transfer_gives_the_cap_back() -> None:
    customer = make_customer()
    source = make_account(customer, balance=1_000_000)
    set_limit("sbp_out", LimitPeriod.MONTH, 100_000)
    bill = make_bill(customer, 300_000)
    gateway = DemoGateway()
    payment = submit_bill_payment(build_context(), order=build_bill_payment(source, bill), gateway=gateway, now=NOW)
    order = build_sbp_transfer(source, make_payee(customer), 100_000)
    transfer = submit_sbp_transfer(build_context(), order=order, gateway=gateway, now=NOW)

    for number, operation in enumerate((payment, transfer)):
        reverse_operation(build_context(), order=build_reversal(operation, f"reversal-{number}"), now=LATER)

    bill.refresh_from_db()
    assert (bill.status, bill.paid_at, read_books(source)[0]) == ("unpaid", None, 1_000_000)
    assert CapUsage.objects.get(code="sbp_out.month").used_minor == 0
    assert check_ledger(now=LATER) == []


def test_refunds_never_pass_what_was_paid() -> None:
    card = make_card(make_account(balance=10_000))
    purchase = submit_card_purchase(build_context(), order=build_purchase(card, 6_000), now=NOW)
    with pytest.raises(NotReversible):
        submit_refund(build_context(), order=build_refund(purchase, 1), now=LATER)
    clear_card_purchase(build_context(), operation=purchase, amount=Money(5_000), now=NOW)

    for minor in (2_000, 2_999):
        refund = submit_refund(build_context(), order=build_refund(purchase, minor), now=LATER)
    with pytest.raises(NotReversible):
        submit_refund(build_context(), order=build_refund(purchase, 2), now=LATER)
    last = submit_refund(build_context(), order=build_refund(purchase, 1, "last"), now=LATER)
    assert submit_refund(build_context(), order=build_refund(purchase, 1, "last"), now=LATER) == last

    assert read_books(card.account)[0] == 10_000
    assert read_actions(refund) == [("operation.refunded", "ok")]
    line = AccountLine.objects.get(operation=last)
    assert (line.direction, line.category, line.merchant) == ("in", "refunds", "PYATEROCHKA 4711")
    with pytest.raises(NotReversible):
        submit_reversal(build_context(), order=build_reversal(purchase), now=LATER)
    assert check_ledger(now=LATER) == []


def test_refund_of_a_reversed_operation_or_in_another_currency_is_refused() -> None:
    card = make_card(make_account(balance=10_000))
    purchase = submit_card_purchase(build_context(), order=build_purchase(card, 6_000), now=NOW)
    clear_card_purchase(build_context(), operation=purchase, amount=Money(6_000), now=NOW)
    wrong = build_refund(purchase, 1)
    wrong = type(wrong)(
        customer_id=wrong.customer_id, idempotency_key="usd", operation=wrong.operation, amount=Money(1, "USD")
    )
    with pytest.raises(CurrencyMismatch):
        refund_operation(build_context(), order=wrong, now=LATER)
    reverse_operation(build_context(), order=build_reversal(purchase), now=LATER)
    with pytest.raises(NotReversible):
        refund_operation(build_context(), order=build_refund(purchase, 1), now=LATER)


def test_pending_operations_reversals_and_strangers_are_not_reversed() -> None:
    card = make_card(make_account(balance=10_000))
    pending = submit_card_purchase(build_context(), order=build_purchase(card, 6_000), now=NOW)
    with pytest.raises(NotReversible):
        reverse_operation(build_context(), order=build_reversal(pending), now=LATER)

    clear_card_purchase(build_context(), operation=pending, amount=Money(6_000), now=NOW)
    reversal = reverse_operation(build_context(), order=build_reversal(pending, "right"), now=LATER)
    with pytest.raises(NotReversible):
        reverse_operation(build_context(), order=build_reversal(reversal, "twice"), now=LATER)

    stranger = ReversalOrder(
        customer_id=get_holder_id(make_account()),
        idempotency_key="foreign",
        operation=reversal.public_id,
        reason="mistake",
    )
    with pytest.raises(NotFound):
        reverse_operation(build_context(), order=stranger, now=LATER)

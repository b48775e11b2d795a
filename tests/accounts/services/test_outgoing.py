from datetime import timedelta

import pytest

from accounts.enums import LimitPeriod, PayeeKind, PayeeOrigin
from accounts.errors import (
    AlreadyPaid,
    BillUnavailable,
    CapExceeded,
    CurrencyMismatch,
    InsufficientFunds,
    NotFound,
    PayeeUnavailable,
)
from accounts.gateways.demo import DemoGateway
from accounts.ledger_check import check_ledger
from accounts.models import Account, AccountLine, Bill, CapUsage, Customer, GatewayOrder, Operation
from accounts.money import Money
from accounts.services.outgoing import place_bill_payment, place_sbp_transfer, submit_bill_payment, submit_sbp_transfer
from accounts.services.payees import add_payee
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    BIK,
    NOW,
    build_bill_payment,
    build_context,
    build_number,
    build_sbp_transfer,
    make_account,
    make_bank,
    make_bill,
    make_payee,
    read_actions,
    read_books,
    set_limit,
    set_tariff,
)

pytestmark = pytest.mark.django_db


def make_payer(balance: int = 1_000_000) -> tuple[Customer, Account]:
    customer = make_customer()
    return customer, make_account(customer, balance=balance)


def test_sbp_transfer_accepted_is_posted_with_line_payee_and_evidence() -> None:
    customer, source = make_payer()
    payee = make_payee(customer, is_known=False)

    order = build_sbp_transfer(source, payee, 250_000, memo="за обед")
    operation = submit_sbp_transfer(build_context(), order=order, gateway=DemoGateway(), now=NOW)

    assert (operation.status, read_books(source)) == ("posted", (750_000, 750_000, 750_000))
    lines = AccountLine.objects.filter(operation=operation).order_by("pk")
    found = [(line.status, line.amount_minor, line.counterparty_name, line.memo_untrusted) for line in lines]
    assert found == [("VOID", 250_000, "Иван И.", "за обед"), ("BOOK", 250_000, "Иван И.", "за обед")]
    payee.refresh_from_db()
    assert (payee.first_paid_at, payee.last_paid_at) == (NOW, NOW)
    actions = [("hold.placed", "ok"), ("gateway.answered", "ok"), ("hold.posted", "ok")]
    assert read_actions(operation) == actions
    assert check_ledger(now=NOW) == []


def test_sbp_transfer_refused_outside_gives_money_and_cap_back() -> None:
    customer, source = make_payer()
    set_limit("sbp_out", LimitPeriod.DAY, 300_000)
    payee = make_payee(customer, "+70000000291")

    order = build_sbp_transfer(source, payee, 250_000)
    operation = submit_sbp_transfer(build_context(), order=order, gateway=DemoGateway(), now=NOW)

    assert (operation.status, read_books(source)) == ("voided", (1_000_000, 1_000_000, 1_000_000))
    assert GatewayOrder.objects.get(operation=operation).reason == "recipient_unknown"
    assert CapUsage.objects.get(customer=customer, code="sbp_out.day").used_minor == 0
    assert read_actions(operation)[-1] == ("hold.voided", "ok")
    assert check_ledger(now=NOW) == []


def test_sbp_transfer_without_answer_stays_held() -> None:
    customer, source = make_payer()
    order = build_sbp_transfer(source, make_payee(customer, "+70000000298"), 250_000)

    first = submit_sbp_transfer(build_context(), order=order, gateway=DemoGateway(), now=NOW)
    again = submit_sbp_transfer(build_context(), order=order, gateway=DemoGateway(), now=NOW)

    assert (first.pk, first.status, again.status) == (again.pk, "pending", "pending")
    assert read_books(source) == (1_000_000, 750_000, 750_000)
    found = GatewayOrder.objects.get(operation=first)
    assert (found.answer, found.attempts) == ("unknown", 1)


def test_sbp_transfer_charges_what_passes_the_free_month() -> None:
    customer, source = make_payer(50_000_000)
    set_tariff("sbp_out", free=10_000_000, rate_bp=50, most=150_000)
    payee = make_payee(customer)
    gateway = DemoGateway()

    first = build_sbp_transfer(source, payee, 9_000_000)
    second = build_sbp_transfer(source, payee, 2_000_001)
    for order in (first, second):
        submit_sbp_transfer(build_context(), order=order, gateway=gateway, now=NOW)

    # 1 000 001 kopecks pass the free sum: half a percent is 5 000.005, half up 5 000.
    fees = AccountLine.objects.filter(account=source, category="fees", status="BOOK")
    assert [line.amount_minor for line in fees] == [5_000]
    assert read_books(source)[0] == 50_000_000 - 11_000_001 - 5_000
    assert check_ledger(now=NOW) == []


def test_sbp_transfer_beyond_the_months_limit_is_refused_with_the_cap() -> None:
    customer, source = make_payer(10_000_000)
    set_limit("sbp_out", LimitPeriod.MONTH, 500_000)
    set_limit("sbp_out", LimitPeriod.OPERATION, 400_000)
    payee, gateway = make_payee(customer), DemoGateway()
    submit_sbp_transfer(build_context(), order=build_sbp_transfer(source, payee, 300_000), gateway=gateway, now=NOW)

    for minor, code in ((300_000, "sbp_out.month"), (400_001, "sbp_out.operation")):
        order = build_sbp_transfer(source, payee, minor)
        for _ in range(2):
            with pytest.raises(CapExceeded) as refusal:
                submit_sbp_transfer(build_context(), order=order, gateway=gateway, now=NOW)
            assert refusal.value.cap_code == code

    # The next local month starts at 21:00 UTC.
    next_month = NOW.replace(day=30, hour=21)
    order = build_sbp_transfer(source, payee, 300_000)
    operation = submit_sbp_transfer(build_context(), order=order, gateway=gateway, now=next_month)
    assert operation.status == "posted"


def test_sbp_transfer_counts_the_fee_before_it_holds() -> None:
    customer, source = make_payer(100_000)
    set_tariff("sbp_out", rate_bp=100)
    order = build_sbp_transfer(source, make_payee(customer), 100_000)

    with pytest.raises(InsufficientFunds):
        submit_sbp_transfer(build_context(), order=order, gateway=DemoGateway(), now=NOW)

    assert read_books(source) == (100_000, 100_000, 100_000)
    assert not Operation.objects.filter(kind="sbp_out").exists()


def test_sbp_transfer_to_a_foreign_or_unfit_payee_is_refused() -> None:
    customer, source = make_payer()
    stranger = make_payee(make_customer(), "+70000000202")
    make_bank()
    number = add_payee(
        build_context(),
        customer_id=customer.pk,
        kind=PayeeKind.REQUISITES,
        target=build_number(),
        shown_name="Пётр П.",
        bik=BIK,
        origin=PayeeOrigin.APP,
        now=NOW,
    )

    for payee, error in ((stranger, NotFound), (number, PayeeUnavailable)):
        with pytest.raises(error):
            place_sbp_transfer(build_context(), order=build_sbp_transfer(source, payee, 100), now=NOW)


def test_sbp_transfer_in_another_currency_is_refused() -> None:
    customer, _ = make_payer()
    dollars = make_account(customer, balance=5_000, currency="USD")
    order = build_sbp_transfer(make_account(customer), make_payee(customer), 100)
    changed = type(order)(
        customer_id=order.customer_id,
        idempotency_key=order.idempotency_key,
        source_account=dollars.public_id,
        payee=order.payee,
        amount=order.amount,
    )

    with pytest.raises(CurrencyMismatch):
        place_sbp_transfer(build_context(), order=changed, now=NOW)


def test_bill_payment_is_paid_only_when_posted() -> None:
    customer, source = make_payer()
    bill = make_bill(customer, 350_000)
    order = build_bill_payment(source, bill)

    held = place_bill_payment(build_context(), order=order, now=NOW)
    bill.refresh_from_db()
    assert (bill.status, bill.paid_at, held.status) == ("processing", None, "pending")

    operation = submit_bill_payment(build_context(), order=order, gateway=DemoGateway(), now=NOW)
    bill.refresh_from_db()
    assert (bill.status, bill.paid_at, operation.status) == ("paid", NOW, "posted")
    assert read_books(source) == (650_000, 650_000, 650_000)
    assert ("bill.paid", "ok") in read_actions(operation)
    assert check_ledger(now=NOW) == []


def test_bill_payment_refused_by_the_biller_leaves_it_unpaid_and_payable() -> None:
    customer, source = make_payer()
    bill = make_bill(customer, reference="0000000091")
    operation = submit_bill_payment(
        build_context(), order=build_bill_payment(source, bill), gateway=DemoGateway(), now=NOW
    )
    bill.refresh_from_db()
    assert (operation.status, bill.status) == ("voided", "unpaid")

    again = submit_bill_payment(
        build_context(), order=build_bill_payment(source, bill), gateway=DemoGateway({}), now=NOW
    )
    bill.refresh_from_db()
    assert (again.status, bill.status) == ("posted", "paid")


def test_bill_payment_twice_is_refused() -> None:
    customer, source = make_payer()
    bill = make_bill(customer)
    gateway = DemoGateway()
    submit_bill_payment(build_context(), order=build_bill_payment(source, bill), gateway=gateway, now=NOW)

    with pytest.raises(AlreadyPaid):
        submit_bill_payment(build_context(), order=build_bill_payment(source, bill), gateway=gateway, now=NOW)


def test_bill_payment_of_another_amount_or_a_cancelled_bill_is_refused() -> None:
    customer, source = make_payer()
    bill = make_bill(customer)
    order = build_bill_payment(source, bill)
    wrong = type(order)(
        customer_id=order.customer_id,
        idempotency_key="other",
        source_account=order.source_account,
        bill=order.bill,
        amount=order.amount - Money(1),
    )
    with pytest.raises(BillUnavailable):
        place_bill_payment(build_context(), order=wrong, now=NOW)

    Bill.objects.filter(pk=bill.pk).update(status="cancelled")
    with pytest.raises(BillUnavailable):
        place_bill_payment(build_context(), order=order, now=NOW)


def test_bill_payment_of_a_strangers_bill_is_not_found() -> None:
    _, source = make_payer()
    order = build_bill_payment(source, make_bill(make_customer()))
    with pytest.raises(NotFound):
        place_bill_payment(build_context(), order=order, now=NOW + timedelta(seconds=1))

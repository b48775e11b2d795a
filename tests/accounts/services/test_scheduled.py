"""A due date is paid at most once, refused by the bank's rules, or passes; the payment's next date says which."""

from datetime import date, datetime, timedelta

import pytest
from django.db import transaction
from pytest_django import Settings

from accounts.enums import AccountStatus, Frequency, LimitPeriod, PayeeKind, PayeeOrigin, ScheduleStatus
from accounts.gateways.demo import DemoGateway
from accounts.models import Account, Bill, Customer, Operation, Payee, RefusedOrder, ScheduledPayment
from accounts.money import Money
from accounts.services.accounts import freeze_account
from accounts.services.gateway_orders import reconcile_transfers
from accounts.services.payees import add_payee
from accounts.services.scheduled import PaidCount, build_order, end_due_date, list_due, pay_scheduled, place_payment
from accounts.services.schedules import change_scheduled_payment, schedule_payment
from audit.models import AuditEntry
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    BIK,
    NOW,
    build_context,
    get_holder_id,
    make_account,
    make_bill,
    make_payee,
    read_actions,
    read_books,
    set_limit,
)

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
DUE = date(2026, 10, 31)


def make_payer(balance: int = 100_000) -> tuple[Customer, Account]:
    customer = make_customer()
    return customer, make_account(customer, balance=balance)


def schedule(
    account: Account,
    payee: Payee,
    minor: int = 30_000,
    *,
    first_on: date = DUE,
    frequency: Frequency = Frequency.MONTHLY,
) -> ScheduledPayment:
    return schedule_payment(
        build_context(),
        customer_id=get_holder_id(account),
        account_id=account.public_id,
        payee_id=payee.public_id,
        amount=Money(minor, account.currency),
        frequency=frequency,
        first_on=first_on,
        title="Маме",
        now=NOW - timedelta(days=60),
    )


def make_target(customer: Customer, kind: PayeeKind, target: str) -> Payee:
    bik = "" if kind == PayeeKind.BILLER else BIK
    return add_payee(
        build_context(),
        customer_id=customer.pk,
        kind=kind,
        target=target,
        shown_name="УК «Уют»",
        bik=bik,
        origin=PayeeOrigin.CUSTOMER,
        now=NOW,
    )


def pay(now: datetime = NOW) -> PaidCount:
    return pay_scheduled(build_context(), gateway=DemoGateway(), now=now)


def read_state(payment: ScheduledPayment) -> tuple[str, date | None]:
    payment.refresh_from_db()
    return payment.status, payment.next_on


def read_evidence(payment: ScheduledPayment) -> list[tuple[str, str]]:
    """Return action and outcome of what happened to the payment since it was ordered."""
    entries = AuditEntry.objects.filter(subject_id=str(payment.public_id)).order_by("recorded_at", "pk")
    return [(entry.action, entry.outcome) for entry in entries][1:]


def test_due_transfer_by_phone_is_paid_once_and_comes_again_on_the_wished_day() -> None:
    customer, source = make_payer()
    payment = schedule(source, make_payee(customer))

    assert pay() == PaidCount(paid=1)

    operation = Operation.objects.get(idem_key=f"schedule:{payment.public_id}:2026-10-31")
    assert (operation.kind, operation.status, operation.source) == ("sbp_out", "posted", "system")
    assert read_actions(operation) == [("hold.placed", "ok"), ("gateway.answered", "ok"), ("hold.posted", "ok")]
    assert read_books(source) == (70_000, 70_000, 70_000)
    assert read_state(payment) == ("active", date(2026, 11, 30))
    assert read_evidence(payment) == [("schedule.executed", "ok")]
    assert pay() == PaidCount()
    assert read_books(source)[0] == 70_000


def test_due_transfer_to_an_own_account_is_posted() -> None:
    customer, source = make_payer()
    target = make_account(customer)
    payment = schedule(source, make_target(customer, PayeeKind.OWN, target.number or ""))

    assert pay() == PaidCount(paid=1)

    assert (read_books(source)[0], read_books(target)[0]) == (70_000, 30_000)
    assert read_state(payment) == ("active", date(2026, 11, 30))


def test_due_payment_to_a_biller_pays_its_oldest_bill_up_to_the_amount() -> None:
    customer, source = make_payer()
    bills = [make_bill(customer, 20_000, reference=f"{number}01") for number in (1, 2)]
    Bill.objects.filter(pk=bills[1].pk).update(due_on=NOW.date() - timedelta(days=40))
    payment = schedule(source, make_target(customer, PayeeKind.BILLER, "housing"))

    assert pay() == PaidCount(paid=1)

    assert list(Bill.objects.order_by("pk").values_list("status", flat=True)) == ["unpaid", "paid"]
    assert read_books(source)[0] == 80_000
    assert read_evidence(payment) == [("schedule.executed", "ok")]


def test_bill_above_the_amount_is_left_to_the_customer() -> None:
    customer, source = make_payer()
    make_bill(customer, 30_001)
    payment = schedule(source, make_target(customer, PayeeKind.BILLER, "housing"))

    assert pay() == PaidCount(refused=1)

    assert (read_books(source)[0], read_state(payment)) == (100_000, ("active", date(2026, 11, 30)))


def test_payment_without_enough_money_is_refused_once_and_comes_again() -> None:
    customer, source = make_payer(balance=10_000)
    payment = schedule(source, make_payee(customer))

    assert pay() == PaidCount(refused=1)

    refused = RefusedOrder.objects.get()
    assert (refused.code, refused.idem_key) == ("insufficient_funds", f"schedule:{payment.public_id}:2026-10-31")
    assert read_books(source) == (10_000, 10_000, 10_000)
    assert read_state(payment) == ("active", date(2026, 11, 30))
    assert read_evidence(payment) == [("schedule.refused", "refused")]
    assert AuditEntry.objects.filter(action="transfer.refused").count() == 1
    assert pay() == PaidCount()


def test_payment_above_a_limit_comes_again() -> None:
    customer, source = make_payer()
    set_limit("sbp_out", LimitPeriod.DAY, 29_999)
    payment = schedule(source, make_payee(customer))

    assert pay() == PaidCount(refused=1)
    assert read_state(payment) == ("active", date(2026, 11, 30))


def test_payment_from_a_blocked_account_pauses_until_somebody_looks() -> None:
    customer, source = make_payer()
    payment = schedule(source, make_payee(customer))
    freeze_account(build_context(), account_id=source.public_id, status=AccountStatus.DEBIT_BLOCKED, reason="court")

    assert pay() == PaidCount(refused=1)
    assert read_state(payment) == ("paused", date(2026, 11, 30))
    assert pay(NOW + timedelta(days=31)) == PaidCount()


def test_payee_that_cannot_be_paid_this_way_pauses_the_payment() -> None:
    customer, source = make_payer()
    other = make_account(make_customer())
    strangers = schedule(source, make_target(customer, PayeeKind.OWN, other.number or ""))
    requisites = schedule(source, make_target(customer, PayeeKind.REQUISITES, other.number or ""))

    assert pay() == PaidCount(refused=2)

    assert read_state(strangers)[0] == read_state(requisites)[0] == "paused"
    assert (read_books(source)[0], read_books(other)[0]) == (100_000, 0)


def test_suspended_payment_pauses_and_passes_when_the_customer_resumes_it_after_the_delay() -> None:
    customer, source = make_payer()
    set_limit("antifraud.new_payee", LimitPeriod.OPERATION, 10_000)
    payment = schedule(source, make_payee(customer, is_known=False), frequency=Frequency.ONCE)

    assert pay() == PaidCount(refused=1)
    assert read_state(payment) == ("paused", DUE)
    assert not RefusedOrder.objects.exists()
    later = NOW + timedelta(hours=49)
    assert pay(later) == PaidCount()
    change_scheduled_payment(
        build_context(), customer_id=customer.pk, payment_id=payment.public_id, status=ScheduleStatus.ACTIVE
    )
    assert pay(later) == PaidCount(paid=1)
    assert (read_books(source)[0], read_state(payment)) == (70_000, ("ended", None))


@pytest.mark.parametrize(("days", "count"), [(5, PaidCount(paid=1)), (6, PaidCount(missed=1))])
def test_payment_is_made_up_for_five_days_and_then_skipped(days: int, count: PaidCount) -> None:
    customer, source = make_payer()
    payment = schedule(source, make_payee(customer), first_on=TODAY - timedelta(days=days))

    assert pay() == count
    assert read_state(payment)[1] == date(2026, 11, (TODAY - timedelta(days=days)).day)
    assert read_books(source)[0] == 100_000 - 30_000 * count.paid


def test_long_outage_costs_one_payment_not_all_that_were_missed() -> None:
    customer, source = make_payer()
    payment = schedule(source, make_payee(customer), first_on=date(2026, 3, 1), frequency=Frequency.WEEKLY)

    assert pay() == PaidCount(missed=1)
    assert read_state(payment) == ("active", date(2026, 11, 8))


def test_payment_that_came_once_ends_whether_paid_or_not() -> None:
    customer, source = make_payer()
    paid = schedule(source, make_payee(customer), frequency=Frequency.ONCE)
    refused = schedule(source, make_payee(customer), 500_000, frequency=Frequency.ONCE)

    assert pay() == PaidCount(paid=1, refused=1)
    assert (read_state(paid), read_state(refused)) == (("ended", None), ("ended", None))


@pytest.mark.parametrize(("zone", "is_due"), [("Asia/Kamchatka", True), ("Europe/Kaliningrad", False)])
def test_due_day_begins_where_the_customer_lives(zone: str, *, is_due: bool) -> None:
    customer, source = make_payer()
    Customer.objects.filter(pk=customer.pk).update(zone=zone)
    schedule(source, make_payee(customer), first_on=date(2026, 11, 2))

    # Midnight has passed in Kamchatka, not in Kaliningrad.
    assert bool(list_due(datetime.fromisoformat("2026-11-01T13:00:00+00:00"))) is is_due


def test_payments_that_are_paused_ended_or_to_come_are_left_alone() -> None:
    customer, source = make_payer()
    payee = make_payee(customer)
    schedule(source, payee, first_on=TODAY + timedelta(days=1))
    for status in (ScheduleStatus.PAUSED, ScheduleStatus.ENDED):
        payment = schedule(source, payee)
        change_scheduled_payment(build_context(), customer_id=customer.pk, payment_id=payment.public_id, status=status)

    assert pay() == PaidCount()
    assert not Operation.objects.filter(kind="sbp_out").exists()


def test_date_moved_back_to_one_that_was_paid_pays_nothing_again() -> None:
    customer, source = make_payer()
    payment = schedule(source, make_payee(customer))
    pay()
    change_scheduled_payment(build_context(), customer_id=customer.pk, payment_id=payment.public_id, next_on=DUE)

    pay()

    assert (read_books(source)[0], read_state(payment)) == (70_000, ("active", date(2026, 11, 30)))


def test_silent_gateway_leaves_the_operation_to_the_reconciler() -> None:
    customer, source = make_payer()
    payment = schedule(source, make_payee(customer, "+70000000292"))
    gateway = DemoGateway()

    assert pay_scheduled(build_context(), gateway=gateway, now=NOW) == PaidCount(paid=1)
    assert Operation.objects.get(kind="sbp_out").status == "pending"
    for minutes in (1, 2, 3):
        reconcile_transfers(build_context(), gateway=gateway, now=NOW + timedelta(minutes=minutes))

    assert Operation.objects.get(kind="sbp_out").status == "posted"
    assert (read_books(source)[0], read_state(payment)[0]) == (70_000, "active")


def test_payment_that_fails_keeps_no_other_from_being_paid_and_stays_due(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    customer, source = make_payer()
    broken = make_target(customer, PayeeKind.BILLER, "housing")
    failing = schedule(source, broken, first_on=DUE - timedelta(days=1))
    # Its target is sealed with a key that is not there any more.
    settings.BANK_DATA_KEY = "another key"
    other = schedule(source, make_payee(customer))
    count = pay()

    assert count == PaidCount(paid=1, failed=1)
    assert (read_state(failing)[1], read_state(other)[1]) == (DUE - timedelta(days=1), date(2026, 11, 30))
    assert [record.message for record in caplog.records] == ["a scheduled payment failed"]


def test_payment_changed_after_it_was_read_is_left_for_the_next_round() -> None:
    customer, source = make_payer()
    schedule(source, make_payee(customer))
    (read,) = list_due(NOW)
    order = build_order(read)
    change_scheduled_payment(build_context(), customer_id=customer.pk, payment_id=read.public_id, amount=Money(40_000))

    with transaction.atomic():
        assert place_payment(build_context(), read, order, NOW) is None
    assert end_due_date(build_context(), read, code="missed", now=NOW) is False
    assert read_books(source)[0] == 100_000

from datetime import date
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction

from accounts.enums import Frequency, ScheduleStatus
from accounts.errors import AmountOutOfRange, CurrencyMismatch, NotFound
from accounts.models import Account, Payee, ScheduledPayment
from accounts.money import Money
from accounts.services.schedules import change_scheduled_payment, find_next_date, schedule_payment
from audit.models import AuditEntry
from tests.factories.accounts import make_customer
from tests.factories.ledger import NOW, build_context, get_holder_id, make_account, make_payee

pytestmark = pytest.mark.django_db


def start() -> tuple[Account, Payee]:
    customer = make_customer()
    return make_account(customer), make_payee(customer)


def schedule(account: Account, payee: Payee, amount: Money) -> ScheduledPayment:
    return schedule_payment(
        build_context(),
        customer_id=get_holder_id(account),
        account_id=account.public_id,
        payee_id=payee.public_id,
        amount=amount,
        frequency=Frequency.MONTHLY,
        first_on=date(2026, 12, 31),
        title="Квартира\u200b",
        now=NOW,
    )


def test_scheduled_payment_is_stored_with_its_evidence() -> None:
    account, payee = start()
    payment = schedule(account, payee, Money(500))
    assert (payment.title, payment.day, payment.next_on, payment.status) == (
        "Квартира",
        31,
        date(2026, 12, 31),
        "active",
    )
    assert AuditEntry.objects.get(action="schedule.changed").subject_id == str(payment.public_id)


def test_scheduled_payment_of_foreign_things_or_impossible_amounts_is_refused() -> None:
    account, payee = start()
    other_account, other_payee = start()
    for wrong in ((other_account, payee), (account, other_payee)):
        with pytest.raises(NotFound):
            schedule_payment(
                build_context(),
                customer_id=get_holder_id(account),
                account_id=wrong[0].public_id,
                payee_id=wrong[1].public_id,
                amount=Money(1),
                frequency=Frequency.ONCE,
                first_on=date(2026, 12, 31),
                title="",
                now=NOW,
            )
    with pytest.raises(AmountOutOfRange):
        schedule(account, payee, Money(0))
    with pytest.raises(CurrencyMismatch):
        schedule(account, payee, Money(1, "USD"))


def test_change_scheduled_payment_changes_all_but_the_payee() -> None:
    account, payee = start()
    payment = schedule(account, payee, Money(500))
    holder = get_holder_id(account)

    changed = change_scheduled_payment(
        build_context(),
        customer_id=holder,
        payment_id=payment.public_id,
        amount=Money(700),
        next_on=date(2027, 1, 15),
        status=ScheduleStatus.PAUSED,
    )
    assert (changed.amount_minor, changed.day, changed.status) == (700, 15, "paused")
    assert change_scheduled_payment(
        build_context(), customer_id=holder, payment_id=payment.public_id, amount=Money(800)
    ).next_on == date(2027, 1, 15)
    ended = change_scheduled_payment(
        build_context(), customer_id=holder, payment_id=payment.public_id, status=ScheduleStatus.ENDED
    )
    assert ended.next_on is None
    for customer_id, payment_id in ((holder, payment.public_id), (holder, uuid4()), (uuid4(), payment.public_id)):
        with pytest.raises(NotFound):
            change_scheduled_payment(build_context(), customer_id=customer_id, payment_id=payment_id)
    with pytest.raises(DatabaseError, match="payee does not change"), transaction.atomic():
        ScheduledPayment.objects.filter(pk=payment.pk).update(payee=make_payee(make_customer()))


@pytest.mark.parametrize(
    ("frequency", "current", "day", "expected"),
    [
        (Frequency.ONCE, date(2026, 1, 31), 31, None),
        (Frequency.WEEKLY, date(2026, 12, 28), 28, date(2027, 1, 4)),
        (Frequency.MONTHLY, date(2026, 1, 31), 31, date(2026, 2, 28)),
        (Frequency.MONTHLY, date(2026, 2, 28), 31, date(2026, 3, 31)),
        (Frequency.MONTHLY, date(2028, 1, 30), 30, date(2028, 2, 29)),
        (Frequency.YEARLY, date(2028, 2, 29), 29, date(2029, 2, 28)),
        (Frequency.YEARLY, date(2031, 2, 28), 29, date(2032, 2, 29)),
    ],
)
def test_next_date_at_month_ends(frequency: Frequency, current: date, day: int, expected: date | None) -> None:
    assert find_next_date(frequency, current, day=day) == expected

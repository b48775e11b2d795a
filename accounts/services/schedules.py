"""Payments a customer orders for the future. The payee is fixed for ever; amount, date and state may change."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts.enums import Frequency, ScheduleStatus
from accounts.errors import AmountOutOfRange, CurrencyMismatch, NotFound
from accounts.folding import clean_untrusted
from accounts.local_days import add_months
from accounts.models import Payee, ScheduledPayment
from accounts.money import Money
from accounts.services.transfers import access_accounts
from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry

MONTHS = {Frequency.MONTHLY: 1, Frequency.YEARLY: 12}
TITLE_LENGTH = 64


@transaction.atomic
def schedule_payment(
    context: AuditContext,
    *,
    customer_id: UUID,
    account_id: UUID,
    payee_id: UUID,
    amount: Money,
    frequency: Frequency,
    first_on: date,
    title: str,
    now: datetime,
) -> ScheduledPayment:
    """Order a payment that comes on `first_on` and then as often as `frequency` says.

    Raises: NotFound, CurrencyMismatch, AmountOutOfRange
    """
    (account,) = access_accounts(customer_id, [account_id])
    payee = Payee.objects.filter(customer_id=customer_id, public_id=payee_id).first()
    if payee is None:
        raise NotFound
    check_amount(amount, account.currency)
    payment = ScheduledPayment.objects.create(
        customer_id=customer_id,
        account=account,
        payee=payee,
        title=clean_untrusted(title, TITLE_LENGTH),
        amount_minor=amount.minor,
        currency=amount.currency,
        frequency=frequency,
        day=first_on.day,
        next_on=first_on,
        created_at=now,
    )
    record_schedule(context, payment)
    return payment


@transaction.atomic
def change_scheduled_payment(
    context: AuditContext,
    *,
    customer_id: UUID,
    payment_id: UUID,
    amount: Money | None = None,
    next_on: date | None = None,
    status: ScheduleStatus | None = None,
) -> ScheduledPayment:
    """Change what is given. An ended payment stays ended.

    Raises: NotFound, CurrencyMismatch, AmountOutOfRange
    """
    rows = ScheduledPayment.objects.select_for_update(no_key=True).filter(customer_id=customer_id)
    payment = rows.filter(public_id=payment_id).exclude(status=ScheduleStatus.ENDED).first()
    if payment is None:
        raise NotFound
    if amount is not None:
        check_amount(amount, payment.currency)
        payment.amount_minor = amount.minor
    if next_on is not None:
        payment.next_on, payment.day = next_on, next_on.day
    if status is not None:
        payment.status = status
        payment.next_on = None if status == ScheduleStatus.ENDED else payment.next_on
    payment.save(update_fields=["amount_minor", "next_on", "day", "status"])
    record_schedule(context, payment)
    return payment


def find_next_date(frequency: Frequency, current: date, *, day: int) -> date | None:
    """Return when a payment of `current` comes again; None when it does not.

    day  the wished day of the month: after 28 February a payment of the 31st is on 31 March
    """
    return None if frequency == Frequency.ONCE else add_period(frequency, current, day=day)


def add_period(frequency: Frequency, current: date, *, day: int) -> date:
    """Return the day one week, month or year after `current`.

    Raises: KeyError for what comes once
    """
    if frequency == Frequency.WEEKLY:
        return current + timedelta(days=7)
    return add_months(current, MONTHS[frequency], wished_day=day)


def check_amount(amount: Money, currency: str) -> None:
    if amount.currency != currency:
        raise CurrencyMismatch(amount.currency, currency)
    if amount.minor <= 0:
        raise AmountOutOfRange


def record_schedule(context: AuditContext, payment: ScheduledPayment) -> None:
    record_entry(
        context,
        AuditAction.SCHEDULE_CHANGED,
        subject="scheduled_payment",
        subject_id=str(payment.public_id),
        customer_id=payment.customer_id,
        details={
            "status": payment.status,
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
            "next_on": payment.next_on.isoformat() if payment.next_on else None,
        },
    )

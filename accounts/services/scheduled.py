"""Paying what customers ordered for the future: each due date at most once, by the posting services everybody uses.

The date moves on in the transaction that moves the money, and the order's key is made of payment and date: whoever dies
or runs twice pays once. The gateway is called after the commit.
Source: docs/ledger.md "Scheduled payments"
"""

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import OperationalError, transaction

from accounts.enums import AccountStatus, BillStatus, Frequency, OperationSource, PayeeKind, ScheduleStatus
from accounts.errors import (
    AccountUnavailable,
    AmountOutOfRange,
    BillUnavailable,
    CurrencyMismatch,
    NotFound,
    OperationRefused,
    PayeeUnavailable,
    SameAccount,
    TransferSuspended,
)
from accounts.gateways.contract import PaymentGateway
from accounts.local_days import MOST_AHEAD, to_local_date
from accounts.models import Account, Bill, Operation, ScheduledPayment
from accounts.money import Money
from accounts.orders import BillPaymentOrder, Order, OwnTransferOrder, SbpTransferOrder
from accounts.services.gateway_orders import complete_operation
from accounts.services.idempotency import retry_transaction, store_refusal
from accounts.services.outgoing import place_bill_payment, place_sbp_transfer
from accounts.services.payees import read_target
from accounts.services.schedules import find_next_date
from accounts.services.transfers import post_own_transfer
from audit.context import AuditContext
from audit.enums import AuditAction, Outcome
from audit.journal import record_entry

logger = logging.getLogger(__name__)

# Later than this a payment is not wanted any more: the customer has paid otherwise.
LATEST = timedelta(days=5)
MISSED = "missed"
NOT_FOUND = "not_found"
# These will not go away by themselves: the payment pauses until the customer has looked at it.
PAUSING = {
    NOT_FOUND,
    *(
        kind.code
        for kind in (
            AccountUnavailable,
            AmountOutOfRange,
            CurrencyMismatch,
            PayeeUnavailable,
            SameAccount,
            TransferSuspended,
        )
    ),
}
# What one call pays at most, so that the other chores of a round are not kept waiting.
BATCH = 2000


@dataclass(slots=True)
class PaidCount:
    """Payments that were ordered from the ledger, refused, came too late; `failed` ones will be tried again."""

    paid: int = 0
    refused: int = 0
    missed: int = 0
    failed: int = 0


def pay_scheduled(context: AuditContext, *, gateway: PaymentGateway, now: datetime) -> PaidCount:
    """Pay what is due, oldest first; a fault of one payment keeps no other from being paid.

    Raises: OperationalError when the database does not answer
    """
    count = PaidCount()
    for payment in list_due(now):
        try:
            pay_one(context, payment, gateway=gateway, now=now, count=count)
        except OperationalError:
            raise
        except Exception as error:
            # The edge of a task: it stays due, and is told every time until people have looked at it.
            count.failed += 1
            logger.exception(
                "a scheduled payment failed", extra={"payment": str(payment.public_id), "fault": type(error).__name__}
            )
    return count


def list_due(now: datetime) -> list[ScheduledPayment]:
    """Return active payments whose date has begun where their customers live; not locked."""
    rows = ScheduledPayment.objects.filter(status=ScheduleStatus.ACTIVE, next_on__lte=(now + MOST_AHEAD).date())
    found = rows.select_related("customer", "payee", "account").order_by("next_on", "pk")[:BATCH]
    return [payment for payment in found if get_due_date(payment) <= get_today(payment, now)]


def get_due_date(payment: ScheduledPayment) -> date:
    assert payment.next_on is not None, "an active payment has a date (constraint)"
    return payment.next_on


def get_today(payment: ScheduledPayment, now: datetime) -> date:
    return to_local_date(now, payment.customer.zone)


def pay_one(
    context: AuditContext, payment: ScheduledPayment, *, gateway: PaymentGateway, now: datetime, count: PaidCount
) -> None:
    """Pay, refuse or skip the payment's due date; one that was taken or changed meanwhile is left alone."""
    if get_today(payment, now) - get_due_date(payment) > LATEST:
        count.missed += end_due_date(context, payment, code=MISSED, now=now)
        return
    try:
        order = build_order(payment)
    except OperationRefused as refusal:
        count.refused += end_due_date(context, payment, code=refusal.code, now=now)
        return
    try:
        operation = retry_transaction(lambda: place_payment(context, payment, order, now))
    except OperationRefused as refusal:
        code = remember_refusal(context, order, refusal, now)
        count.refused += code != "" and end_due_date(context, payment, code=code, now=now)
        return
    except NotFound:
        count.refused += end_due_date(context, payment, code=NOT_FOUND, now=now)
        return
    if operation is not None:
        count.paid += 1
        complete_operation(context, operation=operation, gateway=gateway, now=now)


def build_order(payment: ScheduledPayment) -> Order:
    """Return what is ordered from the ledger for the due date: the same every time it is tried.

    Raises: PayeeUnavailable, BillUnavailable
    """
    amount = Money(payment.amount_minor, payment.currency)
    key = f"schedule:{payment.public_id}:{get_due_date(payment).isoformat()}"
    if payment.payee.kind == PayeeKind.SBP:
        return SbpTransferOrder(
            customer_id=payment.customer_id,
            idempotency_key=key,
            source=OperationSource.SYSTEM,
            source_account=payment.account.public_id,
            payee=payment.payee.public_id,
            amount=amount,
            memo=payment.title,
        )
    if payment.payee.kind == PayeeKind.OWN:
        return OwnTransferOrder(
            customer_id=payment.customer_id,
            idempotency_key=key,
            source=OperationSource.SYSTEM,
            source_account=payment.account.public_id,
            target_account=get_own_account(payment).public_id,
            amount=amount,
            memo=payment.title,
        )
    if payment.payee.kind == PayeeKind.BILLER:
        bill = get_payable_bill(payment, amount)
        return BillPaymentOrder(
            customer_id=payment.customer_id,
            idempotency_key=key,
            source=OperationSource.SYSTEM,
            source_account=payment.account.public_id,
            bill=bill.public_id,
            amount=Money(bill.amount_minor, bill.currency),
        )
    raise PayeeUnavailable


def get_own_account(payment: ScheduledPayment) -> Account:
    """Return the customer's account that the payee names.

    Raises: PayeeUnavailable
    """
    rows = Account.objects.filter(customer_id=payment.customer_id, number=read_target(payment.payee))
    account = rows.exclude(status=AccountStatus.CLOSED).first()
    if account is None:
        raise PayeeUnavailable
    return account


def get_payable_bill(payment: ScheduledPayment, most: Money) -> Bill:
    """Return the biller's oldest unpaid bill; the payment's amount is the most its customer allowed.

    Raises: BillUnavailable when there is none, or it asks for more
    """
    rows = Bill.objects.filter(customer_id=payment.customer_id, biller__code=read_target(payment.payee))
    bill = rows.filter(status=BillStatus.UNPAID, currency=most.currency).order_by("due_on", "pk").first()
    if bill is None or bill.amount_minor > most.minor:
        raise BillUnavailable
    return bill


def place_payment(context: AuditContext, payment: ScheduledPayment, order: Order, now: datetime) -> Operation | None:
    """Move or hold the money and move the date on, in the caller's transaction; None when it is not due any more.

    Raises: OperationRefused, NotFound
    """
    locked = lock_due(payment)
    if locked is None:
        return None
    operation = post_order(context, order, now)
    due_on = get_due_date(locked)
    move_on(locked, today=get_today(payment, now))
    record_due_date(
        context,
        locked,
        AuditAction.SCHEDULE_EXECUTED,
        details={"due_on": due_on.isoformat(), "operation": str(operation.public_id), "kind": operation.kind},
    )
    return operation


def post_order(context: AuditContext, order: Order, now: datetime) -> Operation:
    if isinstance(order, SbpTransferOrder):
        return place_sbp_transfer(context, order=order, now=now)
    if isinstance(order, BillPaymentOrder):
        return place_bill_payment(context, order=order, now=now)
    assert isinstance(order, OwnTransferOrder), "build_order makes no other"
    return post_own_transfer(context, order=order, now=now)


def lock_due(payment: ScheduledPayment) -> ScheduledPayment | None:
    """Return the row locked, if it is still as it was read and nobody else is at it."""
    rows = ScheduledPayment.objects.select_for_update(no_key=True, skip_locked=True).filter(
        pk=payment.pk,
        status=ScheduleStatus.ACTIVE,
        next_on=payment.next_on,
        amount_minor=payment.amount_minor,
    )
    return rows.first()


def remember_refusal(context: AuditContext, order: Order, refusal: OperationRefused, now: datetime) -> str:
    """Store the refusal for the order's key; return its code, empty when somebody else has posted the order."""
    try:
        store_refusal(context, order, refusal=refusal, now=now)
    except OperationRefused as stored:
        return stored.code
    return ""


@transaction.atomic(durable=True)
def end_due_date(context: AuditContext, payment: ScheduledPayment, *, code: str, now: datetime) -> bool:
    """Let the due date pass unpaid and pause what will not get better by itself; False when it is not due any more.

    A suspended payment keeps its date: resumed after antifraud's delay, the same order passes once.
    """
    locked = lock_due(payment)
    if locked is None:
        return False
    due_on = get_due_date(locked)
    pauses = code in PAUSING
    if code == TransferSuspended.code:
        locked.status = ScheduleStatus.PAUSED
        locked.save(update_fields=["status"])
    else:
        move_on(locked, today=get_today(payment, now), pauses=pauses)
    record_due_date(
        context,
        locked,
        AuditAction.SCHEDULE_REFUSED,
        outcome=Outcome.REFUSED,
        details={"due_on": due_on.isoformat(), "code": code},
    )
    return True


def move_on(payment: ScheduledPayment, *, today: date, pauses: bool = False) -> None:
    """Set the next date after `today`; dates that passed meanwhile are not made up for. What came once ends."""
    following = find_next_date(Frequency(payment.frequency), get_due_date(payment), day=payment.day)
    while following is not None and following <= today:
        following = find_next_date(Frequency(payment.frequency), following, day=payment.day)
    payment.next_on = following
    if following is None:
        payment.status = ScheduleStatus.ENDED
    elif pauses:
        payment.status = ScheduleStatus.PAUSED
    payment.save(update_fields=["next_on", "status"])


def record_due_date(
    context: AuditContext,
    payment: ScheduledPayment,
    action: AuditAction,
    *,
    details: dict[str, str],
    outcome: Outcome = Outcome.OK,
) -> None:
    following = payment.next_on.isoformat() if payment.next_on else None
    record_entry(
        context,
        action,
        subject="scheduled_payment",
        subject_id=str(payment.public_id),
        customer_id=payment.customer_id,
        outcome=outcome,
        details={**details, "status": payment.status, "next_on": following},
    )

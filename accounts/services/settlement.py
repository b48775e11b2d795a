"""Emptying the clearing accounts: what payment systems are owed is paid from the correspondent account."""

from datetime import datetime, timedelta

from django.db import transaction

from accounts.enums import OperationStatus
from accounts.local_days import DEFAULT_ZONE, to_local_date
from accounts.models import Account, Operation
from accounts.money import Money
from accounts.orders import SettlementOrder
from accounts.services.accounts import CLEARING_CODES, POSITION, get_bank_account
from accounts.services.idempotency import find_outcome
from accounts.services.posting import Movement, add_entry, finish_operation, lock_accounts, start_operation
from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry

# How long cleared money may rest on a clearing account: a settlement a day, and weekends.
CLEARING_WINDOW = timedelta(days=4)


def settle_clearing(context: AuditContext, *, now: datetime) -> list[Operation]:
    """Empty every clearing account, at most once a local day each, every one in its own transaction.

    Returns the settlements of today that moved money; open holds stay for a later day.
    """
    accounts = Account.objects.filter(code__in=CLEARING_CODES).order_by("pk").values_list("code", "currency")
    day = to_local_date(now, DEFAULT_ZONE)
    orders = [
        SettlementOrder(
            customer_id=None,
            idempotency_key=f"{code}:{currency}:{day}",
            code=code,
            currency=currency,
            day=day,
        )
        for code, currency in list(accounts)
    ]
    settled = [settle_account(context, order=order, now=now) for order in orders]
    return [operation for operation in settled if operation is not None]


@transaction.atomic
def settle_account(context: AuditContext, *, order: SettlementOrder, now: datetime) -> Operation | None:
    """Move the booked balance of one clearing account to the correspondent account; None when there is none.

    Refunds may leave the account on the other side; the money then comes back from the correspondent account.
    """
    known = find_outcome(order)
    if known is not None:
        return known
    clearing = get_bank_account(context, order.code, currency=order.currency, now=now)
    position = get_bank_account(context, POSITION, currency=order.currency, now=now)
    rows = lock_accounts([clearing.pk, position.pk])
    balance = rows[clearing.pk].booked
    if balance.minor == 0:
        return None
    debit, credit = (clearing, position) if balance.minor > 0 else (position, clearing)
    draft = start_operation(order, at=now, zone=DEFAULT_ZONE)
    amount = Money(abs(balance.minor), balance.currency)
    add_entry(draft, Movement(debit=rows[debit.pk], credit=rows[credit.pk], amount=amount))
    operation = finish_operation(draft, OperationStatus.POSTED)
    record_entry(
        context,
        AuditAction.CLEARING_SETTLED,
        subject="operation",
        subject_id=str(operation.public_id),
        details={
            "operation": str(operation.public_id),
            "kind": operation.kind,
            "account": order.code,
            "amount_minor": amount.minor,
            "currency": amount.currency,
        },
    )
    return operation

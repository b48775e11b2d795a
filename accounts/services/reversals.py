"""Taking money back: a reversal undoes a whole operation once, refunds give back parts of one.

Both are new operations with the accounts swapped; nothing that was posted is ever touched.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.enums import BillStatus, Category, EntryPhase, OperationKind, OperationStatus
from accounts.errors import CurrencyMismatch, NotFound, NotReversible
from accounts.local_days import DEFAULT_ZONE
from accounts.models import AccountLine, Bill, Operation
from accounts.money import Money
from accounts.orders import Order, RefundOrder, ReversalOrder
from accounts.services.holds import describe_amount, return_caps
from accounts.services.idempotency import find_outcome, submit_order
from accounts.services.posting import (
    Draft,
    LineText,
    Movement,
    OperationLinks,
    add_entry,
    choose_time,
    finish_operation,
    lock_accounts,
    start_operation,
    sum_movements,
)
from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry

NEVER_REVERSED = (OperationKind.REVERSAL, OperationKind.REFUND, OperationKind.SETTLEMENT)


def submit_reversal(context: AuditContext, *, order: ReversalOrder, now: datetime) -> Operation:
    """Reverse an operation as an act of its own; see `reverse_operation`.

    Raises: OperationRefused (stored first), NotFound
    """
    return submit_order(context, order, post=lambda: reverse_operation(context, order=order, now=now), now=now)


@transaction.atomic
def reverse_operation(context: AuditContext, *, order: ReversalOrder, now: datetime) -> Operation:
    """Take a posted operation back as a whole: every entry again with its accounts swapped, fees included.

    Its caps are given back, a bill it paid is unpaid again. What was refunded in part cannot be reversed.

    Raises: NotReversible, InsufficientFunds when the money is not there any more, AccountUnavailable,
    IdempotencyConflict, a stored refusal, NotFound
    Source: docs/ledger.md "Reversal and refund"
    """
    known = find_outcome(order)
    if known is not None:
        return known
    original = get_original(order, order.operation)
    if original.kind in NEVER_REVERSED or original.refunded_by.exists():
        raise NotReversible
    movements = sum_movements(original.entries.order_by("seq"))
    links = OperationLinks(reverses=original, description=order.comment)
    draft = swap_movements(order, original, movements, links, now)
    operation = finish_operation(draft, OperationStatus.POSTED)
    # Locked since its first entry was swapped; the database lets only a posted one become reversed.
    Operation.objects.filter(pk=original.pk).update(status=OperationStatus.REVERSED)
    return_caps(original, original.entries.order_by("seq")[0].amount_minor)
    if original.bill_id is not None:
        Bill.objects.filter(pk=original.bill_id).update(status=BillStatus.UNPAID, paid_at=None)
    details = {"reverses": str(original.public_id), "reason": order.reason}
    record_undoing(context, AuditAction.OPERATION_REVERSED, operation, details)
    return operation


def submit_refund(context: AuditContext, *, order: RefundOrder, now: datetime) -> Operation:
    """Refund a part of an operation as an act of its own; see `refund_operation`.

    Raises: OperationRefused (stored first), NotFound
    """
    return submit_order(context, order, post=lambda: refund_operation(context, order=order, now=now), now=now)


@transaction.atomic
def refund_operation(context: AuditContext, *, order: RefundOrder, now: datetime) -> Operation:
    """Give a part of a posted operation back, from where its money went; fees are not refunded.

    Raises: NotReversible when all refunds together would pass what was paid, CurrencyMismatch, AccountUnavailable,
    IdempotencyConflict, a stored refusal, NotFound
    """
    known = find_outcome(order)
    if known is not None:
        return known
    original = get_original(order, order.operation)
    if original.kind in NEVER_REVERSED or original.status != OperationStatus.POSTED:
        raise NotReversible
    principal = original.entries.order_by("seq")[0]
    if principal.currency != order.amount.currency:
        raise CurrencyMismatch(principal.currency, order.amount.currency)
    movements = {(principal.debit_id, principal.credit_id): order.amount.minor}
    draft = swap_movements(order, original, movements, OperationLinks(refunds=original, card=original.card), now)
    operation = finish_operation(draft, OperationStatus.POSTED)
    details = {"refunds": str(original.public_id), **describe_amount(order.amount)}
    record_undoing(context, AuditAction.OPERATION_REFUNDED, operation, details)
    return operation


def get_original(order: Order, public_id: UUID) -> Operation:
    """Return the operation of the order's customer.

    Raises: NotFound
    """
    rows = Operation.objects.select_related("card", "customer").filter(public_id=public_id)
    original = rows.filter(customer_id=order.holder_id).first()
    if original is None:
        raise NotFound
    return original


def swap_movements(
    order: Order,
    original: Operation,
    movements: Mapping[tuple[int, int], int],
    links: OperationLinks,
    now: datetime,
) -> Draft:
    """Write an operation that moves these amounts back, its lines reading as the original's.

    Raises: NotReversible, InsufficientFunds, AccountUnavailable
    """
    if not movements:
        raise NotReversible
    rows = lock_accounts([account for pair in movements for account in pair])
    zone = original.customer.zone if original.customer else DEFAULT_ZONE
    draft = start_operation(order, at=choose_time(rows.values(), now), zone=zone, links=links)
    currency = original.entries.order_by("seq")[0].currency
    texts = read_original_texts(original)
    for (debit, credit), minor in movements.items():
        movement = Movement(
            debit=rows[credit],
            credit=rows[debit],
            amount=Money(minor, currency),
            phase=EntryPhase.POSTED,
            debit_text=texts.get(credit, LineText()),
            credit_text=texts.get(debit, LineText()),
        )
        add_entry(draft, movement)
    return draft


def read_original_texts(original: Operation) -> dict[int, LineText]:
    """Return how the money that comes back reads, by account: as the original did, in the category of refunds."""
    texts: dict[int, LineText] = {}
    for line in AccountLine.objects.filter(operation=original).order_by("pk"):
        is_own = line.category == Category.OWN_TRANSFERS
        texts.setdefault(
            line.account_id,
            LineText(
                category=Category.OWN_TRANSFERS if is_own else Category.REFUNDS,
                merchant=line.merchant,
                mcc=line.mcc,
                counterparty_name=line.counterparty_name,
                counterparty_bik=line.counterparty_bank_id or "",
            ),
        )
    return texts


def record_undoing(
    context: AuditContext, action: AuditAction, operation: Operation, details: Mapping[str, str | int]
) -> None:
    record_entry(
        context,
        action,
        subject="operation",
        subject_id=str(operation.public_id),
        customer_id=operation.customer_id,
        details={"operation": str(operation.public_id), "kind": operation.kind, **details},
    )

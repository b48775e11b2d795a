"""Holds: resolving them, and letting those expire that nobody claimed.

A hold is a pending entry; its operation stays pending until every hold of it is posted or voided. Whoever resolves
holds locks the accounts first, then the operation, as everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.enums import Category, EntryPhase, LineStatus, OperationKind, OperationStatus
from accounts.errors import HoldResolved
from accounts.models import Account, AccountLine, Entry, Operation
from accounts.money import Money
from accounts.services.caps import give_back_caps, list_cap_codes
from accounts.services.posting import (
    Draft,
    LineText,
    Movement,
    add_entry,
    choose_time,
    finish_operation,
    lock_accounts,
    resume_operation,
)
from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry

CARD_KINDS = (OperationKind.CARD_PURCHASE, OperationKind.CASH_WITHDRAWAL)
CARD_HOLD_DAYS = timedelta(days=30)
# A transfer whose outcome is unknown must not expire by itself: the money may be gone.
GATEWAY_HOLD_DAYS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class HeldOperation:
    """A pending operation under lock, with its open holds and how their lines read."""

    draft: Draft
    accounts: Mapping[int, Account]
    holds: list[Entry]
    texts: Mapping[tuple[int, int], LineText]

    @property
    def principal(self) -> Entry:
        """The hold the operation is about; a fee's hold comes after it."""
        return self.holds[0]


def lock_held(operation: Operation, *, now: datetime) -> HeldOperation:
    """Lock the accounts of the operation's holds, then the operation.

    Raises: HoldResolved when it is not pending any more
    """
    pairs = operation.entries.filter(phase=EntryPhase.PENDING).values_list("debit_id", "credit_id")
    accounts = lock_accounts([account for pair in pairs for account in pair])
    draft = resume_operation(operation, at=choose_time(accounts.values(), now))
    resolved = {entry.resolves_id for entry in draft.entries}
    holds = [entry for entry in draft.entries if entry.phase == EntryPhase.PENDING and entry.pk not in resolved]
    return HeldOperation(draft, accounts, holds, read_texts(draft.operation))


def read_texts(operation: Operation) -> dict[tuple[int, int], LineText]:
    """Return how the pending lines of the operation read: {(entry, account): text}."""
    lines = AccountLine.objects.filter(operation=operation, status=LineStatus.PENDING)
    return {(line.entry_id, line.account_id): to_text(line) for line in lines}


def to_text(line: AccountLine) -> LineText:
    return LineText(
        category=Category(line.category),
        merchant=line.merchant,
        mcc=line.mcc,
        counterparty_name=line.counterparty_name,
        counterparty_bik=line.counterparty_bank_id or "",
        memo=line.memo_untrusted,
    )


def build_movement(held: HeldOperation, hold: Entry, *, amount: Money) -> Movement:
    """Return the movement that posts `amount` of the hold, its lines reading as the hold's."""
    return Movement(
        debit=held.accounts[hold.debit_id],
        credit=held.accounts[hold.credit_id],
        amount=amount,
        phase=EntryPhase.POST,
        debit_text=held.texts.get((hold.pk, hold.debit_id), LineText()),
        credit_text=held.texts.get((hold.pk, hold.credit_id), LineText()),
        resolves=hold,
    )


def post_hold(held: HeldOperation, hold: Entry, *, amount: Money | None = None) -> Entry:
    """Post the hold, by default in full; what is not posted of it is released.

    Raises: PostTooLarge, HoldResolved
    """
    full = Money(hold.amount_minor, hold.currency)
    return add_entry(held.draft, build_movement(held, hold, amount=amount or full))


def void_hold(held: HeldOperation, hold: Entry) -> Entry:
    """Release the hold without moving money."""
    movement = build_movement(held, hold, amount=Money(0, hold.currency))
    return add_entry(held.draft, replace(movement, phase=EntryPhase.VOID))


def release_holds(
    context: AuditContext, held: HeldOperation, *, status: OperationStatus, action: AuditAction, reason: str = ""
) -> Operation:
    """Void every open hold, give the caps back and end the operation; must run inside a transaction.

    reason  closed code, for the evidence
    """
    principal = held.principal
    for hold in held.holds:
        void_hold(held, hold)
    operation = finish_operation(held.draft, status)
    return_caps(operation, principal.amount_minor)
    details = {"reason": reason} if reason else {}
    record_hold(context, action, operation, details)
    return operation


def return_caps(operation: Operation, amount_minor: int) -> None:
    """Give back what an operation used of caps and did not move."""
    if operation.customer_id is not None and amount_minor:
        codes = list_cap_codes(operation)
        customer_id, day = operation.customer_id, operation.value_date
        give_back_caps(codes, customer_id=customer_id, amount_minor=amount_minor, day=day)


@transaction.atomic
def void_operation(context: AuditContext, *, operation: Operation, reason: str, now: datetime) -> Operation:
    """Release a pending operation that will not come: the merchant cancelled.

    Raises: HoldResolved
    """
    held = lock_held(operation, now=now)
    return release_holds(context, held, status=OperationStatus.VOIDED, action=AuditAction.HOLD_VOIDED, reason=reason)


def expire_holds(context: AuditContext, *, now: datetime) -> int:
    """End card operations whose holds nobody claimed in time, each in its own transaction; return how many.

    Transfers whose outcome is unknown are never among them: they wait for the gateway's answer.
    """
    resolutions = Entry.objects.filter(resolves=OuterRef("pk"))
    due = Entry.objects.filter(phase=EntryPhase.PENDING, expires_at__lte=now, operation__kind__in=CARD_KINDS)
    waiting = due.exclude(Exists(resolutions)).values_list("operation", flat=True).distinct()
    return sum(expire_operation(context, pk, now) for pk in list(waiting.order_by("operation")))


def expire_operation(context: AuditContext, operation_pk: int, now: datetime) -> bool:
    """End one operation; False when it was resolved in the meantime."""
    with transaction.atomic():
        try:
            held = lock_held(Operation.objects.get(pk=operation_pk), now=now)
        except HoldResolved:
            return False
        release_holds(context, held, status=OperationStatus.EXPIRED, action=AuditAction.HOLD_EXPIRED)
    return True


def record_hold(
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


def describe_amount(amount: Money) -> dict[str, str | int]:
    """Return an amount as evidence carries it."""
    return {"amount_minor": amount.minor, "currency": amount.currency}

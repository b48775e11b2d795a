"""Questions that end without an execution: overtaken, withdrawn, or nobody answered in time."""

from datetime import datetime
from uuid import UUID

from audit.context import AuditContext
from audit.enums import AuditAction
from functions.confirmations.moves import close_confirmation, move_confirmation, record_confirmation
from functions.enums import ConfirmationState
from functions.errors import CallRefused, Code, ConfirmationDecided, ConfirmationNotFound
from functions.models import Confirmation

WITHDRAWN = "Клиент не подтвердил операцию, она не выполнена."
# Nobody has decided these for good.
WITHDRAWABLE = (ConfirmationState.PENDING, ConfirmationState.COOLING_OFF)
# What the model is told when its question ends this way.
CODES = {
    ConfirmationState.SUPERSEDED: CallRefused(Code.SUPERSEDED),
    ConfirmationState.CANCELLED: CallRefused(Code.DECLINED, WITHDRAWN),
    ConfirmationState.EXPIRED: CallRefused(Code.EXPIRED),
}


def lock_confirmation(confirmation_id: UUID) -> Confirmation | None:
    """Return the confirmation with its call, the row locked until the transaction ends."""
    rows = Confirmation.objects.select_for_update(no_key=True, of=("self",)).select_related("call", "operation")
    return rows.filter(pk=confirmation_id).first()


def close_pending(
    context: AuditContext, *, conversation_id: UUID, state: ConfirmationState, now: datetime
) -> Confirmation | None:
    """Close the question that waits in the conversation and answer its call; None when none waits.

    state  SUPERSEDED: the customer went on with something else; CANCELLED: it was withdrawn

    Raises: ConfirmationDecided when somebody decides at this very moment
    """
    waiting = Confirmation.objects.filter(conversation_id=conversation_id, state=ConfirmationState.PENDING)
    locked = waiting.select_for_update(no_key=True, of=("self",)).select_related("call").first()
    if locked is not None:
        close_confirmation(context, locked, state=state, code=CODES[state], now=now)
    return locked


def cancel_confirmation(
    context: AuditContext,
    *,
    customer_id: UUID,
    conversation_id: UUID,
    confirmation_id: UUID | None = None,
    now: datetime,
) -> Confirmation:
    """Withdraw a question that waits, or one that is to be asked again after cooling off; no money moves by it.

    confirmation_id  None: the newest of the conversation that can still be withdrawn

    Raises: ConfirmationNotFound, ConfirmationDecided
    """
    rows = Confirmation.objects.filter(customer_id=customer_id, conversation_id=conversation_id)
    rows = rows.filter(state__in=WITHDRAWABLE) if confirmation_id is None else rows.filter(pk=confirmation_id)
    locked = rows.select_for_update(no_key=True, of=("self",)).select_related("call").order_by("-created_at").first()
    if locked is None:
        raise ConfirmationNotFound
    withdraw(context, locked, now)
    return locked


def withdraw_waiting(context: AuditContext, *, conversation_id: UUID, now: datetime) -> list[Confirmation]:
    """Withdraw everything a customer is, or is yet to be, asked in a conversation that ends."""
    rows = Confirmation.objects.filter(conversation_id=conversation_id, state__in=WITHDRAWABLE)
    waiting = list(rows.select_for_update(no_key=True, of=("self",)).select_related("call").order_by("created_at"))
    for confirmation in waiting:
        withdraw(context, confirmation, now)
    return waiting


def withdraw(context: AuditContext, confirmation: Confirmation, now: datetime) -> None:
    """End a locked confirmation that nobody has decided for good.

    Raises: ConfirmationDecided
    """
    if confirmation.state == ConfirmationState.PENDING:
        state = ConfirmationState.CANCELLED
        close_confirmation(context, confirmation, state=state, code=CODES[state], now=now)
    elif confirmation.state == ConfirmationState.COOLING_OFF:
        withdraw_cooling(context, confirmation)
    else:
        raise ConfirmationDecided(confirmation.state)


def withdraw_cooling(context: AuditContext, confirmation: Confirmation) -> None:
    """End a confirmation that waits for the end of its cooling off: it is not asked again."""
    move_confirmation(confirmation, ConfirmationState.CANCELLED)
    details = {"state": ConfirmationState.CANCELLED.value}
    record_confirmation(context, AuditAction.CONFIRMATION_CLOSED, confirmation, details=details)


def expire_confirmation(context: AuditContext, *, confirmation_id: UUID, now: datetime) -> Confirmation | None:
    """End a question whose time is over and answer its call; None when it was answered, or still has time."""
    locked = lock_confirmation(confirmation_id)
    if locked is None or locked.state != ConfirmationState.PENDING or now < locked.expires_at:
        return None
    state = ConfirmationState.EXPIRED
    close_confirmation(context, locked, state=state, code=CODES[state], now=now)
    return locked


def list_due_confirmations(now: datetime) -> list[Confirmation]:
    """Return the questions whose time is over, oldest first."""
    rows = Confirmation.objects.filter(state=ConfirmationState.PENDING, expires_at__lte=now)
    return list(rows.order_by("expires_at", "pk"))

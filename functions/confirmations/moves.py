"""Moves of a confirmation from state to state: every one a compare-and-set, with its audit entry beside it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audit.canonical import JsonValue
from audit.context import AuditContext
from audit.enums import AuditAction, Outcome
from audit.journal import record_entry
from functions.enums import CallStatus, ConfirmationState
from functions.errors import CallRefused, ConfirmationDecided
from functions.models import Confirmation
from functions.results import build_refusal
from functions.services.calls import answer_call


def move_confirmation(confirmation: Confirmation, state: ConfirmationState, **changes: Any) -> None:
    """Move the row from the state `confirmation` has to `state`; the object follows.

    Raises: ConfirmationDecided when somebody else moved it before
    """
    found = Confirmation.objects.filter(pk=confirmation.pk, state=confirmation.state)
    if found.update(state=state, **changes) != 1:
        raise ConfirmationDecided(Confirmation.objects.get(pk=confirmation.pk).state)
    for name, value in {"state": state, **changes}.items():
        setattr(confirmation, name, value)


def close_confirmation(
    context: AuditContext, confirmation: Confirmation, *, state: ConfirmationState, code: CallRefused, now: datetime
) -> str | None:
    """End a pending confirmation without an execution and give its waiting call the refusal.

    Returns what the model is told; None when its call was answered before.

    Raises: ConfirmationDecided
    """
    move_confirmation(confirmation, state, decided_at=now)
    is_expired = state == ConfirmationState.EXPIRED
    action = AuditAction.CONFIRMATION_EXPIRED if is_expired else AuditAction.CONFIRMATION_CLOSED
    record_confirmation(context, action, confirmation, details={"state": state.value})
    return answer_refused(context, confirmation, code, now)


def answer_refused(
    context: AuditContext, confirmation: Confirmation, refused: CallRefused, now: datetime
) -> str | None:
    """Give the waiting call an error; returns it, or None when the call was answered before."""
    result = build_refusal(refused).text
    is_first = answer_call(
        context, call=confirmation.call, status=CallStatus.ERROR, code=refused.code.value, result=result, now=now
    )
    return result if is_first else None


def record_confirmation(
    context: AuditContext,
    action: AuditAction,
    confirmation: Confirmation,
    *,
    outcome: Outcome = Outcome.OK,
    details: Mapping[str, JsonValue] | None = None,
) -> None:
    """Record what happened to a confirmation: ids and digests, never terms."""
    record_entry(
        context,
        action,
        subject="confirmation",
        subject_id=str(confirmation.pk),
        customer_id=confirmation.customer_id,
        conversation_id=confirmation.conversation_id,
        turn_id=confirmation.turn_id,
        outcome=outcome,
        details={
            "confirmation": str(confirmation.pk),
            "call": str(confirmation.call_id),
            "sha256": confirmation.digest,
            **(details or {}),
        },
    )

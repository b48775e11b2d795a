"""Open questions to the customer, as phones see them, and how the turn that waits for one goes on.

Everything here that writes runs inside the caller's transaction, with the conversation locked.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from audit.context import AuditContext
from chat.enums import TurnState
from chat.models import Conversation, Turn
from chat.protocol import events
from chat.protocol.events import ConfirmRequested, EventType
from functions.confirmations.asking import build_request_body, list_open_confirmations
from functions.confirmations.closing import WITHDRAWABLE, close_pending
from functions.enums import CallStatus, ConfirmationState
from functions.models import Confirmation, FunctionCall

Told = list[tuple[EventType, str]]
# As `confirm.closed` says it.
REASONS: Mapping[str, Literal["expired", "superseded", "cancelled"]] = {
    ConfirmationState.EXPIRED: "expired",
    ConfirmationState.SUPERSEDED: "superseded",
    ConfirmationState.CANCELLED: "cancelled",
}
CALL_STATUSES: Mapping[str, Literal["ok", "error", "denied", "timeout"]] = {
    CallStatus.OK: "ok",
    CallStatus.ERROR: "error",
    CallStatus.DENIED: "denied",
    CallStatus.TIMEOUT: "timeout",
}


def build_request(confirmation: Confirmation) -> ConfirmRequested:
    """Return what phones are told of a question: its terms as signed bytes."""
    return ConfirmRequested.model_validate(build_request_body(confirmation))


def list_questions(conversation_ids: Iterable[UUID]) -> dict[UUID, tuple[ConfirmRequested, ...]]:
    """Return the open questions of each conversation that has any; one query."""
    return {key: tuple(map(build_request, rows)) for key, rows in list_open_confirmations(conversation_ids).items()}


def list_withdrawable(conversation_id: UUID) -> list[UUID]:
    """Return the questions that the model may still take back."""
    rows = Confirmation.objects.filter(conversation_id=conversation_id, state__in=WITHDRAWABLE)
    return list(rows.values_list("pk", flat=True))


def tell_withdrawn(confirmation_ids: Collection[UUID]) -> Told:
    """Return the events of those that were taken back."""
    if not confirmation_ids:
        return []
    rows = Confirmation.objects.filter(pk__in=confirmation_ids, state=ConfirmationState.CANCELLED)
    return [events.encode(build_closed(row)) for row in rows]


def build_closed(confirmation: Confirmation) -> events.ConfirmClosed:
    return events.ConfirmClosed(confirm=confirmation.pk, why=REASONS[confirmation.state])


def build_completed(
    call: FunctionCall, *, public: Mapping[str, Any] | None = None, cards: Sequence[Mapping[str, Any]] = ()
) -> events.FunctionCompleted:
    """Return the event of a call that was answered after the customer was asked."""
    shown = public or ({"code": call.code} if call.code else None)
    return events.FunctionCompleted(
        turn=call.turn_id,
        call=call.pk,
        status=CALL_STATUSES[call.status],
        result_public=shown,
        cards=tuple(cards) or None,
    )


def tell_closed(conversation: Conversation, closed: Sequence[Confirmation], now: datetime) -> Told:
    """Return the events of questions that nobody decided; the turn that waited for one goes on with the refusal."""
    told: Told = []
    for confirmation in closed:
        told.append(events.encode(build_closed(confirmation)))
        if resume_turn(conversation, confirmation, now):
            told.append(events.encode(build_completed(confirmation.call)))
    return told


def close_question(
    context: AuditContext, conversation: Conversation, turn: Turn, state: ConfirmationState, now: datetime
) -> Told:
    """Close the question that a turn about to end waits with, and return its events; none when it does not wait."""
    if turn.state != TurnState.AWAITING_CONFIRM:
        return []
    closed = close_pending(context, conversation_id=conversation.pk, state=state, now=now)
    # None: it was approved, and an outside system has not answered yet. What becomes of it is told without the turn.
    return [] if closed is None else [events.encode(build_closed(closed)), events.encode(build_completed(closed.call))]


def resume_turn(conversation: Conversation, confirmation: Confirmation, now: datetime) -> bool:
    """Put the turn that waits for this question back in the queue; False when none does.

    Any engine goes on with the same answer, from the stored calls and their results.
    """
    turn = Turn.objects.filter(
        pk=confirmation.turn_id, conversation=conversation, state=TurnState.AWAITING_CONFIRM
    ).first()
    if turn is None:
        return False
    turn.state = TurnState.QUEUED
    turn.resumed_at = now
    turn.save(update_fields=["state", "resumed_at"])
    return True

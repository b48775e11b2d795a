"""How a turn ends, whoever ends it: the answer's row, the turn's last state, the audit entry.

Every function here runs inside the caller's transaction, with the conversation locked.
"""

from datetime import datetime
from uuid import UUID

from audit.context import AuditContext
from audit.enums import AuditAction, Outcome
from audit.journal import record_entry
from chat.enums import Role, RunState, TurnState
from chat.models import Conversation, Message, Run, Turn
from chat.protocol.frames import digest_text


def build_message(turn: Turn, role: Role, text: str, now: datetime) -> Message:
    """Return the unsaved row of a turn's question or answer; its id was chosen with the turn."""
    return Message(
        pk=turn.question_id if role == Role.USER else turn.answer_id,
        conversation_id=turn.conversation_id,
        turn=turn,
        role=role,
        text=text,
        size_bytes=len(text.encode()),
        digest=digest_text(text),
        created_at=now,
    )


def store_answer(turn: Turn, text: str, now: datetime) -> Message | None:
    """Write the assistant's message; a turn that ended without text has none."""
    if not text:
        return None
    message = build_message(turn, Role.ASSISTANT, text, now)
    message.save(force_insert=True)
    return message


def close_turn(
    conversation: Conversation,
    turn: Turn,
    state: TurnState,
    now: datetime,
    *,
    finish_reason: str = "",
    error_code: str = "",
) -> None:
    """Move the turn to its final state and the fence past everybody who was writing to it.

    The conversation's new fence is saved by the append of the terminal event that must follow in this transaction.
    """
    turn.state = state
    turn.finished_at = now
    turn.finish_reason = finish_reason
    turn.error_code = error_code
    turn.lease_owner = ""
    turn.lease_until = None
    turn.save(update_fields=["state", "finished_at", "finish_reason", "error_code", "lease_owner", "lease_until"])
    conversation.fence += 1


def close_run(turn: Turn, state: RunState, now: datetime, *, error_code: str = "") -> None:
    """End the turn's running attempt, if it has one."""
    running = Run.objects.filter(turn=turn, state=RunState.RUNNING)
    running.update(state=state, finished_at=now, error_code=error_code)


def record_turn(
    context: AuditContext,
    action: AuditAction,
    turn: Turn,
    *,
    customer_id: UUID,
    details: dict[str, str | int],
    outcome: Outcome = Outcome.OK,
) -> None:
    """Write one audit entry about a turn."""
    record_entry(
        context,
        action,
        subject="turn",
        subject_id=str(turn.pk),
        customer_id=customer_id,
        conversation_id=turn.conversation_id,
        turn_id=turn.pk,
        outcome=outcome,
        details=details,
    )


def describe_text(message: Message | None) -> dict[str, str | int]:
    """Return what an audit entry says of a text: its length and digest, never the text."""
    if message is None:
        return {"bytes": 0, "sum": digest_text("")}
    return {"bytes": message.size_bytes, "sum": message.digest}

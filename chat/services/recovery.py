"""What becomes of turns that nobody answers any more: a fresh attempt, or an honest end."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit.context import AuditContext
from audit.enums import AuditAction
from chat.enums import RunState, TurnState
from chat.models import Conversation, Run, Turn
from chat.protocol.codes import ErrorCode
from chat.queue import WaitingTurn, list_overdue_turns
from chat.selectors import get_streamed_text
from chat.services.claims import build_engine_context
from chat.services.endings import close_run, record_turn
from chat.services.runs import RunFailure, end_failed
from chat.stream import lock_conversation

# A turn whose engine died is answered afresh once, and only while the customer is likely to be waiting still.
MAX_ATTEMPTS = 2
MAX_RECOVERY_AGE = timedelta(minutes=2)


def recover_lost_runs(engine: str) -> int:
    """Give every turn whose lease ran out a fresh attempt or an honest end; return how many there were."""
    expired = Turn.objects.filter(state=TurnState.RUNNING, lease_until__lte=timezone.now())
    pairs = list(expired.values_list("pk", "conversation_id"))
    return sum(recover_run(engine, turn_id, conversation_id) for turn_id, conversation_id in pairs)


@transaction.atomic(durable=True)
def recover_run(engine: str, turn_id: UUID, conversation_id: UUID) -> bool:
    """Take the turn from its lost engine; False when somebody else was faster."""
    now = timezone.now()
    conversation = lock_conversation(conversation_id)
    turn = Turn.objects.filter(pk=turn_id, state=TurnState.RUNNING, lease_until__lte=now).first()
    if turn is None:
        return False
    context = build_engine_context(engine)
    close_run(turn, RunState.LOST, now, error_code=ErrorCode.WORKER_LOST)
    # The time that the customer took to decide is not the turn's age, and a decision is not a lost attempt.
    lost = Run.objects.filter(turn=turn, state=RunState.LOST).count()
    if lost < MAX_ATTEMPTS and now - (turn.resumed_at or turn.accepted_at) < MAX_RECOVERY_AGE:
        requeue_turn(context, conversation, turn)
    else:
        failure = RunFailure(text=get_streamed_text(turn), error=ErrorCode.WORKER_LOST, reason="attempts_used_up")
        end_failed(context, conversation, turn, failure, now)
    return True


def expire_waiting_turns(engine: str) -> int:
    """End every turn that waited longer than QUEUE_SECONDS for a stream; return how many there were."""
    overdue = list_overdue_turns(timezone.now() - timedelta(seconds=settings.QUEUE_SECONDS))
    return sum(expire_turn(engine, waiting) for waiting in overdue)


@transaction.atomic(durable=True)
def expire_turn(engine: str, waiting: WaitingTurn) -> bool:
    """End the turn, unless it was served or cancelled meanwhile."""
    conversation = lock_conversation(waiting.conversation_id)
    turn = Turn.objects.filter(pk=waiting.turn_id, state=TurnState.QUEUED).first()
    if turn is None:
        return False
    text = get_streamed_text(turn) if turn.attempt else ""
    failure = RunFailure(text=text, error=ErrorCode.UPSTREAM_QUEUE_TIMEOUT, reason="queue_timeout")
    end_failed(build_engine_context(engine), conversation, turn, failure, timezone.now())
    return True


def requeue_turn(context: AuditContext, conversation: Conversation, turn: Turn) -> None:
    """Put a lost turn back in the queue; the moved fence keeps its former engine from writing."""
    conversation.fence += 1
    conversation.save(update_fields=["fence"])
    turn.state = TurnState.QUEUED
    turn.lease_owner = ""
    turn.lease_until = None
    turn.save(update_fields=["state", "lease_owner", "lease_until"])
    record_turn(
        context,
        AuditAction.TURN_RECOVERED,
        turn,
        customer_id=conversation.customer_id,
        details={"attempt": turn.attempt},
    )

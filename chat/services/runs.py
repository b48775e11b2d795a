"""The engine's side of a turn: claim it, note what the model was asked, finish or fail it, take over a lost one.

Each act is one short transaction that locks the conversation first and proves by the fencing number that the caller
still owns the turn; a caller that lost it gets RunLost and has written nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit.context import AuditContext, build_system_context
from audit.enums import AuditAction, Origin, Outcome
from chat.enums import RunState, TurnState
from chat.errors import RunLost
from chat.models import Conversation, Run, Turn
from chat.protocol import events
from chat.protocol.bodies import ErrorBody, UsageBody
from chat.protocol.codes import ErrorCode
from chat.protocol.frames import digest_text
from chat.selectors import get_streamed_text
from chat.services.endings import close_run, close_turn, describe_text, record_turn, store_answer
from chat.stream import append_events, lock_conversation

# A turn whose engine died is answered afresh once, and only while the customer is likely to be waiting still.
MAX_ATTEMPTS = 2
MAX_RECOVERY_AGE = timedelta(minutes=2)
# For developers; the app shows its own words by the code.
FAILURE_MESSAGES = {
    ErrorCode.UPSTREAM_UNAVAILABLE: "the model is not available",
    ErrorCode.UPSTREAM_TIMEOUT: "the model did not answer in time",
    ErrorCode.UPSTREAM_CONTEXT: "the conversation is too long for the model",
    ErrorCode.SERVER_INTERNAL: "the server could not finish the answer",
    ErrorCode.WORKER_LOST: "the process that wrote the answer was lost",
}


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """A turn this engine may answer until its lease ends; `seq` is the log's head after the claim."""

    turn_id: UUID
    run_id: UUID
    conversation_id: UUID
    customer_id: UUID
    message_id: UUID
    attempt: int
    fence: int
    model: str
    seq: int


@dataclass(frozen=True, slots=True)
class ModelCall:
    """What was asked of the model, without a word of it: sizes in messages and bytes, digest of the request."""

    messages: int
    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class RunResult:
    """How the model ended an answer: GigaChat's reason, its own id of the call, and tokens where it told them."""

    text: str
    finish_reason: str
    upstream_request_id: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class RunFailure:
    """Why an answer ended early; `text` is what was committed of it."""

    text: str
    error: ErrorCode
    reason: str
    upstream_request_id: str = ""


def build_engine_context(engine: str) -> AuditContext:
    return build_system_context(Origin.ENGINE, engine)


# Fair by customer: whoever has the fewest running turns is served first, then who waits longest. A conversation
# answers one turn at a time. Only unfinished turns are read, through the partial index.
CLAIMABLE_TURNS_SQL = """
WITH unfinished AS (
    SELECT t.id, t.conversation_id, t.state, t.accepted_at, c.customer_id
    FROM chat_turn t JOIN chat_conversation c ON c.id = t.conversation_id
    WHERE t.state IN ('queued', 'running')
), running AS (
    SELECT customer_id, count(*) AS turns FROM unfinished WHERE state = 'running' GROUP BY customer_id
), waiting AS (
    SELECT DISTINCT ON (u.conversation_id) u.*
    FROM unfinished u
    WHERE u.state = 'queued' AND NOT EXISTS (
        SELECT FROM unfinished r WHERE r.conversation_id = u.conversation_id AND r.state = 'running')
    ORDER BY u.conversation_id, u.accepted_at, u.id
)
SELECT w.id, w.conversation_id
FROM waiting w LEFT JOIN running r ON r.customer_id = w.customer_id
ORDER BY coalesce(r.turns, 0) + row_number() OVER (PARTITION BY w.customer_id ORDER BY w.accepted_at, w.id),
         w.accepted_at, w.id
LIMIT %s
"""


def claim_runs(engine: str, *, capacity: int) -> list[ClaimedRun]:
    """Claim up to `capacity` queued turns for `engine` and begin an attempt for each.

    `turn.started` (after `msg.reset` when an earlier attempt had shown text) is committed with the claim. Turns that
    another engine takes at the same moment are left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(CLAIMABLE_TURNS_SQL, [capacity])
        candidates = cursor.fetchall()
    claimed = (claim_run(engine, turn_id, conversation_id) for turn_id, conversation_id in candidates)
    return [run for run in claimed if run is not None]


@transaction.atomic(durable=True)
def claim_run(engine: str, turn_id: UUID, conversation_id: UUID) -> ClaimedRun | None:
    """Begin an attempt to answer the turn, or return None when it is no longer free."""
    # Skipping a locked conversation instead of waiting keeps two engines from walking in step.
    conversation = (
        Conversation.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=conversation_id).first()
    )
    if conversation is None:
        return None
    turn = Turn.objects.filter(pk=turn_id, state=TurnState.QUEUED).first()
    if turn is None or Turn.objects.filter(conversation=conversation, state=TurnState.RUNNING).exists():
        return None
    return begin_run(engine, conversation, turn, timezone.now())


def begin_run(engine: str, conversation: Conversation, turn: Turn, now: datetime) -> ClaimedRun:
    shown = get_streamed_text(turn) if turn.attempt else ""
    conversation.fence += 1
    turn.state = TurnState.RUNNING
    turn.attempt += 1
    turn.fence = conversation.fence
    turn.lease_owner = engine
    turn.lease_until = now + timedelta(seconds=settings.ENGINE_LEASE_SECONDS)
    turn.started_at = turn.started_at or now
    turn.save(update_fields=["state", "attempt", "fence", "lease_owner", "lease_until", "started_at"])
    run = Run(turn=turn, attempt=turn.attempt, engine=engine, model=settings.GIGACHAT_MODEL, started_at=now)
    run.save(force_insert=True)
    begun = []
    if shown:
        reset = events.MessageReset(turn=turn.pk, msg=turn.answer_id, attempt=turn.attempt, why="worker_lost")
        begun.append(events.encode(reset))
    started = events.TurnStarted(turn=turn.pk, msg=turn.answer_id, attempt=turn.attempt, model=run.model)
    begun.append(events.encode(started))
    append_events(conversation, begun, turn_id=turn.pk)
    return ClaimedRun(
        turn_id=turn.pk,
        run_id=run.pk,
        conversation_id=conversation.pk,
        customer_id=conversation.customer_id,
        message_id=turn.answer_id,
        attempt=turn.attempt,
        fence=conversation.fence,
        model=run.model,
        seq=conversation.top,
    )


@transaction.atomic(durable=True)
def record_model_call(claimed: ClaimedRun, call: ModelCall, *, engine: str) -> None:
    """Note on the run and in the audit log what is about to be asked of the model."""
    Run.objects.filter(pk=claimed.run_id).update(
        prompt_messages=call.messages, prompt_bytes=call.size_bytes, prompt_digest=call.digest
    )
    record_turn(
        build_engine_context(engine),
        AuditAction.MODEL_ASKED,
        Turn(pk=claimed.turn_id, conversation_id=claimed.conversation_id),
        customer_id=claimed.customer_id,
        details={
            "model": claimed.model,
            "attempt": claimed.attempt,
            "messages": call.messages,
            "bytes": call.size_bytes,
            "sum": call.digest,
        },
    )


def lock_claimed(claimed: ClaimedRun) -> tuple[Conversation, Turn]:
    """Lock the conversation of a claimed turn and return both rows.

    Raises: RunLost when the fence moved on.
    """
    conversation = lock_conversation(claimed.conversation_id)
    if conversation.fence != claimed.fence:
        raise RunLost
    return conversation, Turn.objects.get(pk=claimed.turn_id)


@transaction.atomic(durable=True)
def finish_run(claimed: ClaimedRun, result: RunResult, *, engine: str) -> None:
    """Store the answer and complete the turn: message, states, `turn.completed` and audit entry together.

    Raises: RunLost
    """
    now = timezone.now()
    conversation, turn = lock_claimed(claimed)
    answer = store_answer(turn, result.text, now)
    Run.objects.filter(pk=claimed.run_id).update(
        state=RunState.COMPLETED,
        finished_at=now,
        finish_reason=result.finish_reason,
        upstream_request_id=result.upstream_request_id,
        prompt_tokens=result.prompt_tokens,
        completion_tokens=result.completion_tokens,
        cached_tokens=result.cached_tokens,
    )
    close_turn(conversation, turn, TurnState.COMPLETED, now, finish_reason=result.finish_reason)
    completed = events.TurnCompleted(
        turn=turn.pk,
        msg=turn.answer_id,
        finish=result.finish_reason,
        bytes=len(result.text.encode()),
        sum=digest_text(result.text),
        usage=build_usage(result),
    )
    append_events(conversation, [events.encode(completed)], turn_id=turn.pk)
    record_turn(
        build_engine_context(engine),
        AuditAction.TURN_FINISHED,
        turn,
        customer_id=claimed.customer_id,
        details={**describe_text(answer), "finish": result.finish_reason, "attempt": claimed.attempt},
    )


def build_usage(result: RunResult) -> UsageBody | None:
    if result.prompt_tokens is None or result.completion_tokens is None:
        return None
    return UsageBody(in_=result.prompt_tokens, out=result.completion_tokens, cached=result.cached_tokens)


@transaction.atomic(durable=True)
def fail_run(claimed: ClaimedRun, failure: RunFailure, *, engine: str) -> None:
    """End the turn with an error, keeping the text shown so far.

    Raises: RunLost
    """
    now = timezone.now()
    conversation, turn = lock_claimed(claimed)
    Run.objects.filter(pk=claimed.run_id).update(upstream_request_id=failure.upstream_request_id)
    end_failed(build_engine_context(engine), conversation, turn, failure, now)


def end_failed(
    context: AuditContext, conversation: Conversation, turn: Turn, failure: RunFailure, now: datetime
) -> None:
    answer = store_answer(turn, failure.text, now)
    close_run(turn, RunState.FAILED, now, error_code=failure.error)
    close_turn(conversation, turn, TurnState.FAILED, now, error_code=failure.error)
    failed = events.TurnFailed(
        turn=turn.pk,
        msg=turn.answer_id if answer else None,
        partial=answer is not None,
        bytes=answer.size_bytes if answer else None,
        sum=answer.digest if answer else None,
        error=ErrorBody(code=failure.error, message=FAILURE_MESSAGES[failure.error], trace=str(turn.pk)),
    )
    append_events(conversation, [events.encode(failed)], turn_id=turn.pk)
    record_turn(
        context,
        AuditAction.TURN_FAILED,
        turn,
        customer_id=conversation.customer_id,
        details={**describe_text(answer), "error": failure.error, "reason": failure.reason},
        outcome=Outcome.FAILED,
    )


def renew_leases(engine: str, held: Sequence[ClaimedRun]) -> set[UUID]:
    """Extend the leases of the turns `engine` is answering; return the ids of those it still owns."""
    if not held:
        return set()
    fences = {run.turn_id: run.fence for run in held}
    until = timezone.now() + timedelta(seconds=settings.ENGINE_LEASE_SECONDS)
    owned = Turn.objects.filter(pk__in=fences, state=TurnState.RUNNING, lease_owner=engine)
    owned.update(lease_until=until)
    return {turn_id for turn_id, fence in owned.values_list("pk", "fence") if fences[turn_id] == fence}


def release_runs(engine: str, held: Iterable[ClaimedRun]) -> None:
    """Let go of turns this engine cannot finish (it is shutting down), so that recovery need not wait for the lease."""
    Turn.objects.filter(pk__in=[run.turn_id for run in held], state=TurnState.RUNNING, lease_owner=engine).update(
        lease_until=timezone.now()
    )


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
    if turn.attempt < MAX_ATTEMPTS and now - turn.accepted_at < MAX_RECOVERY_AGE:
        requeue_turn(context, conversation, turn)
    else:
        failure = RunFailure(text=get_streamed_text(turn), error=ErrorCode.WORKER_LOST, reason="attempts_used_up")
        end_failed(context, conversation, turn, failure, now)
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

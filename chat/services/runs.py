"""The engine's side of a turn it holds: note what the model was asked, finish it, fail it.

Each act is one short transaction that locks the conversation first and proves by the fencing number that the caller
still owns the turn; a caller that lost it gets RunLost and has written nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.models import Customer
from audit.context import AuditContext
from audit.enums import AuditAction, Outcome
from chat.enums import RunState, TurnState
from chat.errors import RunLost
from chat.models import Conversation, Message, Run, Turn
from chat.protocol import events
from chat.protocol.bodies import ErrorBody, UsageBody
from chat.protocol.codes import ErrorCode
from chat.protocol.events import EventType
from chat.protocol.frames import digest_text
from chat.services.claims import ClaimedRun, build_engine_context
from chat.services.endings import close_run, close_turn, describe_text, record_turn, store_answer
from chat.services.slots import release_slots
from chat.services.usage import count_tokens_used
from chat.stream import append_events, lock_conversation

# For developers; the app shows its own words by the code.
FAILURE_MESSAGES = {
    ErrorCode.UPSTREAM_UNAVAILABLE: "the model is not available",
    ErrorCode.UPSTREAM_TIMEOUT: "the model did not answer in time",
    ErrorCode.UPSTREAM_CONTEXT: "the conversation is too long for the model",
    ErrorCode.SERVER_INTERNAL: "the server could not finish the answer",
    ErrorCode.UPSTREAM_QUEUE_TIMEOUT: "no stream of the model became free in time",
    ErrorCode.WORKER_LOST: "the process that wrote the answer was lost",
}


@dataclass(frozen=True, slots=True)
class ModelCall:
    """What was asked of the model, without a word of it: sizes in messages and bytes, digest of the request."""

    messages: int
    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class Spending:
    """What a run has asked of the model so far: the provider's id of the last call, tokens where it told them.

    model  that answered, when it was not the one of the claim
    """

    model: str = ""
    upstream_request_id: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """That an answer named figures which nothing had told the model: how many, and who wrote what stands instead."""

    figures: int
    by: str


@dataclass(frozen=True, slots=True)
class RunResult(Spending):
    """How the model ended an answer.

    text         what was shown
    replacement  set when that must be taken back: the text to stand in its place, empty when the model gave none
    correction   set when it is taken back because of its figures
    """

    text: str = ""
    finish_reason: str = ""
    replacement: str | None = None
    correction: Correction | None = None


@dataclass(frozen=True, slots=True)
class RunFailure:
    """Why an answer ended early; `text` is what was committed of it."""

    text: str
    error: ErrorCode
    reason: str
    upstream_request_id: str = ""


@transaction.atomic(durable=True)
def record_model_call(claimed: ClaimedRun, call: ModelCall, *, engine: str) -> None:
    """Note on the run and in the audit log what is about to be asked of the model."""
    note_model_call(claimed, call, engine=engine)


def note_model_call(claimed: ClaimedRun, call: ModelCall, *, engine: str) -> None:
    """The same inside the caller's transaction."""
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


def store_token_counts(messages: Sequence[Message]) -> None:
    """Keep what the provider counted, so that each message is counted once."""
    Message.objects.bulk_update(messages, ["token_count"])


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
    release_slots([claimed.run_id])
    text, replaced = choose_text(claimed, result)
    answer = store_answer(turn, text, now)
    close_completed_run(claimed, result, finish=result.finish_reason, engine=engine, now=now)
    close_turn(conversation, turn, TurnState.COMPLETED, now, finish_reason=result.finish_reason)
    completed = events.TurnCompleted(
        turn=turn.pk,
        msg=turn.answer_id,
        finish=result.finish_reason,
        bytes=len(text.encode()),
        sum=digest_text(text),
        usage=build_usage(result),
    )
    append_events(conversation, [*replaced, events.encode(completed)], turn_id=turn.pk)
    context = build_engine_context(engine)
    if result.correction is not None:
        details: dict[str, str | int] = {"figures": result.correction.figures, "by": result.correction.by}
        record_turn(context, AuditAction.ANSWER_CORRECTED, turn, customer_id=claimed.customer_id, details=details)
    record_turn(
        context,
        AuditAction.TURN_FINISHED,
        turn,
        customer_id=claimed.customer_id,
        details={**describe_text(answer), "finish": result.finish_reason, "attempt": claimed.attempt},
    )


def close_completed_run(claimed: ClaimedRun, spent: Spending, *, finish: str, engine: str, now: datetime) -> None:
    """End the run by its own will and count what it used, in the transaction that says why."""
    model = spent.model or claimed.model
    Run.objects.filter(pk=claimed.run_id).update(
        state=RunState.COMPLETED,
        model=model,
        finished_at=now,
        finish_reason=finish,
        upstream_request_id=spent.upstream_request_id,
        prompt_tokens=spent.prompt_tokens,
        completion_tokens=spent.completion_tokens,
        cached_tokens=spent.cached_tokens,
    )
    count_tokens_used(
        build_engine_context(engine),
        customer_id=claimed.customer_id,
        model=model,
        tokens=(spent.prompt_tokens or 0, spent.completion_tokens or 0, spent.cached_tokens or 0),
        now=now,
    )


@transaction.atomic(durable=True)
def take_back_text(claimed: ClaimedRun, kept: str) -> int:
    """Take back what was shown beyond `kept`, because it was no text for a customer; return the event's position.

    Raises: RunLost
    """
    conversation, turn = lock_claimed(claimed)
    replaced = build_replaced(claimed, kept, why="call")
    [event] = append_events(conversation, [events.encode(replaced)], turn_id=turn.pk)
    return event.seq


def choose_text(claimed: ClaimedRun, result: RunResult) -> tuple[str, list[tuple[EventType, str]]]:
    """Return the text that stands in the end, and the event that takes back what was shown, if it must be."""
    if result.replacement is None:
        return result.text, []
    text = result.replacement or build_refusal(claimed.customer_id)
    if text == result.text:
        return text, []
    why = "policy" if result.correction is None else "figures"
    return text, [events.encode(build_replaced(claimed, text, why=why))]


def build_replaced(claimed: ClaimedRun, text: str, *, why: str) -> events.MessageReplaced:
    return events.MessageReplaced(
        msg=claimed.message_id, text=text, bytes=len(text.encode()), sum=digest_text(text), why=why
    )


def build_refusal(customer_id: UUID) -> str:
    """Return our own words for a topic that the model's provider does not allow, in the customer's language."""
    language = Customer.objects.values_list("language", flat=True).get(pk=customer_id)
    with translation.override(language):
        return gettext("I cannot talk about this topic. I can help with questions about the bank.")


def build_usage(result: Spending) -> UsageBody | None:
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
    release_slots([claimed.run_id])
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

"""The customer's side of a turn: start it, cancel it.

Every act locks the conversation first, so the order of locks is the same everywhere.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry
from chat.enums import FINAL_TURN_STATES, BusyPolicy, Role, RunState, TurnState
from chat.errors import (
    ConversationClosed,
    ConversationNotFound,
    MessageConflict,
    QueueFull,
    TooManyTurns,
    TurnBusy,
    TurnNotFound,
)
from chat.models import Conversation, Turn
from chat.protocol import events
from chat.protocol.frames import digest_text
from chat.queue import estimate_wait, measure_answer_time
from chat.selectors import get_streamed_text
from chat.services.endings import build_message, close_run, close_turn, describe_text, record_turn, store_answer
from chat.services.files import attach_files, describe_file
from chat.services.questions import close_question
from chat.services.usage import refuse_over_budget
from chat.stream import append_events, lock_conversation
from functions.enums import ConfirmationState

TITLE_CHARS = 80
# A phone that keeps sending while an answer runs may line up this many turns.
MAX_QUEUED_TURNS = 5


@dataclass(frozen=True, slots=True)
class Submission:
    """What the phone sent: `mid` names the message on the phone, `is_new` allows a new conversation.

    session_id  decides which functions the model may call for the customer; None: only what is public
    """

    mid: UUID
    text: str
    device_id: str
    session_id: UUID | None = None
    busy: BusyPolicy = BusyPolicy.REJECT
    is_new: bool = False
    file_ids: tuple[UUID, ...] = ()

    @property
    def fingerprint(self) -> str:
        # A text holds no U+0000, so the parts cannot run into each other.
        content = "\0".join([self.text, *map(str, self.file_ids)])
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class AcceptedTurn:
    """The turn of a submission; `seq` is the position of its `turn.accepted` in the log's `epoch`."""

    turn_id: UUID
    question_id: UUID
    epoch: str
    seq: int
    is_duplicate: bool


@transaction.atomic(durable=True)
def start_turn(
    context: AuditContext, *, customer_id: UUID, conversation_id: UUID, submission: Submission
) -> AcceptedTurn:
    """Store the customer's message and queue a turn for it; the conversation is opened when `is_new`.

    A repeated `mid` with the same content returns the first turn and writes nothing. Conversation, message, turn,
    events and audit entries commit together.

    Raises: ConversationNotFound, ConversationClosed, MessageConflict, TurnBusy, TooManyTurns, BudgetUsedUp, QueueFull,
    FileUnknown
    """
    conversation = lock_own_conversation(customer_id, conversation_id, submission)
    # Read under the lock: messages of one conversation are paged by time, so time must follow the order of commits.
    now = timezone.now()
    known = Turn.objects.filter(conversation=conversation, mid=submission.mid).first()
    if known is not None:
        return repeat_turn(conversation, known, submission)
    if conversation.closed_at is not None:
        raise ConversationClosed
    refuse_above_rate(customer_id, now)
    refuse_over_budget(customer_id, now)
    refuse_full_queue()
    make_room(context, conversation, submission, now)
    if conversation.top == 0:
        open_log(context, conversation, submission)
    return store_turn(context, conversation, submission, now)


def lock_own_conversation(customer_id: UUID, conversation_id: UUID, submission: Submission) -> Conversation:
    """Return the customer's conversation, locked, making it first when the submission may.

    Raises: ConversationNotFound, for unknown and foreign conversations alike.
    """
    if submission.is_new:
        now = timezone.now()
        row = Conversation(pk=conversation_id, customer_id=customer_id, created_at=now, last_turn_at=now)
        # Sending the first message twice at once must end in one conversation, so a conflict is not an error.
        Conversation.objects.bulk_create([row], ignore_conflicts=True)
    conversation = lock_conversation(conversation_id)
    if conversation.customer_id != customer_id:
        raise ConversationNotFound
    return conversation


def repeat_turn(conversation: Conversation, known: Turn, submission: Submission) -> AcceptedTurn:
    if known.fingerprint != submission.fingerprint:
        raise MessageConflict
    return AcceptedTurn(known.pk, known.question_id, conversation.epoch, known.accepted_seq, is_duplicate=True)


def refuse_above_rate(customer_id: UUID, now: datetime) -> None:
    """Raise TooManyTurns when the customer used up the turns of the last minute or hour."""
    for window_seconds, limit in ((60, settings.TURNS_PER_MINUTE), (3600, settings.TURNS_PER_HOUR)):
        since = now - timedelta(seconds=window_seconds)
        recent = Turn.objects.filter(conversation__customer_id=customer_id, accepted_at__gt=since)
        # The turn that leaves the window first decides how long to wait.
        oldest = list(recent.order_by("-accepted_at").values_list("accepted_at", flat=True)[:limit])
        if len(oldest) == limit:
            wait = oldest[-1] - since
            raise TooManyTurns(
                limit=limit, window_seconds=window_seconds, retry_after_ms=int(wait.total_seconds() * 1000) + 1
            )


def refuse_full_queue() -> None:
    """Raise QueueFull while QUEUE_LIMIT turns wait: an early no is better than a spinner."""
    waiting = Turn.objects.filter(state=TurnState.QUEUED).count()
    if waiting >= settings.QUEUE_LIMIT:
        wait = estimate_wait(waiting, streams=settings.GIGACHAT_STREAMS, answer_time=measure_answer_time())
        raise QueueFull(int(wait.total_seconds() * 1000))


def make_room(context: AuditContext, conversation: Conversation, submission: Submission, now: datetime) -> None:
    """Apply the submission's busy policy to the unfinished turns of its conversation."""
    unfinished = list(
        Turn.objects.filter(conversation=conversation).exclude(state__in=FINAL_TURN_STATES).order_by("accepted_at")
    )
    if not unfinished:
        return
    if submission.busy == BusyPolicy.INTERRUPT:
        for turn in unfinished:
            end_by_customer(context, conversation, turn, submission.device_id, now, state=ConfirmationState.SUPERSEDED)
    elif submission.busy == BusyPolicy.REJECT or len(unfinished) > MAX_QUEUED_TURNS:
        raise TurnBusy(unfinished[0].pk)


def open_log(context: AuditContext, conversation: Conversation, submission: Submission) -> None:
    """Write the first event of a conversation and record who opened it."""
    conversation.title = " ".join(submission.text.split())[:TITLE_CHARS]
    conversation.save(update_fields=["title"])
    append_events(conversation, [events.encode(events.ConversationCreated(title=conversation.title))], turn_id=None)
    record_entry(
        context,
        AuditAction.CONVERSATION_OPENED,
        subject="conversation",
        subject_id=str(conversation.pk),
        customer_id=conversation.customer_id,
        conversation_id=conversation.pk,
    )


def store_turn(
    context: AuditContext, conversation: Conversation, submission: Submission, now: datetime
) -> AcceptedTurn:
    """Write turn, message, event and audit entry of a new submission."""
    turn = Turn(
        conversation=conversation,
        mid=submission.mid,
        fingerprint=submission.fingerprint,
        device_id=submission.device_id,
        session_id=submission.session_id,
        accepted_at=now,
        accepted_seq=conversation.top + 1,
    )
    turn.save(force_insert=True)
    message = build_message(turn, Role.USER, submission.text, now)
    message.save(force_insert=True)
    files = attach_files(context, turn, message, customer_id=conversation.customer_id, file_ids=submission.file_ids)
    conversation.last_turn_at = now
    accepted = events.TurnAccepted(
        turn=turn.pk,
        msg=message.pk,
        mid=submission.mid,
        text=submission.text,
        files=tuple(map(describe_file, files)) or None,
        dev=submission.device_id,
    )
    append_events(conversation, [events.encode(accepted)], turn_id=turn.pk)
    record_turn(
        context,
        AuditAction.TURN_STARTED,
        turn,
        customer_id=conversation.customer_id,
        details=describe_text(message),
    )
    return AcceptedTurn(turn.pk, message.pk, conversation.epoch, turn.accepted_seq, is_duplicate=False)


@transaction.atomic(durable=True)
def cancel_turn(
    context: AuditContext, *, customer_id: UUID, conversation_id: UUID, turn_id: UUID, device_id: str
) -> bool:
    """End a turn by the customer's wish, keeping the text committed so far; return False when it had already ended.

    The conversation's fence moves on in the same transaction, so the engine that was answering can add nothing: the
    last piece a phone sees is the one the cancelled text ends with.

    Raises: ConversationNotFound, TurnNotFound
    """
    conversation = lock_conversation(conversation_id)
    if conversation.customer_id != customer_id:
        raise ConversationNotFound
    turn = Turn.objects.filter(pk=turn_id, conversation=conversation).first()
    if turn is None:
        raise TurnNotFound
    if TurnState(turn.state).is_final:
        return False
    end_by_customer(context, conversation, turn, device_id, timezone.now())
    return True


def end_by_customer(
    context: AuditContext,
    conversation: Conversation,
    turn: Turn,
    device_id: str,
    now: datetime,
    *,
    state: ConfirmationState = ConfirmationState.CANCELLED,
) -> None:
    """End the turn where it stands; the question it waits with is closed first, as `state`."""
    closed = close_question(context, conversation, turn, state, now)
    text = get_streamed_text(turn) if turn.attempt else ""
    answer = store_answer(turn, text, now)
    close_run(turn, RunState.CANCELLED, now)
    close_turn(conversation, turn, TurnState.CANCELLED, now)
    cancelled = events.TurnCancelled(
        turn=turn.pk,
        msg=turn.answer_id if answer else None,
        bytes=len(text.encode()),
        sum=digest_text(text),
        dev=device_id,
    )
    append_events(conversation, [*closed, events.encode(cancelled)], turn_id=turn.pk)
    record_turn(
        context,
        AuditAction.TURN_CANCELLED,
        turn,
        customer_id=conversation.customer_id,
        details=describe_text(answer),
    )

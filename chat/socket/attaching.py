"""How a socket comes to follow a conversation: where the phone stands, what it gets, and from where it goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.db import transaction

from chat.database import run_in_database
from chat.enums import TurnState
from chat.errors import ConversationNotFound
from chat.models import Turn
from chat.protocol.commands import Position
from chat.protocol.events import ConfirmRequested
from chat.protocol.frames import digest_text
from chat.protocol.replies import ActiveTurn, Attachment, DeniedAttachment, ResumeMode, SnapshotReason
from chat.protocol.states import StateContent, StateMessage, encode_state_frames
from chat.selectors import LogHead, get_streamed_text, list_log_heads, list_newest_messages, list_unfinished_turns
from chat.services.files import describe_files
from chat.services.questions import list_questions
from chat.socket.session import Cursor, Session
from chat.stream import lock_conversation

SNAPSHOT_MESSAGES = 50
ACTIVE_STATES: dict[str, Literal["queued", "running", "awaiting_confirm"]] = {
    TurnState.QUEUED: "queued",
    TurnState.RUNNING: "running",
    TurnState.AWAITING_CONFIRM: "awaiting_confirm",
}


@dataclass(frozen=True, slots=True)
class Want:
    """One conversation a phone wants to follow, and the held cursor made for it."""

    conversation_id: UUID
    position: Position
    cursor: Cursor


def hold_cursors(session: Session, positions: Sequence[tuple[UUID, Position]]) -> list[Want]:
    """Register for wake-ups of each conversation before anything is read of it."""
    return [Want(key, position, session.follow(key)) for key, position in positions]


async def attach(session: Session, wants: Sequence[Want]) -> list[Attachment | DeniedAttachment]:
    """Return the answer for each wanted conversation; those that are not the customer's are let go again."""
    customer_id = session.require_claims().customer_id
    found = await run_in_database(read_heads, customer_id, [want.conversation_id for want in wants])
    return [answer_want(session, want, *found.get(want.conversation_id, (None, ()))) for want in wants]


def read_heads(
    customer_id: UUID, conversation_ids: Sequence[UUID]
) -> dict[UUID, tuple[LogHead, tuple[ConfirmRequested, ...]]]:
    """Return log head and open questions of the customer's own conversations; three queries."""
    heads = list_log_heads(customer_id, conversation_ids)
    questions = list_questions(heads)
    return {key: (head, questions.get(key, ())) for key, head in heads.items()}


def answer_want(
    session: Session, want: Want, head: LogHead | None, questions: tuple[ConfirmRequested, ...]
) -> Attachment | DeniedAttachment:
    if head is None:
        session.unfollow(want.conversation_id)
        return DeniedAttachment(c=want.conversation_id)
    want.cursor.top = max(want.cursor.top, head.top)
    why = find_snapshot_reason(want.position, head)
    if why is not None:
        mode = ResumeMode.SNAPSHOT
    else:
        want.cursor.sent = want.position.s or 0
        mode = ResumeMode.LIVE if want.cursor.sent == head.top else ResumeMode.REPLAY
    return Attachment(
        c=head.conversation_id,
        e=head.epoch,
        top=head.top,
        mode=mode,
        why=why,
        active=describe_active(head.active_turn),
        confirms=questions,
    )


def find_snapshot_reason(position: Position, head: LogHead) -> SnapshotReason | None:
    """Return why the phone's position cannot be continued from, or None."""
    if position.e is None or position.s is None:
        return SnapshotReason.NEW
    if position.e != head.epoch:
        return SnapshotReason.EPOCH
    return SnapshotReason.AHEAD if position.s > head.top else None


def describe_active(turn: Turn | None) -> ActiveTurn | None:
    if turn is None:
        return None
    return ActiveTurn(turn=turn.pk, state=ACTIVE_STATES[turn.state], attempt=turn.attempt, msg=turn.answer_id)


async def begin(session: Session, wants: Sequence[Want], answers: Sequence[Attachment | DeniedAttachment]) -> None:
    """Send the states that are due and let the cursors go; call after the reply that announced them."""
    for want, answer in zip(wants, answers, strict=True):
        if session.cursors.get(want.conversation_id) is not want.cursor:
            continue
        if answer.mode == ResumeMode.SNAPSHOT:
            await send_state(session, want)
        session.release_cursor(want.cursor)


async def send_state(session: Session, want: Want) -> None:
    """Send the conversation as of one position and put the cursor there."""
    try:
        seq, frames = await run_in_database(build_state, want.conversation_id)
    except ConversationNotFound:
        session.unfollow(want.conversation_id)
        return
    for frame in frames:
        await session.send(frame)
    want.cursor.sent = seq
    session.window.add(want.conversation_id, seq, sum(len(frame.encode()) for frame in frames))


@transaction.atomic
def build_state(conversation_id: UUID) -> tuple[int, list[str]]:
    """Return a log position and the frames of the conversation's state at exactly that position.

    The row lock keeps appends out while messages and unfinished answers are read.
    """
    conversation = lock_conversation(conversation_id)
    newest = list_newest_messages(conversation_id, SNAPSHOT_MESSAGES + 1)
    messages = [
        StateMessage(
            msg=message.pk,
            turn=message.turn_id,
            role="user" if message.role == "user" else "assistant",
            text=message.text,
            files=describe_files(message),
            bytes=message.size_bytes,
            sum=message.digest,
        )
        for message in newest[-SNAPSHOT_MESSAGES:]
    ]
    messages += [build_partial(turn) for turn in list_unfinished_turns(conversation_id) if turn.attempt]
    head = list_log_heads(conversation.customer_id, [conversation_id])[conversation_id]
    content = StateContent(
        title=conversation.title,
        messages=messages,
        older=len(newest) > SNAPSHOT_MESSAGES,
        active=describe_active(head.active_turn),
        is_closed=conversation.closed_at is not None,
        confirms=list_questions([conversation_id]).get(conversation_id, ()),
    )
    return conversation.top, encode_state_frames(conversation_id, conversation.top, content)


def build_partial(turn: Turn) -> StateMessage:
    """Return the answer that is being written, as far as it is committed."""
    text = get_streamed_text(turn)
    return StateMessage(
        msg=turn.answer_id,
        turn=turn.pk,
        role="assistant",
        text=text,
        bytes=len(text.encode()),
        sum=digest_text(text),
        partial=True,
    )

"""Reads of conversations; `access_*` is the only way to fetch on somebody's behalf."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from chat.enums import FINAL_TURN_STATES, FileKind, FileState, TurnState
from chat.errors import ConversationNotFound, FileUnknown
from chat.models import AssistantProfile, Conversation, ConversationEvent, Message, MessageFile, StoredFile, Turn
from chat.protocol.events import EventType, read_delta_text
from functions.models import Confirmation

TEXT_EVENTS = (EventType.TEXT_DELTA, EventType.MSG_RESET, EventType.MSG_REPLACED)


@dataclass(frozen=True, slots=True)
class LogHead:
    """Where a conversation's log stands, and what is going on in it."""

    conversation_id: UUID
    epoch: str
    top: int
    active_turn: Turn | None


def with_files() -> "Prefetch[str]":
    """Return what reads the files of messages along with them, in order: one query, however many there are."""
    return Prefetch("attached", MessageFile.objects.select_related("file"))


def access_conversation(customer_id: UUID, conversation_id: UUID) -> Conversation:
    """Return the customer's conversation.

    Raises: ConversationNotFound, for unknown and foreign conversations alike.
    """
    found = Conversation.objects.filter(pk=conversation_id, customer_id=customer_id).first()
    if found is None:
        raise ConversationNotFound
    return found


def access_file(customer_id: UUID, file_id: UUID) -> StoredFile:
    """Return the customer's file.

    Raises: FileUnknown, for unknown, foreign and deleted files alike.
    """
    found = StoredFile.objects.filter(pk=file_id, customer_id=customer_id, state=FileState.STORED).first()
    if found is None:
        raise FileUnknown(file_id)
    return found


def list_conversations(customer_id: UUID) -> QuerySet[Conversation]:
    """Return the customer's conversations, the one last used first."""
    return Conversation.objects.filter(customer_id=customer_id).order_by("-last_turn_at", "-id")


def list_messages(conversation: Conversation) -> QuerySet[Message]:
    """Return the finished messages of a conversation with their files, oldest first."""
    return Message.objects.filter(conversation=conversation).prefetch_related(with_files()).order_by("created_at", "id")


def list_prompt_history(turn_id: UUID, limit: int = 200) -> list[Message]:
    """Return what a model answering the turn should know, oldest first, the turn's own question last.

    Turns that the provider's filter ended are left out with their questions: repeating them would trip it again.
    """
    turn = Turn.objects.get(pk=turn_id)
    # By turn, not by time: an answer may be younger than a question that waited behind it.
    known = Message.objects.filter(conversation_id=turn.conversation_id, turn__accepted_at__lte=turn.accepted_at)
    known = known.exclude(turn__finish_reason="blocked").prefetch_related(with_files())
    known = known.order_by("-turn__accepted_at", "-turn_id", "role")
    return list(known[:limit])[::-1]


def list_turn_payloads(turn_id: UUID) -> tuple[str, ...]:
    """Return the terms of every question the turn put to the customer, as JSON, oldest first."""
    rows = Confirmation.objects.filter(turn_id=turn_id).order_by("created_at", "pk").values_list("payload", flat=True)
    return tuple(bytes(payload).decode() for payload in rows)


def has_pictures(turn: Turn) -> bool:
    """Return whether the question, or one before it, shows a picture that still exists."""
    known = MessageFile.objects.filter(
        message__conversation_id=turn.conversation_id, message__turn__accepted_at__lte=turn.accepted_at
    )
    return known.filter(file__kind=FileKind.IMAGE, file__state=FileState.STORED).exists()


def list_log_heads(customer_id: UUID, conversation_ids: Iterable[UUID]) -> dict[UUID, LogHead]:
    """Return the heads of the customer's own conversations among `conversation_ids`; always two queries."""
    conversations = Conversation.objects.filter(customer_id=customer_id, pk__in=list(conversation_ids))
    heads = {row.pk: row for row in conversations}
    turns = Turn.objects.filter(conversation_id__in=heads).exclude(state__in=FINAL_TURN_STATES).order_by("-accepted_at")
    # A begun turn matters more to the phone than those queued behind it; the oldest wins otherwise.
    active: dict[UUID, Turn] = {}
    for turn in sorted(turns, key=lambda turn: turn.state == TurnState.QUEUED, reverse=True):
        active[turn.conversation_id] = turn
    return {key: LogHead(key, row.epoch, row.top, active.get(key)) for key, row in heads.items()}


def get_streamed_text(turn: Turn) -> str:
    """Return the committed text of the turn's answer as it stands, joined from the log."""
    bodies = ConversationEvent.objects.filter(
        conversation_id=turn.conversation_id, turn_id=turn.pk, type__in=TEXT_EVENTS
    ).order_by("seq")
    pieces: list[str] = []
    for kind, body in bodies.values_list("type", "body"):
        if kind != EventType.TEXT_DELTA:
            pieces.clear()
        if kind != EventType.MSG_RESET:
            pieces.append(read_delta_text(body))
    return "".join(pieces)


def list_newest_messages(conversation_id: UUID, limit: int) -> list[Message]:
    """Return the last `limit` finished messages, oldest first."""
    newest = Message.objects.filter(conversation_id=conversation_id).prefetch_related(with_files())
    newest = newest.order_by("-created_at", "-id")
    return list(newest[:limit])[::-1]


def list_unfinished_turns(conversation_id: UUID) -> list[Turn]:
    """Return the turns that have not ended, oldest first."""
    unfinished = Turn.objects.filter(conversation_id=conversation_id).exclude(state__in=FINAL_TURN_STATES)
    return list(unfinished.order_by("accepted_at", "id"))


def get_default_profile() -> AssistantProfile:
    """Return how the model is asked: the row that staff made the default, else the built-in one."""
    return AssistantProfile.objects.filter(is_default=True).first() or AssistantProfile(name="built-in")

"""Reads of conversations; `access_*` is the only way to fetch on somebody's behalf."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from chat.enums import FINAL_TURN_STATES, RunState, TurnState
from chat.errors import ConversationNotFound
from chat.models import Conversation, ConversationEvent, Message, Run, Turn
from chat.protocol.events import EventType

TEXT_EVENTS = (EventType.TEXT_DELTA, EventType.MSG_RESET)


@dataclass(frozen=True, slots=True)
class LogHead:
    """Where a conversation's log stands, and what is going on in it."""

    conversation_id: UUID
    epoch: str
    top: int
    active_turn: Turn | None


def access_conversation(customer_id: UUID, conversation_id: UUID) -> Conversation:
    """Return the customer's conversation.

    Raises: ConversationNotFound, for unknown and foreign conversations alike.
    """
    found = Conversation.objects.filter(pk=conversation_id, customer_id=customer_id).first()
    if found is None:
        raise ConversationNotFound
    return found


def list_conversations(customer_id: UUID) -> QuerySet[Conversation]:
    """Return the customer's conversations, the one last used first."""
    return Conversation.objects.filter(customer_id=customer_id).order_by("-last_turn_at", "-id")


def list_messages(conversation: Conversation) -> QuerySet[Message]:
    """Return the finished messages of a conversation, oldest first."""
    return Message.objects.filter(conversation=conversation).order_by("created_at", "id")


def list_log_heads(customer_id: UUID, conversation_ids: Iterable[UUID]) -> dict[UUID, LogHead]:
    """Return the heads of the customer's own conversations among `conversation_ids`; two queries whatever the number."""
    conversations = Conversation.objects.filter(customer_id=customer_id, pk__in=list(conversation_ids))
    heads = {row.pk: row for row in conversations}
    turns = Turn.objects.filter(conversation_id__in=heads).exclude(state__in=FINAL_TURN_STATES).order_by("-accepted_at")
    # A running turn matters more to the phone than those queued behind it; the oldest wins otherwise.
    active: dict[UUID, Turn] = {}
    for turn in sorted(turns, key=lambda turn: turn.state != TurnState.RUNNING, reverse=True):
        active[turn.conversation_id] = turn
    return {key: LogHead(key, row.epoch, row.top, active.get(key)) for key, row in heads.items()}


def get_streamed_text(turn: Turn) -> str:
    """Return the committed text of the turn's current attempt, joined from the log."""
    bodies = ConversationEvent.objects.filter(
        conversation_id=turn.conversation_id, turn_id=turn.pk, type__in=TEXT_EVENTS
    ).order_by("seq")
    pieces: list[str] = []
    for kind, body in bodies.values_list("type", "body"):
        if kind == EventType.MSG_RESET:
            pieces.clear()
        else:
            pieces.append(read_delta_text(body))
    return "".join(pieces)


def list_turn_runs(turn: Turn) -> QuerySet[Run]:
    return Run.objects.filter(turn=turn).order_by("attempt")


def find_running_run(turn: Turn) -> Run | None:
    return Run.objects.filter(turn=turn, state=RunState.RUNNING).first()

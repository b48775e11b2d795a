"""The event log of a conversation: append, read, and tell this process what was committed.

Every append holds the conversation's row until commit, so positions become visible in order and without holes; a
database sequence would not give that. Nothing is announced before its commit.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models import Q

from chat.enums import UNFINISHED_TURN_STATES
from chat.errors import ConversationNotFound
from chat.models import Conversation, ConversationEvent, Turn
from chat.protocol.events import EventType


class StoredEvent(NamedTuple):
    """One committed fact: its position, type and the JSON of its frame's `d`.

    A named tuple because one is made per piece of text and thousands are kept: a frozen dataclass costs three times as
    much to make, and stays among what the garbage collector walks through.
    """

    seq: int
    type: str
    body: str


class Appended(NamedTuple):
    """What one commit added to one conversation, in order."""

    conversation_id: UUID
    events: tuple[StoredEvent, ...]


class PendingDelta(NamedTuple):
    """One piece of an answer waiting for its commit; `fence` proves that the writer still owns the turn."""

    conversation_id: UUID
    turn_id: UUID
    fence: int
    body: str


Listener = Callable[[Sequence[Appended]], None]
_listeners: list[Listener] = []


def add_listener(listener: Listener) -> None:
    """Call `listener` after each commit of this process, on whatever thread committed; it must not block."""
    _listeners.append(listener)


def remove_listener(listener: Listener) -> None:
    _listeners.remove(listener)


def announce(appended: Sequence[Appended]) -> None:
    """Tell this process's listeners what has just been committed."""
    for listener in tuple(_listeners):
        listener(appended)


def lock_conversation(conversation_id: UUID) -> Conversation:
    """Return the conversation's row, locked until the transaction ends; the first lock of every act.

    Raises: ConversationNotFound
    """
    # NO KEY: inserting rows that point at the conversation must not wait for us, nor we for them.
    found = Conversation.objects.select_for_update(no_key=True).filter(pk=conversation_id).first()
    if found is None:
        raise ConversationNotFound
    return found


def append_events(
    conversation: Conversation, events: Iterable[tuple[EventType, str]], *, turn_id: UUID | None
) -> tuple[StoredEvent, ...]:
    """Append events to a conversation locked by `lock_conversation`; they are announced when the transaction commits.

    events  (type, body JSON) in order
    The caller saves nothing: `top` and `fence` of the given row are written here.
    """
    stored = tuple(
        StoredEvent(seq=seq, type=kind, body=body) for seq, (kind, body) in enumerate(events, conversation.top + 1)
    )
    ConversationEvent.objects.bulk_create(
        ConversationEvent(
            conversation_id=conversation.pk, seq=event.seq, type=event.type, turn_id=turn_id, body=event.body
        )
        for event in stored
    )
    conversation.top += len(stored)
    conversation.save(update_fields=["top", "fence", "last_turn_at"])
    appended = Appended(conversation.pk, stored)
    transaction.on_commit(lambda: announce([appended]))
    return stored


# The rows are locked in id order so that two processes with overlapping batches cannot deadlock. A conversation whose
# fence moved on simply yields no row. One JSON parameter and plain numbers back: adapting arrays of UUIDs in Python
# costs three times as much of this process's time as everything else here.
APPEND_DELTAS_SQL = """
WITH pending AS (
    SELECT * FROM json_to_recordset(%s::json)
        AS p(place integer, conversation_id uuid, fence bigint, turn_id uuid, body text)
), locked AS (
    SELECT c.id FROM chat_conversation c JOIN pending p ON p.conversation_id = c.id
    ORDER BY c.id FOR NO KEY UPDATE OF c
), bumped AS (
    UPDATE chat_conversation c SET top = c.top + 1
    FROM pending p, locked l
    WHERE c.id = l.id AND p.conversation_id = c.id AND c.fence = p.fence
    RETURNING p.place, c.id, c.top, p.turn_id, p.body
), stored AS (
    INSERT INTO chat_conversationevent (conversation_id, seq, type, turn_id, body, created_at)
    SELECT id, top, 'text.delta', turn_id, body, clock_timestamp() FROM bumped
)
SELECT place, top FROM bumped
"""


def encode_deltas(pending: Sequence[PendingDelta]) -> str:
    """Return the parameter of APPEND_DELTAS_SQL; `place` counts from 0."""
    rows = [
        {
            "place": place,
            "conversation_id": item.conversation_id,
            "fence": item.fence,
            "turn_id": item.turn_id,
            "body": item.body,
        }
        for place, item in enumerate(pending)
    ]
    return orjson.dumps(rows).decode()


def append_deltas(pending: Sequence[PendingDelta]) -> dict[UUID, int]:
    """Append one delta to each of several conversations in one statement, in the caller's transaction if there is one.

    Returns the position of each delta by conversation; a conversation that is missing has a newer fence: its writer
    lost the turn. Announces nothing: the caller does, with the events it still holds.
    """
    with connection.cursor() as cursor:
        cursor.execute(APPEND_DELTAS_SQL, [encode_deltas(pending)])
        return {pending[place].conversation_id: seq for place, seq in cursor.fetchall()}


def find_committed_delta(item: PendingDelta, *, after: int) -> int | None:
    """Return the position of a delta whose commit may or may not have arrived, or None.

    A connection that breaks during a commit leaves the question open; the body holds the byte offset, so an equal
    body after the writer's last known position can only be this very piece.
    """
    return (
        ConversationEvent.objects.filter(
            conversation_id=item.conversation_id, seq__gt=after, turn_id=item.turn_id, body=item.body
        )
        .values_list("seq", flat=True)
        .first()
    )


def read_events(conversation_id: UUID, after: int, limit: int) -> list[StoredEvent]:
    """Return up to `limit` events after position `after`, in order."""
    rows = (
        ConversationEvent.objects.filter(conversation_id=conversation_id, seq__gt=after)
        .order_by("seq")
        .values_list("seq", "type", "body")[:limit]
    )
    return [StoredEvent(*row) for row in rows]


def list_recent_tops(since: datetime) -> dict[UUID, int]:
    """Return the log heads of conversations with an unfinished turn or one that ended after `since`.

    This is the safety net under lost wake-ups: cheap, because only a handful of turns is unfinished.
    """
    recent = Turn.objects.filter(Q(state__in=UNFINISHED_TURN_STATES) | Q(finished_at__gt=since - timedelta(seconds=1)))
    return dict(recent.order_by().values_list("conversation_id", "conversation__top").distinct())

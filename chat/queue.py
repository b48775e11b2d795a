"""The queue of turns for GigaChat's parallel streams: who is next, at which place, and how long it may take."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Avg, F
from django.utils import timezone

from chat.enums import RunState
from chat.models import Run

# Answers this recent tell how long the next ones take.
RECENT = timedelta(minutes=15)
# Before anything was answered: a usual answer of a few sentences.
USUAL_ANSWER = timedelta(seconds=6)

# Fair by customer: whoever has the fewest running turns is served first, then who waits longest, so nobody is served
# twice while another waits. A conversation answers one turn at a time. Only unfinished turns are read, through the
# partial index.
WAITING_TURNS_SQL = """
WITH unfinished AS (
    SELECT t.id, t.conversation_id, t.state, t.accepted_at, c.customer_id
    FROM chat_turn t JOIN chat_conversation c ON c.id = t.conversation_id
    WHERE t.state IN ('queued', 'running', 'awaiting_confirm')
), running AS (
    SELECT customer_id, count(*) AS turns FROM unfinished WHERE state = 'running' GROUP BY customer_id
), waiting AS (
    SELECT DISTINCT ON (u.conversation_id) u.*
    FROM unfinished u
    WHERE u.state = 'queued' AND NOT EXISTS (
        SELECT FROM unfinished r WHERE r.conversation_id = u.conversation_id AND r.state <> 'queued')
    -- In order of acceptance, so one that a decision put back is served before those behind it.
    ORDER BY u.conversation_id, u.accepted_at, u.id
)
SELECT w.id, w.conversation_id
FROM waiting w LEFT JOIN running r ON r.customer_id = w.customer_id
ORDER BY coalesce(r.turns, 0) + row_number() OVER (PARTITION BY w.customer_id ORDER BY w.accepted_at, w.id),
         w.accepted_at, w.id
LIMIT %s
"""

# Waiting counts from when the turn could have been served: not while an older turn of its conversation ran or waited
# for the customer, nor while a lost engine held it or the customer decided.
OVERDUE_TURNS_SQL = """
SELECT t.id, t.conversation_id FROM chat_turn t
WHERE t.state = 'queued'
  AND NOT EXISTS (
      SELECT FROM chat_turn r
      WHERE r.conversation_id = t.conversation_id AND r.state IN ('running', 'awaiting_confirm'))
  AND greatest(
      t.accepted_at,
      (SELECT greatest(max(o.finished_at), max(o.resumed_at)) FROM chat_turn o
       WHERE o.conversation_id = t.conversation_id),
      (SELECT max(l.finished_at) FROM chat_run l WHERE l.turn_id = t.id)) < %s
"""


@dataclass(frozen=True, slots=True)
class WaitingTurn:
    """A turn that would run if a stream were free."""

    turn_id: UUID
    conversation_id: UUID


def list_waiting_turns(limit: int | None = None) -> list[WaitingTurn]:
    """Return the waiting turns, the one to be served next first."""
    return fetch_turns(WAITING_TURNS_SQL, limit)


def list_overdue_turns(before: datetime) -> list[WaitingTurn]:
    """Return the turns that have been waiting since before that moment."""
    return fetch_turns(OVERDUE_TURNS_SQL, before)


def fetch_turns(sql: str, parameter: int | datetime | None) -> list[WaitingTurn]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [parameter])
        return [WaitingTurn(*row) for row in cursor.fetchall()]


def measure_answer_time() -> timedelta:
    """Return how long an answer takes at the moment, on average."""
    recent = Run.objects.filter(started_at__gt=timezone.now() - RECENT, state=RunState.COMPLETED)
    average = recent.aggregate(average=Avg(F("finished_at") - F("started_at")))["average"]
    return average or USUAL_ANSWER


def estimate_wait(position: int, *, streams: int, answer_time: timedelta) -> timedelta:
    """Return when the turn at `position` (from 1) is probably served, with all `streams` busy now."""
    return answer_time * position / streams


@dataclass(frozen=True, slots=True)
class Place:
    """Where a waiting turn stands; position 1 is served next."""

    turn_id: UUID
    conversation_id: UUID
    position: int
    wait_ms: int


def list_places() -> list[Place]:
    """Return the place of every waiting turn; one query when nothing waits."""
    waiting = list_waiting_turns()
    if not waiting:
        return []
    answer_time = measure_answer_time()
    places = []
    for position, turn in enumerate(waiting, 1):
        wait = estimate_wait(position, streams=settings.GIGACHAT_STREAMS, answer_time=answer_time)
        places.append(Place(turn.turn_id, turn.conversation_id, position, int(wait.total_seconds() * 1000)))
    return places

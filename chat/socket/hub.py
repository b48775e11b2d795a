"""The node's switchboard: which sockets follow which conversation, and the newest events of those conversations.

Sockets never get events from here; they are told that a log grew and read it themselves, through `read`, which
answers from memory when it can. So a lost or doubled wake-up is harmless.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from chat.database import run_in_database
from chat.stream import Appended, StoredEvent, add_listener, read_events, remove_listener

logger = logging.getLogger(__name__)

TAIL_EVENTS = 2000
TAIL_CHARS = 512 * 1024


class Follower(Protocol):
    """What the hub needs of a socket."""

    def wake(self, conversation_id: UUID, top: int) -> None: ...

    async def send(self, text: str) -> None: ...


class Tail:
    """The newest events of one conversation, without holes; bounded in number and size."""

    def __init__(self) -> None:
        self._events: deque[StoredEvent] = deque()
        self._chars = 0

    def extend(self, events: Sequence[StoredEvent]) -> None:
        """Add committed events; a hole before them, or an overlap, starts the tail afresh."""
        if self._events and events[0].seq != self._events[-1].seq + 1:
            self._events.clear()
            self._chars = 0
        self._events.extend(events)
        self._chars += sum(len(event.body) for event in events)
        while len(self._events) > TAIL_EVENTS or self._chars > TAIL_CHARS:
            self._chars -= len(self._events.popleft().body)

    def read(self, after: int, limit: int) -> list[StoredEvent] | None:
        """Return up to `limit` events after position `after`, or None when they are not all here."""
        if not self._events or not self._events[0].seq <= after + 1 <= self._events[-1].seq:
            return None
        start = after + 1 - self._events[0].seq
        count = min(limit, len(self._events) - start)
        # From the right end: a follower is nearly always a few events behind.
        return [self._events[index] for index in range(start - len(self._events), start - len(self._events) + count)]


class Hub:
    """One per process and event loop. Everything but `notice` is called on that loop."""

    def __init__(self) -> None:
        self._followers: dict[UUID, set[Follower]] = {}
        self._tails: dict[UUID, Tail] = {}
        self._reads: dict[tuple[UUID, int], asyncio.Task[list[StoredEvent]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def followed(self) -> Collection[UUID]:
        return self._followers.keys()

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        add_listener(self.notice)

    def stop(self) -> None:
        remove_listener(self.notice)

    def attach(self, conversation_id: UUID, follower: Follower) -> None:
        """Wake the follower whenever the conversation's log grows."""
        self._followers.setdefault(conversation_id, set()).add(follower)
        self._tails.setdefault(conversation_id, Tail())

    def detach(self, conversation_id: UUID, follower: Follower) -> None:
        followers = self._followers.get(conversation_id)
        if followers is None:
            return
        followers.discard(follower)
        if not followers:
            del self._followers[conversation_id]
            del self._tails[conversation_id]

    def notice(self, appended: Sequence[Appended]) -> None:
        """Take what was committed in this process, on any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._publish, appended)

    def _publish(self, appended: Sequence[Appended]) -> None:
        for item in appended:
            tail = self._tails.get(item.conversation_id)
            if tail is not None:
                tail.extend(item.events)
                self._wake(item.conversation_id, item.events[-1].seq)

    def hint(self, tops: Mapping[UUID, int]) -> None:
        """Wake the followers of logs that grew elsewhere."""
        for conversation_id, top in tops.items():
            self._wake(conversation_id, top)

    def _wake(self, conversation_id: UUID, top: int) -> None:
        for follower in tuple(self._followers.get(conversation_id, ())):
            follower.wake(conversation_id, top)

    async def tell(self, conversation_id: UUID, frame: str) -> None:
        """Send something that is not in the log to the conversation's followers."""
        for follower in tuple(self._followers.get(conversation_id, ())):
            await follower.send(frame)

    async def read(self, conversation_id: UUID, after: int, limit: int) -> list[StoredEvent]:
        """Return up to `limit` events after position `after`, from memory or by one query for all who ask at once."""
        tail = self._tails.get(conversation_id)
        found = tail.read(after, limit) if tail else None
        if found is not None:
            return found
        key = (conversation_id, after)
        reading = self._reads.get(key)
        if reading is None:
            reading = asyncio.create_task(run_in_database(read_events, conversation_id, after, limit))
            self._reads[key] = reading
            reading.add_done_callback(lambda _task: self._reads.pop(key, None))
        # Shielded: a socket that goes away must not take the answer from the others.
        return await asyncio.shield(reading)

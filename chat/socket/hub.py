"""The node's switchboard: which sockets follow which conversation, and the newest events of those conversations.

Sockets are told that a log grew and read it themselves, through `read`, which answers from memory when it can. So a
lost or doubled wake-up is harmless. What a live answer consists of, one new event at a time, comes along with the
wake-up, encoded once for all who stand directly before it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from chat.database import run_in_database
from chat.protocol.frames import encode_event_frame
from chat.stream import Appended, StoredEvent, add_listener, read_events, remove_listener

logger = logging.getLogger(__name__)

TAIL_EVENTS = 2000
TAIL_CHARS = 512 * 1024


class LiveFrame(NamedTuple):
    """The frame of the one event that a log has just grown by."""

    seq: int
    text: str
    size_bytes: int


class Follower(Protocol):
    """What the hub needs of a socket."""

    def wake(self, conversation_id: UUID, top: int, live: LiveFrame | None = None) -> None: ...

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
        for event in events:
            self._chars += len(event.body)
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


class FollowedLog:
    """One conversation that sockets follow; `label` is its id as frames carry it, written out once."""

    __slots__ = ("followers", "label", "tail")

    def __init__(self, conversation_id: UUID) -> None:
        self.followers: set[Follower] = set()
        self.label = str(conversation_id)
        self.tail = Tail()

    def encode_live(self, events: Sequence[StoredEvent]) -> LiveFrame | None:
        """Return the frame of a single event; several are for the follower to merge."""
        if len(events) != 1:
            return None
        [event] = events
        text = encode_event_frame(self.label, event.seq, covered=1, kind=event.type, body=event.body)
        return LiveFrame(event.seq, text, len(text.encode()))


class Hub:
    """One per process and event loop. Everything but `notice` is called on that loop."""

    def __init__(self) -> None:
        self._logs: dict[UUID, FollowedLog] = {}
        self._reads: dict[tuple[UUID, int], asyncio.Task[list[StoredEvent]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def followed(self) -> Collection[UUID]:
        return self._logs.keys()

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        add_listener(self.notice)

    def stop(self) -> None:
        remove_listener(self.notice)

    def attach(self, conversation_id: UUID, follower: Follower) -> None:
        """Wake the follower whenever the conversation's log grows."""
        log = self._logs.get(conversation_id)
        if log is None:
            log = self._logs[conversation_id] = FollowedLog(conversation_id)
        log.followers.add(follower)

    def detach(self, conversation_id: UUID, follower: Follower) -> None:
        log = self._logs.get(conversation_id)
        if log is None:
            return
        log.followers.discard(follower)
        if not log.followers:
            del self._logs[conversation_id]

    def notice(self, appended: Sequence[Appended]) -> None:
        """Take what was committed in this process, on any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._publish, appended)

    def _publish(self, appended: Sequence[Appended]) -> None:
        for conversation_id, events in appended:
            log = self._logs.get(conversation_id)
            if log is not None:
                log.tail.extend(events)
                live, top = log.encode_live(events), events[-1].seq
                for follower in tuple(log.followers):
                    follower.wake(conversation_id, top, live)

    def hint(self, tops: Mapping[UUID, int]) -> None:
        """Wake the followers of logs that grew elsewhere."""
        for conversation_id, top in tops.items():
            for follower in self._list_followers(conversation_id):
                follower.wake(conversation_id, top)

    async def tell(self, conversation_id: UUID, frame: str) -> None:
        """Send something that is not in the log to the conversation's followers."""
        for follower in self._list_followers(conversation_id):
            await follower.send(frame)

    def _list_followers(self, conversation_id: UUID) -> Sequence[Follower]:
        log = self._logs.get(conversation_id)
        return () if log is None else tuple(log.followers)

    async def read(self, conversation_id: UUID, after: int, limit: int) -> list[StoredEvent]:
        """Return up to `limit` events after position `after`, from memory or by one query for all who ask at once."""
        log = self._logs.get(conversation_id)
        found = log.tail.read(after, limit) if log else None
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

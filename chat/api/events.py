"""The event log as JSON pages: what a phone without a socket reads, byte for byte the frames of the socket."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from chat.models import Conversation
from chat.protocol.frames import encode_event_frame
from chat.protocol.replies import ResumeMode, SnapshotReason
from chat.stream import StoredEvent, read_events

# A page stops growing here, whatever its limit says: one event may hold a long message.
PAGE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page starts, and what it means to the phone's state."""

    after: int
    mode: ResumeMode
    why: SnapshotReason | None = None


def choose_position(conversation: Conversation, *, epoch: str, after: int | None) -> Position:
    """Apply the socket's rules for resuming: a position that cannot be trusted starts the conversation anew."""
    if after is None:
        return Position(0, ResumeMode.SNAPSHOT, SnapshotReason.NEW)
    if epoch and epoch != conversation.epoch:
        return Position(0, ResumeMode.SNAPSHOT, SnapshotReason.EPOCH)
    if after > conversation.top:
        return Position(0, ResumeMode.SNAPSHOT, SnapshotReason.AHEAD)
    return Position(after, ResumeMode.LIVE if after == conversation.top else ResumeMode.REPLAY)


def encode_event_page(conversation: Conversation, position: Position, limit: int) -> bytes:
    """Return the page as JSON; the stored bodies are not read again.

    The conversation's head was read before its events, so there may be newer ones than its `top`: those are left to
    the next page, or the page would contradict itself.
    """
    found = read_events(conversation.pk, position.after, limit)
    events = cut_page([event for event in found if event.seq <= conversation.top])
    last = events[-1].seq if events else position.after
    head = {"epoch": conversation.epoch, "top": conversation.top, "from": position.after, "mode": position.mode}
    if position.why:
        head["why"] = position.why
    frames = ",".join(
        encode_event_frame(conversation.pk, event.seq, covered=1, kind=event.type, body=event.body) for event in events
    )
    more = "true" if last < conversation.top else "false"
    return f'{orjson.dumps(head).decode()[:-1]},"events":[{frames}],"more":{more}}}'.encode()


def cut_page(events: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
    """Return the longest beginning that fits PAGE_BYTES; at least one event, so that every page makes progress."""
    size = 0
    for index, event in enumerate(events):
        size += len(event.body.encode())
        if size > PAGE_BYTES and index:
            return events[:index]
    return events

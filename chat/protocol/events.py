"""The durable events of a conversation's log, server to phone; the only event types in the project.

Each class is the `d` of one event type. `encode` makes the stored body, which is sent as it is to every phone.
"""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import orjson
from pydantic import Field

from chat.protocol.bodies import Digest, ErrorBody, FileBody, SizeBytes, UsageBody, WireBody


class EventType(StrEnum):
    CONV_CREATED = "conv.created"
    CONV_UPDATED = "conv.updated"
    TURN_ACCEPTED = "turn.accepted"
    TURN_STARTED = "turn.started"
    MSG_RESET = "msg.reset"
    TEXT_DELTA = "text.delta"
    MSG_REPLACED = "msg.replaced"
    MSG_SNAPSHOT = "msg.snapshot"
    TURN_COMPLETED = "turn.completed"
    TURN_CANCELLED = "turn.cancelled"
    TURN_FAILED = "turn.failed"

    @property
    def is_terminal(self) -> bool:
        """True for the events that end a turn; each turn has exactly one, ever."""
        return self in TERMINAL_EVENTS


TERMINAL_EVENTS = frozenset({EventType.TURN_COMPLETED, EventType.TURN_CANCELLED, EventType.TURN_FAILED})


class ConversationCreated(WireBody):
    TYPE: ClassVar = EventType.CONV_CREATED

    title: str | None = None


class ConversationUpdated(WireBody):
    TYPE: ClassVar = EventType.CONV_UPDATED

    title: str | None = None


class TurnAccepted(WireBody):
    """The customer's message is stored and will be answered.

    mid  the phone's own id of the message
    dev  the device that sent it
    """

    TYPE: ClassVar = EventType.TURN_ACCEPTED

    turn: UUID
    msg: UUID
    mid: UUID
    text: str
    files: tuple[FileBody, ...] | None = None
    parent: UUID | None = None
    dev: str


class TurnStarted(WireBody):
    """A run begins to answer; `attempt` counts from 1, `msg` is the answer's id in every attempt."""

    TYPE: ClassVar = EventType.TURN_STARTED

    turn: UUID
    msg: UUID
    attempt: int = Field(ge=1)
    model: str


class MessageReset(WireBody):
    """The text of this message so far is void; `attempt` is the one that follows and starts at byte 0."""

    TYPE: ClassVar = EventType.MSG_RESET

    turn: UUID
    msg: UUID
    attempt: int = Field(ge=1)
    why: str


class TextDelta(WireBody):
    """Text to append at UTF-8 byte `off` of the current attempt; never cut inside a character."""

    TYPE: ClassVar = EventType.TEXT_DELTA

    msg: UUID
    off: SizeBytes
    text: str


class MessageReplaced(WireBody):
    """All text of the message is taken back and this stands in its place (`why`: `policy`)."""

    TYPE: ClassVar = EventType.MSG_REPLACED

    msg: UUID
    text: str
    bytes: SizeBytes
    sum: Digest
    why: str


class MessageSnapshot(WireBody):
    """The whole text of the message so far."""

    TYPE: ClassVar = EventType.MSG_SNAPSHOT

    msg: UUID
    attempt: int = Field(ge=1)
    text: str


class TurnCompleted(WireBody):
    """`bytes` and `sum` prove the text: a phone that holds another one attaches again without a position."""

    TYPE: ClassVar = EventType.TURN_COMPLETED

    turn: UUID
    msg: UUID
    finish: str
    bytes: SizeBytes
    sum: Digest
    usage: UsageBody | None = None


class TurnCancelled(WireBody):
    """The customer stopped the turn from device `dev`; `msg` is absent when no text had come."""

    TYPE: ClassVar = EventType.TURN_CANCELLED

    turn: UUID
    msg: UUID | None = None
    bytes: SizeBytes
    sum: Digest
    dev: str


class TurnFailed(WireBody):
    """The turn ended without a whole answer; `partial` says whether the text shown so far is kept."""

    TYPE: ClassVar = EventType.TURN_FAILED

    turn: UUID
    msg: UUID | None = None
    partial: bool
    bytes: SizeBytes | None = None
    sum: Digest | None = None
    error: ErrorBody


Event = (
    ConversationCreated
    | ConversationUpdated
    | TurnAccepted
    | TurnStarted
    | MessageReset
    | TextDelta
    | MessageReplaced
    | MessageSnapshot
    | TurnCompleted
    | TurnCancelled
    | TurnFailed
)


def encode(event: Event) -> tuple[EventType, str]:
    """Return the event's type and its body: compact JSON, letters as they are, absent optionals left out."""
    return event.TYPE, event.to_json()


def encode_text_delta(msg: UUID | str, off: int, text: str) -> str:
    """Return the same body as `encode(TextDelta(...))` without building a model; the engine's hot path."""
    return f'{{"msg":"{msg}","off":{off},"text":{orjson.dumps(text).decode()}}}'


def read_delta_text(body: str) -> str:
    """Return the text of a stored `text.delta` body."""
    text: str = orjson.loads(body)["text"]
    return text

"""The durable events of a conversation's log, server to phone; the only event types in the project.

Each class is the `d` of one event type. `encode` makes the stored body, which is sent as it is to every phone.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

import orjson
from pydantic import Field, JsonValue

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
    FUNCTION_STARTED = "function.started"
    FUNCTION_COMPLETED = "function.completed"
    CONFIRM_REQUESTED = "confirm.requested"
    CONFIRM_DECIDED = "confirm.decided"
    CONFIRM_CLOSED = "confirm.closed"
    OP_RESULT = "op.result"
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
    """What is given has changed; `closed`: nothing can be asked in it any more."""

    TYPE: ClassVar = EventType.CONV_UPDATED

    title: str | None = None
    closed: Literal[True] | None = None


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
    """All text of the message is taken back and this stands in its place.

    why  `policy`: the model's provider refused the topic; `figures`: the answer named figures nobody had given it;
         `call`: a part was no text for people, and the answer goes on behind what stands here
    """

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


class FunctionStarted(WireBody):
    """The assistant looks something up or prepares something for this turn.

    call         id of the call, ours
    name         of the function; `label` says it in the customer's language
    args_public  what may be shown of the arguments: handles and masked values
    """

    TYPE: ClassVar = EventType.FUNCTION_STARTED

    turn: UUID
    call: UUID
    name: str
    label: str
    args_public: Mapping[str, JsonValue]


class FunctionCompleted(WireBody):
    """The call is over.

    result_public  counts and codes, never values
    cards          what the app shows beside the answer, each with a `kind`; a kind it does not know is left out
    """

    TYPE: ClassVar = EventType.FUNCTION_COMPLETED

    turn: UUID
    call: UUID
    status: Literal["ok", "error", "denied", "timeout"]
    result_public: Mapping[str, JsonValue] | None = None
    cards: tuple[Mapping[str, JsonValue], ...] | None = None


class ConfirmRequested(WireBody):
    """A question to the customer; the turn waits for `confirm.decide`, at most until `exp_ms` (Unix milliseconds).

    payload      canonical JSON (RFC 8785): the app shows these terms and nothing else, and signs exactly these bytes
    hash         SHA-256 of the payload, base64url; `ssig` our signature over the payload, made with the key `kid`
    methods      any one of them approves: `tap`, `device_key`
    needs_payee  the customer must type whom the money goes to
    step_up      the password must be given again first
    warnings     closed codes that the app words
    """

    TYPE: ClassVar = EventType.CONFIRM_REQUESTED

    confirm: UUID
    turn: UUID
    call: UUID
    payload: str
    hash: str
    ssig: str
    kid: str
    exp_ms: int
    methods: tuple[str, ...]
    needs_payee: bool | None = None
    step_up: bool | None = None
    warnings: tuple[str, ...] | None = None


class ConfirmDecided(WireBody):
    """The customer said yes or no on the device `dev`."""

    TYPE: ClassVar = EventType.CONFIRM_DECIDED

    confirm: UUID
    decision: Literal["approve", "reject"]
    dev: str


class ConfirmClosed(WireBody):
    """The question stands no longer, and nothing was done.

    why  `expired`; `superseded` by other terms or by a new message; `cancelled`: stopped, or five bad signatures
    """

    TYPE: ClassVar = EventType.CONFIRM_CLOSED

    confirm: UUID
    why: Literal["expired", "superseded", "cancelled"]


class OperationResult(WireBody):
    """What became of a confirmed operation.

    op       the operation, absent when there is none
    status   `done`, `processing` (another `op.result` follows), `failed` or `cooling_off`
    receipt  canonical JSON, signed by us: `ssig`, made with the key `kid`
    """

    TYPE: ClassVar = EventType.OP_RESULT

    confirm: UUID
    op: UUID | None = None
    status: str
    receipt: str
    ssig: str
    kid: str


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
    | FunctionStarted
    | FunctionCompleted
    | ConfirmRequested
    | ConfirmDecided
    | ConfirmClosed
    | OperationResult
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

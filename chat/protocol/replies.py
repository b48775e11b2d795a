"""What the server says besides the log: `welcome`, replies to commands, and signals that are never stored."""

from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import override

from chat.protocol.bodies import Seq, WireBody
from chat.protocol.codes import CloseCode
from chat.protocol.events import ConfirmRequested


class ResumeMode(StrEnum):
    """What follows for an attached conversation: nothing missed, the missed events, the whole state, or no access."""

    LIVE = "live"
    REPLAY = "replay"
    SNAPSHOT = "snapshot"
    DENIED = "denied"


class SnapshotReason(StrEnum):
    """Why a phone gets the whole state: no position, another log, a position from the future, one too old."""

    NEW = "new"
    EPOCH = "epoch"
    AHEAD = "ahead"
    OLD = "old"


class ActiveTurn(WireBody):
    """The unfinished turn of a conversation; `queue` is its place among those waiting for the model."""

    turn: UUID
    state: Literal["queued", "running", "awaiting_confirm"]
    attempt: int = Field(ge=0)
    msg: UUID
    queue: int | None = None


class Attachment(WireBody):
    """The answer for one requested conversation, in `welcome.subs` and as the reply to `attach`.

    confirms  the questions still open, in full
    """

    c: UUID
    e: str
    top: Seq
    mode: Literal[ResumeMode.LIVE, ResumeMode.REPLAY, ResumeMode.SNAPSHOT]
    why: SnapshotReason | None = None
    active: ActiveTurn | None
    confirms: tuple[ConfirmRequested, ...] = ()

    @override
    def to_json(self) -> str:
        return add_active(super().to_json(), self.active)


def add_active(body: str, active: ActiveTurn | None) -> str:
    """Return a body's JSON with `active` said even when it is null: a phone ends what it shows by it."""
    return body if active is not None else f'{body[:-1]},"active":null}}'


class DeniedAttachment(WireBody):
    """The same answer for a foreign and for an unknown conversation."""

    c: UUID
    mode: Literal[ResumeMode.DENIED] = ResumeMode.DENIED


class Welcome(WireBody):
    """The reply to `hello`. Times ending in `_ms` are lengths, except `token_exp_ms` and `now`: Unix milliseconds.

    win  bytes the server sends ahead of the phone's `ack`
    """

    conn: str
    now: int
    ping_ms: int
    pong_ms: int
    token_exp_ms: int
    win: int
    caps: tuple[str, ...] = ()
    subs: tuple[Attachment | DeniedAttachment, ...] = ()

    @override
    def to_json(self) -> str:
        head = self.model_dump_json(exclude={"subs"})
        subs = ",".join(entry.to_json() for entry in self.subs)
        return f'{head[:-1]},"subs":[{subs}]}}'


class TurnSubmitted(WireBody):
    """Reply to `turn.submit`: `s` is the position of the turn's `turn.accepted`, `dup` marks a repeated `mid`.

    e  epoch of the log: with it, a phone that opened the conversation can resume at once
    """

    turn: UUID
    msg: UUID
    e: str
    s: Seq
    dup: bool


class CancelReply(WireBody):
    """Reply to `turn.cancel`."""

    state: Literal["cancelling", "finished"]


class DecisionReply(WireBody):
    """Reply to `confirm.decide`; `s` is the position of the event that tells it to every device.

    state  `superseded`: the terms have changed meanwhile, nothing was done, a new question follows
    """

    state: Literal["approved", "declined", "superseded"]
    s: Seq


class RefreshReply(WireBody):
    """Reply to `auth.refresh`: end of the new token in Unix milliseconds."""

    exp: int


class Empty(WireBody):
    """Reply that says only: done."""


class Ping(WireBody):
    TYPE: ClassVar = "ping"

    n: int | None = None


class Pong(WireBody):
    TYPE: ClassVar = "pong"

    n: int | None = None


class Bye(WireBody):
    """The server is about to close the socket with the same code."""

    TYPE: ClassVar = "bye"

    code: int
    reconnect: bool
    after_ms: int = Field(ge=0)
    reason: str


class AuthExpiring(WireBody):
    TYPE: ClassVar = "auth.expiring"

    in_ms: int = Field(ge=0)


class Drain(WireBody):
    """The phone opens a new socket after `reconnect_in_ms`; this one is closed at the deadline."""

    TYPE: ClassVar = "drain"

    reconnect_in_ms: int = Field(ge=0)
    deadline_ms: int = Field(ge=0)
    why: str


class LimitState(WireBody):
    left: int = Field(ge=0)
    reset_ms: int = Field(ge=0)


class Limits(WireBody):
    TYPE: ClassVar = "limits"

    turns: LimitState


class Notice(WireBody):
    """Something for the developer's console; never for the customer."""

    TYPE: ClassVar = "notice"

    code: str
    message: str


class TurnQueued(WireBody):
    """How many turns wait for the model before this one is served, itself included."""

    TYPE: ClassVar = "turn.queued"

    turn: UUID
    position: int = Field(ge=1)
    eta_ms: int | None = Field(default=None, ge=0)


Signal = Ping | Pong | Bye | AuthExpiring | Drain | Limits | Notice | TurnQueued


def build_bye(code: CloseCode, *, after_ms: int = 0, reason: str = "") -> Bye:
    """Return the `bye` that goes before a close with `code`."""
    return Bye(code=int(code), reconnect=code.reconnects, after_ms=after_ms, reason=reason or code.reason)

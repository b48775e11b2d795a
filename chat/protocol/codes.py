"""Error codes and close codes of `asst.v1`: what went wrong, and what the phone does about it.

The whole project takes codes from here; docs/protocol.md shows the same two tables to phone developers.
"""

from enum import IntEnum, StrEnum
from typing import Self


class ErrorCode(StrEnum):
    """One row per code: the text on the wire, and whether sending the same command again can succeed."""

    is_retryable: bool

    def __new__(cls, value: str, is_retryable: bool = False) -> Self:  # noqa: FBT001, FBT002 - a table row
        member = str.__new__(cls, value)
        member._value_ = value
        member.is_retryable = is_retryable
        return member

    # The frame itself.
    PROTO_MALFORMED = "proto.malformed", False
    PROTO_BINARY = "proto.binary", False
    PROTO_INVALID = "proto.invalid", False
    PROTO_UNKNOWN_TYPE = "proto.unknown_type", False
    PROTO_STATE = "proto.state", False
    PROTO_SUBPROTOCOL = "proto.subprotocol", False
    # Who is asking.
    AUTH_REQUIRED = "auth.required", False
    AUTH_INVALID = "auth.invalid", False
    AUTH_REFUSED = "auth.refused", False
    AUTH_EXPIRED = "auth.expired", True
    AUTH_SUBJECT_CHANGED = "auth.subject_changed", False
    AUTH_REVOKED = "auth.revoked", False
    AUTH_STEP_UP = "auth.step_up", True
    # What is asked for.
    CONV_NOT_FOUND = "conv.not_found", False
    CONV_CLOSED = "conv.closed", False
    IDEM_CONFLICT = "idem.conflict", False
    IDEM_IN_PROGRESS = "idem.in_progress", True
    CMD_TOO_OLD = "cmd.too_old", False
    FILE_NOT_FOUND = "file.not_found", False
    TURN_BUSY = "turn.busy", True
    TURN_NOT_FOUND = "turn.not_found", False
    TURN_FINISHED = "turn.finished", False
    # How much is asked for.
    LIMIT_RATE = "limit.rate", True
    LIMIT_SIZE = "limit.size", False
    LIMIT_ATTACH = "limit.attach", False
    LIMIT_FILES = "limit.files", False
    # Confirmations of money operations.
    CONFIRM_NOT_FOUND = "confirm.not_found", False
    CONFIRM_EXPIRED = "confirm.expired", False
    CONFIRM_DECIDED = "confirm.decided", False
    CONFIRM_MISMATCH = "confirm.mismatch", False
    CONFIRM_SIGNATURE = "confirm.signature", False
    CONFIRM_DEVICE = "confirm.device", False
    CONFIRM_SUPERSEDED = "confirm.superseded", False
    CONFIRM_ATTEMPTS = "confirm.attempts", False
    # The model behind us.
    UPSTREAM_QUEUE_FULL = "upstream.queue_full", True
    UPSTREAM_QUEUE_TIMEOUT = "upstream.queue_timeout", True
    UPSTREAM_UNAVAILABLE = "upstream.unavailable", True
    UPSTREAM_TIMEOUT = "upstream.timeout", True
    UPSTREAM_BLOCKED = "upstream.blocked", False
    UPSTREAM_CONTEXT = "upstream.context", False
    # Ourselves.
    WORKER_LOST = "worker.lost", True
    SERVER_DRAINING = "server.draining", True
    SERVER_OVERLOADED = "server.overloaded", True
    SERVER_INTERNAL = "server.internal", True
    # REST only.
    REQUEST_INVALID = "request.invalid", False
    REQUEST_MEDIA_TYPE = "request.media_type", False
    NOT_FOUND = "not_found", False
    METHOD_NOT_ALLOWED = "method.not_allowed", False


class CloseCode(IntEnum):
    """One row per code a socket of ours is closed with, and the reason that goes with it (at most 123 bytes).

    Phones need only the range, see `reconnects`.
    """

    reason: str

    def __new__(cls, value: int, reason: str) -> Self:
        member = int.__new__(cls, value)
        member._value_ = value
        member.reason = reason
        return member

    NORMAL = 1000, "goodbye"
    BINARY_FRAME = 1003, "text frames only"
    FRAME_TOO_BIG = 1009, "frame too big"
    RESYNC = 4400, "resync"
    TOKEN_EXPIRED = 4401, "token expired"
    HELLO_TIMEOUT = 4408, "hello timeout"
    AGE_LIMIT = 4410, "connection age limit"
    NO_PONG = 4412, "no pong"
    SLOW_CONSUMER = 4413, "slow consumer"
    RESTART = 4414, "service restart"
    OVERLOADED = 4415, "overloaded"
    TOO_MANY_COMMANDS = 4429, "too many commands"
    MALFORMED_FRAMES = 4500, "repeated malformed frames"
    NOT_AUTHENTICATED = 4501, "not authenticated"
    FORBIDDEN = 4503, "forbidden or subject changed"
    NO_SUBPROTOCOL = 4506, "no common subprotocol"
    REPLACED = 4509, "replaced by the same device"
    SESSION_REVOKED = 4510, "session revoked"
    TOO_MANY_DEVICES = 4513, "too many devices"
    APP_TOO_OLD = 4526, "app version no longer supported"

    @property
    def reconnects(self) -> bool:
        """True when the phone comes back by itself."""
        return is_reconnect_code(self)


def is_reconnect_code(code: int) -> bool:
    """Return whether a phone comes back by itself after its socket closed with `code`, ours or the transport's.

    A clean end and every code a phone does not know mean staying away: a retry loop against a refusal is worse than
    waiting for the customer.
    """
    return code in {1006, 1011, 1012, 1013, 1014} or 4400 <= code <= 4499


class ProtocolError(Exception):
    """A frame or command that cannot be served; the socket stays open.

    message     for developers; never holds the customer's text, a token or any other value received
    field       path of the offending value, e.g. `d.text`
    command_id  goes back as `re`
    Retrying helps when the code says so.
    """

    def __init__(
        self, code: ErrorCode, message: str, *, field: str | None = None, command_id: str | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.field = field
        self.command_id = command_id

"""The one table from errors to what a phone is told."""

from typing import Any

from pydantic import JsonValue

from audit.log_context import get_request_id
from chat.errors import (
    BudgetUsedUp,
    ChatError,
    ConversationClosed,
    ConversationNotFound,
    FileUnknown,
    MessageConflict,
    QueueFull,
    TooManyTurns,
    TurnBusy,
    TurnNotFound,
)
from chat.protocol.bodies import ErrorBody
from chat.protocol.codes import CloseCode, ErrorCode, ProtocolError
from functions.errors import (
    ConfirmationDecided,
    ConfirmationError,
    ConfirmationExpired,
    ConfirmationMismatch,
    ConfirmationNotFound,
    ConfirmationSuperseded,
    DeviceRefused,
    SignatureRefused,
    StepUpNeeded,
    TooManySignatures,
)

# What a phone is told of a decision that does not count, see docs/protocol.md "Errors".
CONFIRMATION_ERRORS: dict[type[ConfirmationError], tuple[ErrorCode, str]] = {
    ConfirmationNotFound: (ErrorCode.CONFIRM_NOT_FOUND, "no such question here"),
    ConfirmationExpired: (ErrorCode.CONFIRM_EXPIRED, "the time to decide is over"),
    ConfirmationDecided: (ErrorCode.CONFIRM_DECIDED, "already decided"),
    ConfirmationSuperseded: (ErrorCode.CONFIRM_SUPERSEDED, "something else took its place"),
    ConfirmationMismatch: (ErrorCode.CONFIRM_MISMATCH, "not what this question shows"),
    SignatureRefused: (ErrorCode.CONFIRM_SIGNATURE, "the signature does not fit"),
    TooManySignatures: (ErrorCode.CONFIRM_ATTEMPTS, "too many bad signatures, the question is closed"),
    DeviceRefused: (ErrorCode.CONFIRM_DEVICE, "this device or key may not approve it"),
    StepUpNeeded: (ErrorCode.AUTH_STEP_UP, "the password must be given again first"),
}


class SocketRefused(Exception):
    """The phone may not go on: an error is sent, then the socket is closed with `close_code`."""

    def __init__(self, code: ErrorCode, message: str, close_code: CloseCode) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.close_code = close_code


def build_error(error: Exception) -> ErrorBody:
    """Return what the phone is told about an error; everything unknown is `server.internal`."""
    if isinstance(error, ProtocolError):
        return ErrorBody(code=error.code, message=error.message, field=error.field, trace=get_request_id())
    if isinstance(error, SocketRefused):
        return ErrorBody(code=error.code, message=error.message, trace=get_request_id())
    if isinstance(error, ChatError):
        return build_chat_error(error)
    if isinstance(error, ConfirmationError):
        return build_confirmation_error(error)
    return ErrorBody(code=ErrorCode.SERVER_INTERNAL, message="the server failed", trace=get_request_id())


def build_confirmation_error(error: ConfirmationError) -> ErrorBody:
    code, message = CONFIRMATION_ERRORS[type(error)]
    details: dict[str, JsonValue] | None = None
    field = None
    match error:
        case ConfirmationDecided():
            details = {"state": error.state}
        case ConfirmationMismatch():
            field = f"d.{error.field}"
        case SignatureRefused():
            details = {"attempts_left": error.attempts_left}
    return ErrorBody(code=code, message=message, field=field, details=details, trace=get_request_id())


def build_chat_error(error: ChatError) -> ErrorBody:
    return ErrorBody(**describe_chat_error(error), trace=get_request_id())


def describe_chat_error(error: ChatError) -> dict[str, Any]:
    """Return the fields of the error's body; the table phones are promised in docs/protocol.md."""
    known: dict[str, Any] = {"code": ErrorCode.SERVER_INTERNAL, "message": "the server failed"}
    match error:
        case ConversationNotFound():
            known = {"code": ErrorCode.CONV_NOT_FOUND, "message": "no such conversation"}
        case ConversationClosed():
            known = {"code": ErrorCode.CONV_CLOSED, "message": "the conversation is closed"}
        case TurnNotFound():
            known = {"code": ErrorCode.TURN_NOT_FOUND, "message": "no such turn here", "field": "d.turn"}
        case FileUnknown():
            field = f"d.files.{error.position}"
            known = {"code": ErrorCode.FILE_NOT_FOUND, "message": "no such file of yours", "field": field}
        case TurnBusy():
            known = {
                "code": ErrorCode.TURN_BUSY,
                "message": "a turn is unfinished",
                "details": {"turn": str(error.turn_id)},
            }
        case MessageConflict():
            message = "mid already used with other content"
            known = {"code": ErrorCode.IDEM_CONFLICT, "message": message, "field": "d.mid"}
        case QueueFull():
            known = {
                "code": ErrorCode.UPSTREAM_QUEUE_FULL,
                "message": "too many questions are waiting",
                "retry_after_ms": error.retry_after_ms,
            }
        case BudgetUsedUp():
            known = {
                "code": ErrorCode.LIMIT_RATE,
                "message": "the tokens of the day are used up",
                "retry_after_ms": error.retry_after_ms,
                "details": {"budget": "tokens"},
            }
        case TooManyTurns():
            known = {
                "code": ErrorCode.LIMIT_RATE,
                "message": f"{error.limit} turns per {error.window_seconds} s",
                "retry_after_ms": error.retry_after_ms,
                "details": {"limit": error.limit, "window_s": error.window_seconds},
            }
    return known

"""The commands a phone may send, typed; independent of how they arrive.

Types are strict (`true` is not 1, `3.0` is not 3) and unknown fields are ignored.
"""

import re as regex
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    RootModel,
    StringConstraints,
    ValidationError,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from chat.enums import BusyPolicy
from chat.protocol.bodies import Seq
from chat.protocol.codes import ErrorCode, ProtocolError
from chat.protocol.frames import find_command_id, format_path, parse_json_strict

MAX_TEXT_CHARS = 16_000
# JSON escapes can make a text longer than its characters; the event that repeats it must fit one frame.
MAX_TEXT_JSON_BYTES = 64_100
MAX_ATTACHED = 20
# GigaChat looks at one picture in a message, and reads the first of several documents.
MAX_FILES = 1
MAX_TOKEN_CHARS = 4096

_UUID = regex.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _parse_uuid(value: Any) -> UUID:
    if isinstance(value, UUID):  # built in Python; JSON has none
        return value
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    raise PydanticCustomError("uuid", "expected a UUID in its canonical form")


def _check_text(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "expected text that is not blank")
    if len(text) > MAX_TEXT_CHARS or len(orjson.dumps(text)) > MAX_TEXT_JSON_BYTES:
        raise PydanticCustomError("string_too_long", f"expected at most {MAX_TEXT_CHARS} characters")
    return text


WireUUID = Annotated[UUID, BeforeValidator(_parse_uuid)]
ShortName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]
Label = Annotated[str, StringConstraints(max_length=64)]
Milliseconds = Annotated[int, Field(ge=0, le=2**53 - 1)]
KeyName = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[\x21-\x7e]+$")]
Base64Url = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9_-]+$")]
Token = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TOKEN_CHARS, pattern=r"^[\x21-\x7e]+$")]


class CommandType(StrEnum):
    HELLO = "hello"
    ATTACH = "attach"
    DETACH = "detach"
    TURN_SUBMIT = "turn.submit"
    TURN_CANCEL = "turn.cancel"
    CONFIRM_DECIDE = "confirm.decide"
    AUTH_REFRESH = "auth.refresh"
    APP_STATE = "app.state"
    ACK = "ack"
    PING = "ping"
    PONG = "pong"
    BYE = "bye"


class CommandBody(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)


class Device(CommandBody):
    """The phone: its own lasting id, system and app version."""

    id: ShortName
    os: Label = ""
    app: Label = ""
    key: Annotated[str, StringConstraints(max_length=1024)] | None = None


class Position(CommandBody):
    """Where a phone stands in a conversation: log epoch and last applied position; both absent: it has nothing."""

    e: ShortName | None = None
    s: Seq | None = None


class Subscription(Position):
    c: WireUUID


class Hello(CommandBody):
    """Opens the connection; must be the first command. `token` is absent when the upgrade request carried it."""

    v: Annotated[int, Field(ge=1, le=1)]
    token: Token | None = None
    dev: Device
    caps: Annotated[tuple[Label, ...], Field(strict=False, max_length=32)] = ()
    lang: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,4}$")] | None = None
    subs: Annotated[tuple[Subscription, ...], Field(strict=False, max_length=MAX_ATTACHED)] = ()


class Attach(Position):
    """Follow one conversation from a position."""


class Detach(CommandBody):
    """Stop following one conversation."""


class TurnSubmit(CommandBody):
    """A message of the customer.

    mid         the phone's own id of the message: sending it again is harmless
    files       ids of the customer's stored files to ask about
    new         the conversation may be created under the id the phone chose
    age_ms      how long the message waited in the phone's outbox; more than `max_age_ms` and it is refused
    """

    mid: WireUUID
    text: Annotated[str, AfterValidator(_check_text), Field(json_schema_extra={"minLength": 1, "maxLength": 16_000})]
    files: Annotated[tuple[WireUUID, ...], Field(strict=False, max_length=MAX_FILES)] = ()
    parent: WireUUID | None = None
    new: bool = False
    busy: Annotated[BusyPolicy, Field(strict=False)] = BusyPolicy.REJECT
    age_ms: Milliseconds = 0
    max_age_ms: Milliseconds | None = None


class TurnCancel(CommandBody):
    """Stop a turn, from any device of its customer; repeating is harmless."""

    turn: WireUUID


class ConfirmDecide(CommandBody):
    """The customer's yes or no to a `confirm.requested`.

    hash, nonce  of the payload that was shown
    kid, sig     key of the device and its signature, base64url; absent when a tap is enough
    at           when the customer decided, Unix milliseconds on the phone's clock
    payee        what the customer typed, when the question asked for it
    """

    confirm: WireUUID
    decision: Literal["approve", "reject"]
    hash: Base64Url
    nonce: Base64Url
    kid: KeyName | None = None
    sig: Base64Url | None = None
    at: Milliseconds
    payee: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    age_ms: Milliseconds = 0


class AuthRefresh(CommandBody):
    """A fresh access token of the same session."""

    token: Token


class AppState(CommandBody):
    """The app came to the foreground or went to the background."""

    state: Literal["fg", "bg"]


class Ack(RootModel[dict[WireUUID, Seq]]):
    """Per conversation the last position the phone has stored; cumulative."""

    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)


class Ping(CommandBody):
    n: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None


class Pong(CommandBody):
    n: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None


class Bye(CommandBody):
    """The phone leaves on purpose."""

    reason: Annotated[str, StringConstraints(max_length=123)] = ""


Body = (
    Hello | Attach | Detach | TurnSubmit | TurnCancel | ConfirmDecide | AuthRefresh | AppState | Ack | Ping | Pong | Bye
)

BODIES: dict[CommandType, type[Body]] = {
    CommandType.HELLO: Hello,
    CommandType.ATTACH: Attach,
    CommandType.DETACH: Detach,
    CommandType.TURN_SUBMIT: TurnSubmit,
    CommandType.TURN_CANCEL: TurnCancel,
    CommandType.CONFIRM_DECIDE: ConfirmDecide,
    CommandType.AUTH_REFRESH: AuthRefresh,
    CommandType.APP_STATE: AppState,
    CommandType.ACK: Ack,
    CommandType.PING: Ping,
    CommandType.PONG: Pong,
    CommandType.BYE: Bye,
}
CONVERSATION_COMMANDS = frozenset(
    {
        CommandType.ATTACH,
        CommandType.DETACH,
        CommandType.TURN_SUBMIT,
        CommandType.TURN_CANCEL,
        CommandType.CONFIRM_DECIDE,
    }
)
# What is over a limit has a code of its own: the app tells its customer something else than "this is a bug".
LIMIT_CODES = {
    ("d.text", "string_too_long"): ErrorCode.LIMIT_SIZE,
    ("d.subs", "too_long"): ErrorCode.LIMIT_ATTACH,
    ("d.files", "too_long"): ErrorCode.LIMIT_FILES,
}
# In the words of JSON instead of Python's; what is not here reads well as pydantic puts it.
EXPECTATIONS = {
    "missing": "expected a value",
    "model_type": "expected an object",
    "dict_type": "expected an object",
    "tuple_type": "expected an array",
    "string_type": "expected a string",
    "int_type": "expected an integer",
    "bool_type": "expected true or false",
    "too_long": "expected fewer items",
}


@dataclass(frozen=True, slots=True)
class Command:
    """One command; `conversation_id` is set exactly for the types in `CONVERSATION_COMMANDS`.

    id  goes back as `re`; None when the phone wants no reply
    """

    type: CommandType
    id: str | None
    conversation_id: UUID | None
    body: Body


def parse_command(text: str) -> Command:
    """Return the command in one text frame.

    Raises: ProtocolError with `proto.malformed`, `proto.invalid`, `proto.unknown_type` or a `limit.` code.
    """
    return read_command(parse_json_strict(text))


def read_command(frame: dict[str, JsonValue]) -> Command:
    """Return the command in a decoded frame.

    Raises: ProtocolError
    """
    command_id = find_command_id(frame)
    if frame.get("id") is not None and command_id is None:
        raise ProtocolError(ErrorCode.PROTO_INVALID, "expected 1 to 64 visible ASCII characters", field="id")
    kind = _read_type(frame, command_id)
    try:
        conversation_id = _parse_uuid(frame.get("c")) if kind in CONVERSATION_COMMANDS else None
    except PydanticCustomError as error:
        raise ProtocolError(ErrorCode.PROTO_INVALID, error.message(), field="c", command_id=command_id) from None
    return Command(kind, command_id, conversation_id, _read_body(kind, frame.get("d", {}), command_id))


def _read_type(frame: dict[str, JsonValue], command_id: str | None) -> CommandType:
    name = frame.get("t")
    if not isinstance(name, str):
        raise ProtocolError(ErrorCode.PROTO_INVALID, "expected a type", field="t", command_id=command_id)
    with suppress(ValueError):
        return CommandType(name)
    raise ProtocolError(ErrorCode.PROTO_UNKNOWN_TYPE, "this server does not know the type", command_id=command_id)


def _read_body(kind: CommandType, body: JsonValue, command_id: str | None) -> Body:
    problem: ErrorDetails
    try:
        return BODIES[kind].model_validate(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = format_path(("d", *problem["loc"]))
    code = LIMIT_CODES.get((field, problem["type"]), ErrorCode.PROTO_INVALID)
    message = EXPECTATIONS.get(problem["type"], problem["msg"])
    raise ProtocolError(code, message, field=field, command_id=command_id)

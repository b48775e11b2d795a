"""Frames as text: strict reading of what phones send, and assembly of what they receive.

Every body arrives here as JSON already made, so that the same stored bytes go to every phone.
"""

import hashlib
import json
import re as regex
from base64 import urlsafe_b64encode
from contextlib import suppress
from typing import Any
from uuid import UUID

import orjson
from pydantic import JsonValue

from chat.protocol.bodies import ErrorBody, WireBody
from chat.protocol.codes import ErrorCode, ProtocolError
from chat.protocol.replies import Signal, Welcome

MAX_FRAME_BYTES = 64 * 1024
MAX_DEPTH = 16
MAX_KEYS = 64
# Beyond this a double, which is what JSON numbers are to many phones, skips integers.
MAX_INTEGER = 2**53
MAX_INTEGER_CHARS = 17

_COMMAND_ID = regex.compile(r"[\x21-\x7e]{1,64}")
_PATH_SEGMENT = regex.compile(r"[A-Za-z0-9_-]{1,40}")
# Possessive, closing quote optional: every character is looked at once, whatever the frame holds.
_BRACKETS = regex.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', regex.DOTALL)
_UNSAFE_CHARACTERS = regex.compile("[\x00\ud800-\udfff]")


def digest_text(text: str) -> str:
    """Return base64url, without padding, of the first 16 bytes of SHA-256 over the UTF-8 text."""
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


class _Refused:
    """Stands in the decoded frame for a value strict JSON does not allow, so that its path can be told."""

    __slots__ = ("content", "reason")

    def __init__(self, reason: str, content: dict[str, Any] | None = None) -> None:
        self.reason = reason
        self.content = content or {}


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Refused:
    made = dict(pairs)
    if len(made) != len(pairs):
        return _Refused("an object without repeated keys", made)
    if len(made) > MAX_KEYS:
        return _Refused(f"at most {MAX_KEYS} keys in an object", made)
    return made


def _read_integer(digits: str) -> int | _Refused:
    # Looked at before int(): converting thousands of digits is refused by Python, or slow.
    if len(digits) <= MAX_INTEGER_CHARS and abs(value := int(digits)) <= MAX_INTEGER:
        return value
    return _Refused("an integer within 2^53")


def _read_float(digits: str) -> float | _Refused:
    value = float(digits)
    return _Refused("a finite number") if value in {float("inf"), float("-inf")} else value


def _read_constant(_name: str) -> _Refused:
    return _Refused("a finite number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_read_object, parse_int=_read_integer, parse_float=_read_float, parse_constant=_read_constant
)


def parse_json_strict(text: str, *, max_bytes: int = MAX_FRAME_BYTES) -> dict[str, JsonValue]:
    """Return the JSON object in `text`, within the limits of this module.

    Raises: ProtocolError with `proto.malformed` (not JSON), `proto.invalid` (JSON that is not allowed, `field` names
    the place) or `limit.size`.
    """
    _check_size(text, max_bytes)
    _check_depth(text)
    value = _decode(text)
    command_id = find_command_id(value)
    refusal = _find_refusal(value, ())
    if refusal is not None:
        path, expected = refusal
        field = format_path(path) or None
        raise ProtocolError(ErrorCode.PROTO_INVALID, f"expected {expected}", field=field, command_id=command_id)
    if not isinstance(value, dict):
        raise ProtocolError(ErrorCode.PROTO_INVALID, "expected an object as the whole frame")
    return value


def _check_size(text: str, max_bytes: int) -> None:
    # UTF-8 takes 1 to 4 bytes per character: most frames are decided without encoding them.
    if len(text) * 4 <= max_bytes:
        return
    if len(text.encode("utf-8", "surrogatepass")) > max_bytes:
        raise ProtocolError(ErrorCode.LIMIT_SIZE, f"a frame has at most {max_bytes} bytes")


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the decoder, which recurses, sees it."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    depth = 0
    for token in _BRACKETS.finditer(text):
        first = text[token.start()]
        if first in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                raise ProtocolError(ErrorCode.PROTO_INVALID, f"expected at most {MAX_DEPTH} levels of nesting")
        elif first in "}]":
            depth -= 1


def _decode(text: str) -> Any:
    # Raised outside the handler: the decoder's error carries the whole text.
    with suppress(ValueError):
        return _DECODER.decode(text)
    raise ProtocolError(ErrorCode.PROTO_MALFORMED, "the frame is not JSON")


def find_command_id(value: Any) -> str | None:
    """Return the command id of a decoded frame, good or bad, when it has a proper one."""
    content = value.content if isinstance(value, _Refused) else value
    found = content.get("id") if isinstance(content, dict) else None
    return found if isinstance(found, str) and _COMMAND_ID.fullmatch(found) else None


def _find_refusal(value: Any, path: tuple[str | int, ...]) -> tuple[tuple[str | int, ...], str] | None:
    """Return the path of the first value that is not allowed, and what was expected there."""
    if isinstance(value, str):
        return (path, "text without U+0000 and lone surrogates") if _UNSAFE_CHARACTERS.search(value) else None
    if isinstance(value, _Refused):
        return path, value.reason
    children: Any = ()
    if isinstance(value, dict):
        if any(map(_UNSAFE_CHARACTERS.search, value)):
            return path, "keys without U+0000 and lone surrogates"
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    for key, child in children:
        found = _find_refusal(child, (*path, key))
        if found is not None:
            return found
    return None


def format_path(path: tuple[str | int, ...]) -> str:
    """Return `d.subs.0.c` for a path; a key that is not a plain name is shown as `*`."""
    return ".".join(str(part) if _PATH_SEGMENT.fullmatch(str(part)) else "*" for part in path)


def encode_event_frame(conversation_id: UUID | str, seq: int, *, covered: int, kind: str, body: str) -> str:
    """Return the frame of a durable event around its stored body; the body is not read again.

    covered  positions the frame moves the phone's cursor by, more than 1 for merged deltas
    """
    count = f',"n":{covered}' if covered != 1 else ""
    return f'{{"t":"{kind}","c":"{conversation_id}","s":{seq}{count},"d":{body}}}'


def encode_ok(command_id: str, body: WireBody) -> str:
    """Return the reply to a command that was done."""
    return f'{{"t":"ok","re":{_encode_text(command_id)},"d":{body.to_json()}}}'


def encode_error(command_id: str | None, error: ErrorBody) -> str:
    """Return the reply to a command that was refused; without an id it answers the connection as a whole."""
    answered = f'"re":{_encode_text(command_id)},' if command_id is not None else ""
    return f'{{"t":"err",{answered}"err":{error.to_json()}}}'


def encode_welcome(command_id: str | None, welcome: Welcome) -> str:
    """Return the reply to `hello`."""
    answered = f'"re":{_encode_text(command_id)},' if command_id is not None else ""
    return f'{{"t":"welcome",{answered}"d":{welcome.to_json()}}}'


def encode_signal(signal: Signal, *, command_id: str | None = None, conversation_id: UUID | None = None) -> str:
    """Return the frame of something that is never stored; a `pong` that answers a ping with an id carries it."""
    answered = f',"re":{_encode_text(command_id)}' if command_id is not None else ""
    subject = f',"c":"{conversation_id}"' if conversation_id is not None else ""
    return f'{{"t":"{signal.TYPE}"{answered}{subject},"d":{signal.to_json()}}}'


def _encode_text(text: str) -> str:
    return orjson.dumps(text).decode()

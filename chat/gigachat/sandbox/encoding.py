"""JSON as the service writes it: compact, raw UTF-8, keys in the order given."""

from typing import Any

import orjson


def encode_json(value: Any) -> bytes:
    return orjson.dumps(value)


def encode_event(payload: bytes) -> bytes:
    """Return one server-sent event: LF line ends and a blank line, no `event:` or `id:`."""
    return b"data: " + payload + b"\n\n"


DONE_EVENT = encode_event(b"[DONE]")

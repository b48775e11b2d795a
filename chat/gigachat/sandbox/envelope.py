"""The bytes of completions: whole answers and stream payloads, key by key as recorded."""

from dataclasses import dataclass
from typing import Any

from chat.gigachat.sandbox.counting import UsageOut
from chat.gigachat.sandbox.encoding import encode_json


@dataclass(frozen=True, slots=True)
class CallOut:
    """A function call in an answer: whole, with an object of arguments (a string only by fault)."""

    name: str
    arguments: dict[str, Any] | str
    state_id: str

    def to_json(self) -> dict[str, Any]:
        return {
            "function_call": {"name": self.name, "arguments": self.arguments},
            "functions_state_id": self.state_id,
        }


class Envelope:
    """What all payloads of one completion have in common. Order of keys is part of the contract."""

    def __init__(self, *, created: int, model: str, is_plural: bool = False) -> None:
        self._tail = {
            "created": created,
            "model": model,
            "object": "chat.completions" if is_plural else "chat.completion",
        }
        # A content delta differs from the next in one string: everything around it is encoded once.
        self._delta_head = b'{"choices":[{"delta":{"content":'
        self._delta_tail = b'},"index":0}],' + encode_json(self._tail)[1:]

    def encode_whole(self, message: dict[str, Any], finish_reason: str, usage: UsageOut) -> bytes:
        choice = {"message": message, "index": 0, "finish_reason": finish_reason}
        return encode_json({"choices": [choice], **self._tail, "usage": usage.to_json()})

    def encode_content(self, text: str) -> bytes:
        """A delta of text only: every content delta but the first."""
        return self._delta_head + encode_json(text) + self._delta_tail

    def encode_delta(self, delta: dict[str, Any]) -> bytes:
        return encode_json({"choices": [{"delta": delta, "index": 0}], **self._tail})

    def encode_finish(self, finish_reason: str, usage: UsageOut | None) -> bytes:
        """The last payload: empty content, the only one with `finish_reason` and `usage`."""
        choice = {"delta": {"content": ""}, "index": 0, "finish_reason": finish_reason}
        payload: dict[str, Any] = {"choices": [choice], **self._tail}
        if usage is not None:
            payload["usage"] = usage.to_json()
        return encode_json(payload)

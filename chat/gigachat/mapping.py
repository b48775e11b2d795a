"""GigaChat's JSON (v1) to our types: pure, no bytes from a socket. The other way is `encoding`.

What differs from OpenAI's stream and matters here: `finish_reason` is absent, not null, before the last payload;
`usage` comes with it, or not at all; `object` varies and is never compared. See docs/gigachat.md.
"""

from typing import Any

import orjson

from chat.gigachat.errors import (
    AnswerMalformed,
    CallMalformed,
    FinishReasonUnknown,
    GigaChatError,
    StreamFailed,
)
from chat.gigachat.types import Finished, FinishReason, FunctionCall, StreamPart, TextDelta, Usage

# The seconds a built-in function still needs; its content is no part of the answer.
PROGRESS_ROLE = "function_in_progress"
FINISH_REASONS = {reason.value: reason for reason in FinishReason}


def append_parts(parts: list[StreamPart], data: bytes) -> GigaChatError | None:
    """Append what one event, or one whole answer, carries: any of TextDelta, FunctionCall and Finished, in this order.

    Return what is wrong with it. A fault is returned, not raised: the text before it, in the same event or packet, is
    still delivered.
    """
    payload = decode_json(data)
    try:
        choice = payload["choices"][0]
        delta = choice.get("delta")
        if delta is None:
            delta = choice.get("message")
        reason = choice.get("finish_reason")
        content, call, role = (
            (None, None, None)
            if delta is None
            else (delta.get("content"), delta.get("function_call"), delta.get("role"))
        )
    except (KeyError, IndexError, TypeError, AttributeError):
        return build_payload_fault(payload) if data.strip() else None
    if role == PROGRESS_ROLE:
        return None
    if type(content) is str and reason is None and call is None and content and "\0" not in content:
        # The hot path ends here: everything below happens once or twice an answer.
        parts.append(TextDelta(content))
        return None
    if delta is None and reason is None:
        return AnswerMalformed()
    return (
        append_text(parts, content)
        or append_call(parts, call, {} if delta is None else delta)
        or append_finish(parts, payload, reason)
    )


def append_text(parts: list[StreamPart], content: Any) -> GigaChatError | None:
    if content is None:
        return None
    if not isinstance(content, str):
        return AnswerMalformed()
    # PostgreSQL stores no NUL in text, and a reader sees none.
    if text := content.replace("\0", ""):
        parts.append(TextDelta(text))
    return None


def append_call(parts: list[StreamPart], call: Any, delta: dict[str, Any]) -> GigaChatError | None:
    if call is None:
        return None
    state_id = delta.get("functions_state_id")
    parsed = parse_call(call, state_id if isinstance(state_id, str) and state_id else None)
    if parsed is None:
        return CallMalformed()
    parts.append(parsed)
    return None


def parse_call(call: Any, state_id: str | None) -> FunctionCall | None:
    """Return the call, its arguments given as an object or as the text of one; None for anything else."""
    name, arguments = (call.get("name"), call.get("arguments", {})) if isinstance(call, dict) else (None, None)
    if isinstance(arguments, str):
        arguments = decode_json(arguments.encode())
    if not (isinstance(name, str) and name.strip("\0") and isinstance(arguments, dict)):
        return None
    return FunctionCall(name=drop_nul(name), arguments=drop_nul(arguments), state_id=state_id)


def drop_nul(value: Any) -> Any:
    """Return the JSON value without NUL in its texts: PostgreSQL stores none."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [drop_nul(item) for item in value]
    if isinstance(value, dict):
        return {drop_nul(name): drop_nul(item) for name, item in value.items()}
    return value


def append_finish(parts: list[StreamPart], payload: dict[str, Any], reason: Any) -> GigaChatError | None:
    if reason is None:
        return None
    if not isinstance(reason, str):
        return AnswerMalformed()
    if reason not in FINISH_REASONS:
        return FinishReasonUnknown()
    model = payload.get("model")
    parts.append(
        Finished(
            reason=FINISH_REASONS[reason],
            usage=parse_usage(payload.get("usage")),
            model=model if isinstance(model, str) else "",
        )
    )
    return None


def build_payload_fault(payload: Any) -> GigaChatError:
    """Tell an error reported inside the stream (`status` and `message`, no `choices`) from plain nonsense."""
    if isinstance(payload, dict) and "choices" not in payload and "message" in payload:
        status = payload.get("status", payload.get("code"))
        return StreamFailed(status=status if type(status) is int else None)
    return AnswerMalformed()


def parse_usage(usage: Any) -> Usage | None:
    """Return the counts, or None: an answer is not lost because its bill is unreadable."""
    if not isinstance(usage, dict):
        return None
    counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")]
    prompt_tokens, completion_tokens, total_tokens = (count if type(count) is int else -1 for count in counts)
    if min(prompt_tokens, completion_tokens, total_tokens) < 0:
        return None
    precached = usage.get("precached_prompt_tokens")
    return Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        total_tokens=total_tokens,
        precached_prompt_tokens=precached if type(precached) is int and precached >= 0 else 0,
    )


def decode_json(data: bytes) -> Any:
    """Return the decoded value; None for what is no JSON or no UTF-8.

    No exception leaves: the decoder's own holds the whole text.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None

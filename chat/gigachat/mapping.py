"""Our types to and from GigaChat's JSON (v1): pure, no bytes from or to a socket.

What differs from OpenAI's stream and matters here: `finish_reason` is absent, not null, before the last payload;
`usage` comes with it, or not at all; `object` varies and is never compared. See docs/gigachat.md.
"""

from typing import Any

import orjson

from chat.gigachat.errors import (
    AnswerMalformed,
    CallLeaked,
    FinishReasonUnknown,
    GigaChatError,
    StreamFailed,
)
from chat.gigachat.types import Finished, FinishReason, Prompt, StreamPart, TextDelta, Usage

# The seconds a built-in function still needs; its content is no part of the answer.
PROGRESS_ROLE = "function_in_progress"
# How a call looks when the provider fails to parse its own model's output; showing it to a customer would be wrong.
LEAKED_CALL_MARK = "function callrecipient{"
FINISH_REASONS = {reason.value: reason for reason in FinishReason}
OPTIONAL_FIELDS = ("temperature", "top_p", "max_tokens", "repetition_penalty", "update_interval")


def encode_request(prompt: Prompt) -> bytes:
    """Return the body of `POST /chat/completions` that asks for a stream.

    Neither `functions` nor `function_call` is sent: leaving both out keeps the provider's built-in functions off.
    """
    body: dict[str, Any] = {
        "model": prompt.model,
        "messages": [{"role": message.role.value, "content": message.content} for message in prompt.messages],
        "stream": True,
    }
    for name in OPTIONAL_FIELDS:
        if (value := getattr(prompt, name)) is not None:
            body[name] = value
    # Zero is not documented as legal; an empty nucleus says the same.
    if body.get("temperature") == 0:
        del body["temperature"]
        body["top_p"] = 0
    return orjson.dumps(body)


def append_parts(parts: list[StreamPart], data: bytes) -> GigaChatError | None:
    """Append what one event carries: nothing, a TextDelta, a Finished, or both; return what is wrong with it.

    A fault is returned, not raised: the text before it, in the same event or packet, is still delivered.
    """
    payload = decode_json(data)
    try:
        choice = payload["choices"][0]
        delta = choice.get("delta")
        content = "" if delta is None else delta.get("content")
        reason = choice.get("finish_reason")
    except (KeyError, IndexError, TypeError, AttributeError):
        return build_payload_fault(payload) if data.strip() else None
    if delta is not None and delta.get("role") == PROGRESS_ROLE:
        return None
    if type(content) is str and reason is None and content and "\0" not in content and LEAKED_CALL_MARK not in content:
        # The hot path ends here: everything below happens once or twice an answer.
        parts.append(TextDelta(content))
        return None
    if delta is None and reason is None:
        return AnswerMalformed()
    return append_text(parts, content) or append_finish(parts, payload, reason)


def append_text(parts: list[StreamPart], content: Any) -> GigaChatError | None:
    if content is None:
        return None
    if not isinstance(content, str):
        return AnswerMalformed()
    if LEAKED_CALL_MARK in content:
        return CallLeaked()
    # PostgreSQL stores no NUL in text, and a reader sees none.
    if text := content.replace("\0", ""):
        parts.append(TextDelta(text))
    return None


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

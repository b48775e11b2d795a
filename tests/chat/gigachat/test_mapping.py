from typing import Any

import orjson
import pytest

from chat.gigachat.errors import AnswerMalformed, CallMalformed, FinishReasonUnknown, GigaChatError, StreamFailed
from chat.gigachat.mapping import append_parts, decode_json, parse_usage
from chat.gigachat.types import Finished, FinishReason, FunctionCall, StreamPart, TextDelta, Usage

COUNTS = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def read_payload(payload: Any) -> tuple[list[StreamPart], type[GigaChatError] | None]:
    parts: list[StreamPart] = []
    data = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    fault = append_parts(parts, data)
    return parts, None if fault is None else type(fault)


def build_payload(delta: Any, **choice: Any) -> dict[str, Any]:
    return {"choices": [{"delta": delta, "index": 0, **choice}], "model": "GigaChat-2:2.0", "object": "anything"}


def build_finished(reason: FinishReason, *, usage: Usage | None = None, model: str = "GigaChat-2:2.0") -> Finished:
    return Finished(reason=reason, usage=usage, model=model)


@pytest.mark.parametrize(
    ("payload", "parts"),
    [
        (build_payload({"content": "да", "role": "assistant"}), [TextDelta("да")]),
        (build_payload({"content": "да"}), [TextDelta("да")]),
        (build_payload({"content": ""}), []),
        (build_payload({"content": None}), []),
        (build_payload({}), []),
        (build_payload({"content": "да"}, finish_reason=None), [TextDelta("да")]),
        (build_payload({"content": "а\0б"}), [TextDelta("аб")]),
        (build_payload({"content": "\0"}), []),
        (build_payload({"reasoning_content": "хм"}), []),
        (build_payload({"role": "function_in_progress", "content": 15}), []),
        (build_payload({"role": "function_in_progress", "content": "15"}), []),
        (b"", []),
        (b"  ", []),
    ],
)
def test_append_parts_of_unfinished_payload_appends_its_text(payload: Any, parts: list[StreamPart]) -> None:
    assert read_payload(payload) == (parts, None)


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ({"name": "f"}, {}),
        ({"name": "f", "arguments": {}}, {}),
        ({"name": "f", "arguments": {"a": [1, {"b": None}]}}, {"a": [1, {"b": None}]}),
        ({"name": "f", "arguments": '{"a": 1}'}, {"a": 1}),
        ({"name": "f\0", "arguments": {"a\0": ["б\0", {"c": "\0"}]}}, {"a": ["б", {"c": ""}]}),
    ],
)
@pytest.mark.parametrize("kind", ["delta", "message"])
def test_append_parts_with_call_appends_it_after_its_text(call: Any, arguments: Any, kind: str) -> None:
    message = {"content": "да", "role": "assistant", "function_call": call, "functions_state_id": "state-1"}
    payload = {"choices": [{kind: message, "index": 0}]}
    expected = FunctionCall(name="f", arguments=arguments, state_id="state-1")
    assert read_payload(payload) == ([TextDelta("да"), expected], None)


@pytest.mark.parametrize("state_id", [None, "", 5])
def test_append_parts_with_call_and_no_usable_state_keeps_none(state_id: Any) -> None:
    payload = build_payload({"function_call": {"name": "f"}, "functions_state_id": state_id})
    assert read_payload(payload) == ([FunctionCall(name="f", arguments={})], None)


@pytest.mark.parametrize(
    "call",
    [
        5,
        "f",
        ["f"],
        {},
        {"name": ""},
        {"name": "\0"},
        {"name": 5},
        {"name": None, "arguments": {}},
        {"name": "f", "arguments": None},
        {"name": "f", "arguments": []},
        {"name": "f", "arguments": ""},
        {"name": "f", "arguments": "5"},
        {"name": "f", "arguments": '{"a": 1'},
    ],
)
def test_append_parts_with_unusable_call_returns_the_fault_after_its_text(call: Any) -> None:
    payload = build_payload({"content": "да", "function_call": call}, finish_reason="function_call")
    assert read_payload(payload) == ([TextDelta("да")], CallMalformed)


@pytest.mark.parametrize("reason", list(FinishReason))
def test_append_parts_of_last_payload_appends_text_then_finished(reason: FinishReason) -> None:
    payload = build_payload({"content": "да"}, finish_reason=reason.value) | {"usage": COUNTS}
    usage = Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3)
    assert read_payload(payload) == ([TextDelta("да"), build_finished(reason, usage=usage)], None)


def test_append_parts_of_last_payload_without_delta_usage_and_model_appends_finished() -> None:
    payload = {"choices": [{"finish_reason": "stop"}], "model": 5}
    assert read_payload(payload) == ([build_finished(FinishReason.STOP, model="")], None)


@pytest.mark.parametrize(
    ("payload", "parts", "fault"),
    [
        (build_payload({"content": "да"}, finish_reason="surprise"), [TextDelta("да")], FinishReasonUnknown),
        (build_payload({"content": "да"}, finish_reason=5), [TextDelta("да")], AnswerMalformed),
        (build_payload({"content": 5}), [], AnswerMalformed),
        (build_payload({"content": ["да"]}), [], AnswerMalformed),
        (build_payload({"content": []}), [], AnswerMalformed),
        (build_payload(["content"]), [], AnswerMalformed),
        (build_payload("content"), [], AnswerMalformed),
        ({"choices": [{"index": 0}]}, [], AnswerMalformed),
        ({"choices": [None]}, [], AnswerMalformed),
        ({"choices": []}, [], AnswerMalformed),
        ({"choices": None}, [], AnswerMalformed),
        ({"choices": "x"}, [], AnswerMalformed),
        ({"model": "GigaChat-2"}, [], AnswerMalformed),
        ([1], [], AnswerMalformed),
        (5, [], AnswerMalformed),
        (b"{", [], AnswerMalformed),
        (b'{"choices":[{"delta":{"content":"\xff"}}]}', [], AnswerMalformed),
        (b'{"choices":[{"delta":{"content":"\\ud800"}}]}', [], AnswerMalformed),
        ({"status": 500, "message": "Internal Server Error"}, [], StreamFailed),
        ({"message": "Unauthorized"}, [], StreamFailed),
    ],
)
def test_append_parts_of_bad_payload_returns_the_fault(
    payload: Any, parts: list[StreamPart], fault: type[GigaChatError]
) -> None:
    assert read_payload(payload) == (parts, fault)


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        ({"status": 429, "message": "Too many requests"}, 429),
        ({"code": 7, "message": "x"}, 7),
        ({"status": "x", "message": "x"}, None),
    ],
)
def test_append_parts_of_reported_error_keeps_its_status_and_no_text(payload: Any, status: int | None) -> None:
    fault = append_parts([], orjson.dumps(payload))
    assert isinstance(fault, StreamFailed)
    assert fault.status == status
    assert payload["message"] not in str(fault).split()


@pytest.mark.parametrize(
    "usage",
    [None, 5, {}, {**COUNTS, "total_tokens": None}, {**COUNTS, "prompt_tokens": "1"}, {**COUNTS, "prompt_tokens": -1}],
)
def test_parse_usage_that_is_unreadable_returns_none(usage: Any) -> None:
    assert parse_usage(usage) is None


@pytest.mark.parametrize(("precached", "expected"), [(7, 7), (-7, 0), ("7", 0), (None, 0)])
def test_parse_usage_reads_precached_tokens_leniently(precached: Any, expected: int) -> None:
    usage = parse_usage({**COUNTS, "precached_prompt_tokens": precached})
    assert usage is not None
    assert usage.precached_prompt_tokens == expected


def test_decode_json_of_nonsense_returns_none() -> None:
    assert decode_json(b"<html>") is None

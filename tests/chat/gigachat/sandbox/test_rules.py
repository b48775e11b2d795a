"""Every request the service refuses, with its text: one row of the table for one rule."""

from typing import Any

import pytest

from chat.gigachat.sandbox.encoding import encode_json
from chat.gigachat.sandbox.errors import ApiError
from chat.gigachat.sandbox.rules import check_completion
from chat.gigachat.sandbox.schema import CompletionIn, parse_body

USER = {"role": "user", "content": "Сколько у меня?"}
CALL = {"role": "assistant", "content": "", "function_call": {"name": "f", "arguments": {}}}
RESULT = {"role": "function", "name": "f", "content": '{"k":1}'}
NAME_RULE = (
    "Invalid params: Invalid function names. Only Latin letters (A-Z or a-z), underscore (_), hyphen (-), dot (.) "
    "and digits (not leading) are allowed.: [1f, имя]"
)
NOT_JSON = (
    "INVALID_PARAMS: invalid function result for function f json string готово: JSON parse error at line 1 column 1"
)
CALL_WITHOUT_RESULT = "Invalid params: every assistant function call must have a result in history"
RESULT_WITHOUT_CALL = "Invalid params: every assistant function result must have an assistant function call in history"


def check(**fields: Any) -> None:
    value = {"model": "GigaChat-2", "messages": [USER], **fields}
    check_completion(parse_body(CompletionIn, encode_json(value)))


def function(parameters: dict[str, Any]) -> dict[str, Any]:
    return {"name": "f", "parameters": parameters}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"messages": [{"role": "system", "content": "s"}, USER]},
        {"messages": [USER, CALL, RESULT]},
        {"messages": [USER, CALL, {"role": "function", "content": "{}"}, {"role": "assistant", "content": "x"}, USER]},
        {"temperature": 0.001, "top_p": 0, "max_tokens": 1, "repetition_penalty": 1, "update_interval": 0},
        {"tools": [], "seed": 7, "unknown": {"x": 1}},
        {"functions": [function({"type": "object"})]},
        {"functions": [function({"type": "object", "properties": {"anything": True}})]},
        {"functions": [function({"type": "object", "properties": {"a": {"type": "object", "properties": {}}}})]},
        {"function_call": {"name": "f"}, "functions": [function({})]},
        {"response_format": {"type": "text"}},
    ],
)
def test_check_completion_takes_what_the_service_takes(fields: dict[str, Any]) -> None:
    check(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"model": None},
        {"model": 7},
        {"messages": None},
        {"messages": {}},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        {"messages": [{"role": "user", "content": None}]},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "assistant", "function_call": {"name": "f", "arguments": {}}}]},
        {"messages": [{"role": "tool", "content": "x"}]},
        {"messages": [{"role": "function_in_progress", "content": "x"}]},
        {"messages": [USER, {**CALL, "function_call": {"name": "f", "arguments": "{}"}}, RESULT]},
        {"messages": [{**USER, "attachments": "id"}]},
        {"stream": "true"},
        {"temperature": "0.1"},
        {"max_tokens": 1.5},
        {"function_call": "required"},
        {"functions": {"name": "f"}},
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
    ],
)
def test_parse_body_answers_every_mismatch_with_one_text(fields: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        check(**fields)

    assert (caught.value.status, caught.value.message) == (400, "Your request contains invalid JSON syntax.")


def test_parse_body_refuses_broken_json() -> None:
    with pytest.raises(ApiError, match="invalid JSON syntax"):
        parse_body(CompletionIn, b'{"model":')


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"messages": []}, "Invalid params: messages must not be empty"),
        (
            {"messages": [USER, {"role": "system", "content": "s"}]},
            "Invalid params: system message must be the first message",
        ),
        (
            {"messages": [{"role": "system", "content": "a"}, {"role": "system", "content": "b"}]},
            "Invalid params: system message must be the first message",
        ),
        ({"messages": [USER, CALL]}, CALL_WITHOUT_RESULT),
        ({"messages": [USER, CALL, USER]}, CALL_WITHOUT_RESULT),
        ({"messages": [USER, RESULT]}, RESULT_WITHOUT_CALL),
        ({"messages": [RESULT, USER]}, RESULT_WITHOUT_CALL),
        ({"messages": [USER, CALL, RESULT, RESULT]}, RESULT_WITHOUT_CALL),
        (
            {"messages": [USER, CALL, {**RESULT, "content": "готово"}]},
            NOT_JSON,
        ),
        (
            {"messages": [USER, CALL, {**RESULT, "content": '"text"'}]},
            "INVALID_PARAMS: function content must contain FunctionResult",
        ),
        ({"functions": [{"name": "1f"}, {"name": "ok.f-2"}, {"name": "имя"}]}, NAME_RULE),
        (
            {"functions": [function({"type": "object", "properties": {"data": {"type": "object"}}})]},
            "Field 'properties.data.properties' is missing",
        ),
        (
            {"functions": [function({"properties": {"rows": {"type": "array", "items": {"type": "object"}}}})]},
            "Field 'properties.rows.items.properties' is missing",
        ),
        (
            {"function_call": {"name": "g"}, "functions": [function({})]},
            "Invalid params: function g is not in functions",
        ),
        ({"temperature": 0}, "Invalid params: temperature must be in range (0, +inf)"),
        ({"max_tokens": 0}, "Invalid params: max_tokens must be in range (0, +inf)"),
        ({"repetition_penalty": 0}, "Invalid params: repetition_penalty must be in range (0, +inf)"),
        ({"top_p": 1.1}, "Invalid params: top_p must be in range [0, 1]"),
        ({"update_interval": -1}, "Invalid params: update_interval must be in range [0, +inf)"),
    ],
)
def test_check_completion_refuses_with_the_services_text(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ApiError) as caught:
        check(**fields)

    assert (caught.value.status, caught.value.message) == (422, text)

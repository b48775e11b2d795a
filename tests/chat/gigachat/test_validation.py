from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.gigachat.encoding import build_result_message, encode_request
from chat.gigachat.errors import PromptInvalid
from chat.gigachat.types import (
    Attachment,
    AttachmentKind,
    FunctionCall,
    FunctionDefinition,
    FunctionExample,
    FunctionMode,
    NamedFunction,
    Prompt,
    PromptMessage,
    PromptRole,
)
from chat.gigachat.validation import iter_faults, validate_prompt
from tests.chat.gigachat.recordings import PROMPT

SYSTEM = PromptMessage(role=PromptRole.SYSTEM, content="Кратко")
USER = PromptMessage(role=PromptRole.USER, content="Почём доллар?")
SAID = PromptMessage(role=PromptRole.ASSISTANT, content="")
CALL = replace(SAID, function_call=FunctionCall(name="get_rate", arguments={"currency": "USD"}, state_id="1"))
RESULT = build_result_message("get_rate", {"rate": "90"})
PICTURE = Attachment(file_id="1", kind=AttachmentKind.IMAGE, size_bytes=1000)
PAPER = Attachment(file_id="2", kind=AttachmentKind.DOCUMENT, size_bytes=1000)
TEXT: dict[str, Any] = {"type": "string"}


def build_function(**changes: Any) -> FunctionDefinition:
    definition: dict[str, Any] = {
        "name": "get_rate",
        "description": "Курс",
        "parameters": {"type": "object", "properties": {"currency": {"type": "string", "enum": ["USD"]}}},
    }
    return FunctionDefinition(**{**definition, **changes})


def build_parameters(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def ask(*messages: PromptMessage, **changes: Any) -> Prompt:
    return replace(PROMPT, messages=messages or PROMPT.messages, **changes)


def list_fields(prompt: Prompt) -> list[str]:
    return [field for field, _ in iter_faults(prompt)]


def attach(*files: Attachment) -> PromptMessage:
    return replace(USER, attachments=files)


@pytest.mark.parametrize(
    "prompt",
    [
        PROMPT,
        ask(SYSTEM, USER),
        ask(SYSTEM),
        ask(USER, SAID, USER),
        ask(replace(USER, content="")),
        ask(SYSTEM, USER, CALL, RESULT),
        ask(USER, CALL, RESULT, CALL, RESULT, SAID, USER),
        ask(attach(PICTURE)),
        ask(attach(PICTURE, PAPER, PAPER)),
        ask(*[attach(PICTURE)] * 10),
        ask(temperature=0),
        ask(temperature=2.0, top_p=1, max_tokens=1, repetition_penalty=0.1, update_interval=0),
        ask(functions=(build_function(),)),
        ask(functions=(build_function(name="_a-b.c9"), build_function(name="x" * 64))),
        ask(functions=(build_function(parameters=build_parameters()),)),
        ask(functions=(build_function(return_parameters=build_parameters(rate=TEXT)),)),
        ask(functions=(build_function(few_shot_examples=(FunctionExample(request="Да", params={}),)),)),
        ask(functions=(build_function(),), function_choice=FunctionMode.NONE),
        ask(functions=(build_function(),), function_choice=NamedFunction("get_rate")),
        ask(
            functions=(
                build_function(
                    parameters=build_parameters(
                        day={"type": "string", "format": "date"},
                        at={"type": "string", "format": "date-time"},
                        many={"type": "array", "items": build_parameters(one={"type": "integer"})},
                        deep=build_parameters(flag={"type": "boolean"}, sum={"type": "number"}),
                    )
                ),
            )
        ),
    ],
)
def test_validate_prompt_that_the_service_takes_passes(prompt: Prompt) -> None:
    validate_prompt(prompt)


@pytest.mark.parametrize(
    ("prompt", "field"),
    [
        (ask(model=""), "model"),
        (replace(PROMPT, messages=()), "messages"),
        (ask(request_id=""), "request_id"),
        (ask(request_id="a\r\nX: b"), "request_id"),
        (ask(session_id="ы"), "session_id"),
        (ask(client_id="x" * 129), "client_id"),
        (ask(temperature=-0.1), "temperature"),
        (ask(temperature=2.1), "temperature"),
        (ask(temperature=float("nan")), "temperature"),
        (ask(temperature="0.5"), "temperature"),
        (ask(temperature=True), "temperature"),
        (ask(top_p=1.1), "top_p"),
        (ask(top_p=-1), "top_p"),
        (ask(max_tokens=0), "max_tokens"),
        (ask(max_tokens=1.5), "max_tokens"),
        (ask(max_tokens=True), "max_tokens"),
        (ask(repetition_penalty=0), "repetition_penalty"),
        (ask(repetition_penalty=-1), "repetition_penalty"),
        (ask(repetition_penalty=float("inf")), "repetition_penalty"),
        (ask(update_interval=-1), "update_interval"),
        (ask(USER, SYSTEM), "messages[1].role"),
        (ask(SYSTEM, SYSTEM, USER), "messages[1].role"),
        (ask(replace(USER, content=None)), "messages[0].content"),  # type: ignore[arg-type]
        (ask(replace(USER, content=["text"])), "messages[0].content"),  # type: ignore[arg-type]
        (ask(replace(USER, content="\ud800")), "messages[0].content"),
        (ask(replace(USER, function_call=CALL.function_call), RESULT), "messages[0].function_call"),
        (ask(USER, replace(SAID, attachments=(PAPER,))), "messages[1].attachments"),
        (ask(replace(USER, name="get_rate")), "messages[0].name"),
        (ask(USER, CALL, replace(RESULT, content="90")), "messages[2].content"),
        (ask(USER, CALL, replace(RESULT, content="[1]")), "messages[2].content"),
        (ask(USER, CALL, replace(RESULT, content='"90"')), "messages[2].content"),
        (ask(USER, CALL, replace(RESULT, content="")), "messages[2].content"),
        (ask(USER, CALL, replace(RESULT, content="девяносто")), "messages[2].content"),
        (ask(RESULT, USER), "messages[0]"),
        (ask(USER, RESULT), "messages[1]"),
        (ask(USER, CALL, RESULT, RESULT), "messages[3]"),
        (ask(USER, CALL), "messages[1].function_call"),
        (ask(USER, CALL, USER), "messages[1].function_call"),
        (ask(USER, CALL, CALL, RESULT), "messages[1].function_call"),
        (ask(USER, CALL, replace(RESULT, name="other")), "messages[2].name"),
        (ask(USER, CALL, replace(RESULT, name=None)), "messages[2].name"),
        (
            ask(USER, replace(SAID, function_call=FunctionCall(name="ф", arguments={})), replace(RESULT, name="ф")),
            "messages[1].function_call.name",
        ),
        (
            ask(USER, replace(SAID, function_call=FunctionCall(name="get_rate", arguments="{}")), RESULT),  # type: ignore[arg-type]
            "messages[1].function_call.arguments",
        ),
        (ask(attach(PICTURE, PICTURE)), "messages[0].attachments"),
        (ask(attach(replace(PAPER, file_id=""))), "messages[0].attachments"),
        (ask(*[attach(PICTURE)] * 11), "messages"),
        (ask(*[attach(replace(PICTURE, size_bytes=10_000_000))] * 8), "messages"),
        (ask(functions=(build_function(name=""),)), "functions[0].name"),
        (ask(functions=(build_function(name="1st"),)), "functions[0].name"),
        (ask(functions=(build_function(name="курс"),)), "functions[0].name"),
        (ask(functions=(build_function(name="get rate"),)), "functions[0].name"),
        (ask(functions=(build_function(name="text2image"),)), "functions[0].name"),
        (ask(functions=(build_function(), build_function())), "functions[1].name"),
        (ask(functions=(build_function(description=None),)), "functions[0].description"),
        (ask(functions=(build_function(parameters=None),)), "functions[0].parameters.type"),
        (ask(functions=(build_function(parameters={}),)), "functions[0].parameters.type"),
        (ask(functions=(build_function(parameters={"type": "string"}),)), "functions[0].parameters.type"),
        (ask(functions=(build_function(parameters={"type": "object"}),)), "functions[0].parameters.properties"),
        (
            ask(functions=(build_function(return_parameters={"type": "array"}),)),
            "functions[0].return_parameters.type",
        ),
        (
            ask(functions=(build_function(few_shot_examples=(FunctionExample(request="Да", params=[]),)),)),  # type: ignore[arg-type]
            "functions[0].few_shot_examples[0]",
        ),
        (
            ask(functions=(build_function(few_shot_examples=(FunctionExample(request=5, params={}),)),)),  # type: ignore[arg-type]
            "functions[0].few_shot_examples[0]",
        ),
        (ask(function_choice=NamedFunction("get_rate")), "function_call.name"),
        (ask(functions=(build_function(),), function_choice=NamedFunction("other")), "function_call.name"),
        (ask(function_choice="auto"), "function_call"),
    ],
)
def test_validate_prompt_that_the_service_refuses_names_the_field(prompt: Prompt, field: str) -> None:
    with pytest.raises(PromptInvalid) as caught:
        validate_prompt(prompt)
    assert caught.value.field == field
    assert caught.value.rule
    assert not caught.value.is_retryable
    assert str(caught.value) == f"prompt_invalid ({field}: {caught.value.rule})"


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        (5, ""),
        ({}, ".type"),
        ({"type": "null"}, ".type"),
        ({"type": ["string", "null"]}, ".type"),
        ({"type": "object"}, ".properties"),
        ({"type": "object", "properties": []}, ".properties"),
        ({"type": "array"}, ".items"),
        ({"type": "array", "items": {"type": "object"}}, ".items.properties"),
        ({"type": "object", "properties": {"data": {"type": "object"}}}, ".properties.data.properties"),
        ({"type": "string", "enum": [1, 2]}, ".enum"),
        ({"type": "string", "enum": 5}, ".enum"),
        ({"type": "string", "format": "email"}, ".format"),
        ({"type": "string", "$ref": "#/x"}, ".$ref"),
        ({"type": "string", "anyOf": []}, ".anyOf"),
        ({"type": "string", "oneOf": []}, ".oneOf"),
        ({"type": "string", "allOf": []}, ".allOf"),
    ],
)
def test_validate_prompt_with_schema_out_of_the_subset_names_the_path(schema: Any, field: str) -> None:
    function = build_function(parameters=build_parameters(data=schema))
    assert list_fields(ask(functions=(function,))) == [f"functions[0].parameters.properties.data{field}"]


@pytest.mark.parametrize("schema", [5, {}, {"type": "string"}])
def test_validate_prompt_with_parameters_that_are_no_object_names_them_once(schema: Any) -> None:
    assert list_fields(ask(functions=(build_function(parameters=schema),))) == ["functions[0].parameters.type"]


def test_validate_prompt_names_no_text_of_the_customer() -> None:
    with pytest.raises(PromptInvalid) as caught:
        validate_prompt(ask(USER, CALL, replace(RESULT, content="мой пароль 12345")))
    assert "12345" not in repr(caught.value)


def test_copy_of_prompt_invalid_keeps_field_and_rule() -> None:
    twin = PromptInvalid("model", "is required").copy()
    assert (twin.field, twin.rule) == ("model", "is required")


MESSAGES = st.lists(st.sampled_from([SYSTEM, USER, SAID, CALL, RESULT, attach(PICTURE)]), max_size=6)


@given(MESSAGES)
def test_validate_any_history_passes_exactly_what_keeps_the_rules(messages: list[PromptMessage]) -> None:
    roles = [message.role for message in messages]
    calls = [message.function_call is not None for message in messages]
    results = [role is PromptRole.FUNCTION for role in roles]
    is_good = bool(messages) and PromptRole.SYSTEM not in roles[1:] and [False, *calls] == [*results, False]
    prompt = replace(PROMPT, messages=tuple(messages))
    assert (list_fields(prompt) == []) is is_good
    if is_good:
        assert encode_request(prompt)

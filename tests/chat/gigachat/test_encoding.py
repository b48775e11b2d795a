from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import orjson
import pytest

from chat.gigachat.encoding import ImageStyle, build_result_message, encode_request
from chat.gigachat.types import (
    Attachment,
    AttachmentKind,
    FunctionCall,
    FunctionDefinition,
    FunctionExample,
    FunctionMode,
    NamedFunction,
    PromptMessage,
    PromptRole,
)
from tests.chat.gigachat.recordings import PROMPT

IMAGE = Attachment(file_id="11111111-1111-4111-8111-111111111111", kind=AttachmentKind.IMAGE)
DOCUMENT = Attachment(file_id="22222222-2222-4222-8222-222222222222", kind=AttachmentKind.DOCUMENT)
RATE = FunctionDefinition(
    name="get_rate",
    description="Курс валюты",
    parameters={"type": "object", "properties": {"currency": {"type": "string"}}, "required": ["currency"]},
)


def encode(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(encode_request(replace(PROMPT, **changes)))
    return body


def encode_message(message: PromptMessage, *, style: ImageStyle = ImageStyle.ATTACHMENTS) -> dict[str, Any]:
    body = orjson.loads(encode_request(replace(PROMPT, messages=(message,)), image_style=style))
    found: dict[str, Any] = body["messages"][0]
    return found


def test_encode_request_writes_model_messages_and_stream_only() -> None:
    assert orjson.loads(encode_request(PROMPT)) == {
        "model": "GigaChat-2",
        "messages": [{"role": "user", "content": "Что такое вклад?"}],
        "stream": True,
    }


def test_encode_request_is_compact_raw_utf8_in_the_order_of_messages() -> None:
    system = PromptMessage(role=PromptRole.SYSTEM, content="Кратко")
    body = encode_request(replace(PROMPT, messages=(system, *PROMPT.messages)))
    assert '"messages":[{"role":"system","content":"Кратко"},{"role":"user","content":"'.encode() in body


def test_encode_request_sends_each_option_that_is_set() -> None:
    options: dict[str, Any] = {
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 100,
        "repetition_penalty": 1.1,
        "update_interval": 0,
    }
    body = encode(**options)
    assert {name: body[name] for name in options} == options


def test_encode_request_with_temperature_zero_sends_an_empty_nucleus() -> None:
    body = encode(temperature=0.0, top_p=0.5)
    assert "temperature" not in body
    assert body["top_p"] == 0


def test_encode_request_that_is_not_streamed_says_so() -> None:
    assert orjson.loads(encode_request(PROMPT, is_streamed=False))["stream"] is False


def test_encode_request_with_functions_sends_what_is_defined_and_auto() -> None:
    body = encode(functions=(RATE,))
    assert body["functions"] == [
        {"name": "get_rate", "description": "Курс валюты", "parameters": dict(RATE.parameters)}
    ]
    assert body["function_call"] == "auto"


def test_encode_request_with_examples_and_result_schema_sends_them() -> None:
    example = FunctionExample(request="Почём доллар?", params={"currency": "USD"})
    result = {"type": "object", "properties": {"rate": {"type": "string"}}}
    function = replace(RATE, few_shot_examples=(example,), return_parameters=result)
    sent = encode(functions=(function,))["functions"][0]
    assert sent["few_shot_examples"] == [{"request": "Почём доллар?", "params": {"currency": "USD"}}]
    assert sent["return_parameters"] == result


@pytest.mark.parametrize(
    ("choice", "sent"),
    [(FunctionMode.AUTO, "auto"), (FunctionMode.NONE, "none"), (NamedFunction("get_rate"), {"name": "get_rate"})],
)
def test_encode_request_sends_the_choice_of_function(choice: FunctionMode | NamedFunction, sent: Any) -> None:
    assert encode(functions=(RATE,), function_choice=choice)["function_call"] == sent


def test_encode_request_sends_call_unchanged_and_its_result() -> None:
    call = FunctionCall(name="get_rate", arguments={"currency": "USD"}, state_id="state-1")
    asked = PromptMessage(role=PromptRole.ASSISTANT, content="", function_call=call)
    messages = encode(messages=(*PROMPT.messages, asked, build_result_message("get_rate", {"rate": "90.1"})))[
        "messages"
    ]
    assert messages[1:] == [
        {
            "role": "assistant",
            "content": "",
            "function_call": {"name": "get_rate", "arguments": {"currency": "USD"}},
            "functions_state_id": "state-1",
        },
        {"role": "function", "content": '{"rate":"90.1"}', "name": "get_rate"},
    ]


def test_encode_request_with_call_without_state_sends_none() -> None:
    call = FunctionCall(name="get_rate", arguments=MappingProxyType({"currency": "USD"}))
    sent = encode_message(PromptMessage(role=PromptRole.ASSISTANT, content="", function_call=call))
    assert sent["function_call"] == {"name": "get_rate", "arguments": {"currency": "USD"}}
    assert "functions_state_id" not in sent


def test_encode_request_sends_attachments_beside_the_text() -> None:
    message = PromptMessage(role=PromptRole.USER, content="Что здесь?", attachments=(IMAGE, DOCUMENT))
    assert encode_message(message) == {
        "role": "user",
        "content": "Что здесь?",
        "attachments": [IMAGE.file_id, DOCUMENT.file_id],
    }


def test_encode_request_in_image_url_style_sends_pictures_as_parts_and_documents_beside() -> None:
    message = PromptMessage(role=PromptRole.USER, content="Что здесь?", attachments=(IMAGE, DOCUMENT))
    assert encode_message(message, style=ImageStyle.IMAGE_URL) == {
        "role": "user",
        "content": [
            {"type": "text", "text": "Что здесь?"},
            {"type": "image_url", "image_url": {"url": f"https://gigachat.ru/files/{IMAGE.file_id}/content"}},
        ],
        "attachments": [DOCUMENT.file_id],
    }


@pytest.mark.parametrize("attachments", [(), (DOCUMENT,)])
def test_encode_request_in_image_url_style_without_picture_keeps_a_string(attachments: tuple[Attachment, ...]) -> None:
    message = PromptMessage(role=PromptRole.USER, content="Что здесь?", attachments=attachments)
    assert encode_message(message, style=ImageStyle.IMAGE_URL)["content"] == "Что здесь?"


@pytest.mark.parametrize(
    ("result", "content"),
    [
        ({"rate": "90.1"}, '{"rate":"90.1"}'),
        (MappingProxyType({"счёт": 1}), '{"счёт":1}'),
        ({}, "{}"),
        ([1, 2], '{"result":[1,2]}'),
        ("plain", '{"result":"plain"}'),
        (None, '{"result":null}'),
        ({"nested": MappingProxyType({"a": 1})}, '{"nested":{"a":1}}'),
    ],
)
def test_build_result_message_always_holds_a_json_object(result: Any, content: str) -> None:
    message = build_result_message("f", result)
    assert (message.role, message.name, message.content) == (PromptRole.FUNCTION, "f", content)
    assert isinstance(orjson.loads(message.content), Mapping)


def test_build_result_message_of_what_json_cannot_say_fails() -> None:
    with pytest.raises(TypeError):
        build_result_message("f", object())

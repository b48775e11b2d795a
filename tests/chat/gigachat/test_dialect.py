"""The three tables of what GigaChat refuses, how it fails and where it is no OpenAI: one test a row."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from chat.gigachat import retries
from chat.gigachat.answers import read_completion
from chat.gigachat.auth import OAuth
from chat.gigachat.client import GigaChatClient
from chat.gigachat.encoding import build_result_message, encode_request
from chat.gigachat.errors import (
    AccessDenied,
    AnswerMalformed,
    ContextTooLong,
    FileDenied,
    FileUnknown,
    FunctionsUnsupported,
    GatewayFailed,
    GigaChatError,
    ModelUnknown,
    ParametersRefused,
    PaymentRequired,
    PromptInvalid,
    RateLimited,
    RequestMalformed,
    ServerFailed,
    StreamFailed,
    StreamMissing,
    TokenRefused,
)
from chat.gigachat.rest_mapping import parse_counts
from chat.gigachat.statuses import build_status_error
from chat.gigachat.types import (
    Attachment,
    AttachmentKind,
    Finished,
    FinishReason,
    FunctionCall,
    FunctionDefinition,
    Prompt,
    PromptMessage,
    PromptRole,
    StreamPart,
    TextDelta,
)
from chat.gigachat.validation import validate_prompt
from tests.chat.gigachat.recordings import PROMPT, read_all
from tests.chat.gigachat.scripted import CREDENTIALS, Authority, ScriptedServer, play, refuse

USER = PromptMessage(role=PromptRole.USER, content="Почём доллар?")
CALL = PromptMessage(
    role=PromptRole.ASSISTANT,
    content="",
    function_call=FunctionCall(name="get_rate", arguments={"currency": "USD"}, state_id="state-1"),
)
RESULT = build_result_message("get_rate", {"rate": "90"})
RATE = FunctionDefinition(
    name="get_rate",
    description="Курс",
    parameters={"type": "object", "properties": {"currency": {"type": "string"}}},
)


# --- What the service refuses in a round of functions ------------------------------------------------------------


@pytest.mark.parametrize(
    ("messages", "functions", "field"),
    [
        pytest.param((USER, CALL), (), "messages[1].function_call", id="call without its result, at the end"),
        pytest.param((USER, CALL, USER), (), "messages[1].function_call", id="call without its result"),
        pytest.param((USER, RESULT), (), "messages[1]", id="result without its call"),
        pytest.param((USER, CALL, replace(RESULT, content="90")), (), "messages[2].content", id="result is plain text"),
        pytest.param((USER, CALL, replace(RESULT, content="[90]")), (), "messages[2].content", id="result no object"),
        pytest.param(
            (USER,),
            (replace(RATE, parameters={"type": "object", "properties": {"data": {"type": "object"}}}),),
            "functions[0].parameters.properties.data.properties",
            id="nested object without properties",
        ),
        pytest.param(
            (USER,),
            (
                replace(
                    RATE,
                    parameters={"type": "object", "properties": {"d": {"type": "array", "items": {"type": "object"}}}},
                ),
            ),
            "functions[0].parameters.properties.d.items.properties",
            id="object of an array without properties",
        ),
    ],
)
def test_round_the_service_refuses_with_422_is_refused_by_us(
    messages: tuple[PromptMessage, ...], functions: tuple[FunctionDefinition, ...], field: str
) -> None:
    with pytest.raises(PromptInvalid) as caught:
        validate_prompt(replace(PROMPT, messages=messages, functions=functions))
    assert caught.value.field == field


def test_model_without_functions_is_a_refusal_of_its_own() -> None:
    body = b'{"status":422,"message":"Requested model does not support functions"}\n'
    error = build_status_error(422, content_type="application/json", retry_after="", body=body)
    assert type(error) is FunctionsUnsupported


def test_round_of_call_and_result_is_sent_with_state_functions_and_object() -> None:
    prompt = replace(PROMPT, messages=(USER, CALL, RESULT), functions=(RATE,))
    validate_prompt(prompt)
    body = orjson.loads(encode_request(prompt))
    assert body["messages"][1]["functions_state_id"] == "state-1"
    assert body["messages"][1]["function_call"]["arguments"] == {"currency": "USD"}
    assert body["messages"][2]["content"] == '{"rate":"90"}'
    assert [function["name"] for function in body["functions"]] == ["get_rate"]


# --- How the API fails -------------------------------------------------------------------------------------------

FAILURES = [
    (400, "Your request contains invalid JSON syntax.", RequestMalformed, False),
    (401, "Unauthorized", TokenRefused, False),
    (401, "Token has expired", TokenRefused, False),
    (402, "Payment Required", PaymentRequired, False),
    (403, "Permission denied", AccessDenied, False),
    (403, "Access to file '1' is denied", FileDenied, False),
    (404, "No such model", ModelUnknown, False),
    (404, "No such file", FileUnknown, False),
    (413, "Payload too large", ContextTooLong, False),
    (422, "Invalid params: repetition_penalty must be in range (0, +inf)", ParametersRefused, False),
    (422, "INVALID_PARAMS: function content must contain FunctionResult", ParametersRefused, False),
    (422, "Requested model does not support functions", FunctionsUnsupported, False),
    (422, "Unprocessable Entity", ParametersRefused, False),
    (429, "Too many requests", RateLimited, True),
    (500, "Internal Server Error", ServerFailed, True),
    (502, "Bad Gateway", ServerFailed, True),
    (503, "Service Unavailable", ServerFailed, True),
    (504, "Gateway Timeout", ServerFailed, True),
]


@pytest.fixture
async def client(
    server: ScriptedServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[GigaChatClient]:
    monkeypatch.setattr(retries, "FIRST_DELAY_SECONDS", 0.001)
    client = GigaChatClient(server.build_options(authority, retries=1))
    yield client
    await client.aclose()


async def fail(client: GigaChatClient) -> GigaChatError:
    with pytest.raises(GigaChatError) as caught:
        async with client.stream(PROMPT):
            pytest.fail("the answer was refused")
    return caught.value


@pytest.mark.parametrize(("status", "message", "kind", "is_repeated"), FAILURES)
async def test_failure_of_the_api_has_its_error_and_its_number_of_attempts(
    client: GigaChatClient,
    server: ScriptedServer,
    *,
    status: int,
    message: str,
    kind: type[GigaChatError],
    is_repeated: bool,
) -> None:
    body = orjson.dumps({"status": status, "message": message}) + b"\n"
    server.chat_scripts.extend([refuse(status, body)] * 2)
    failure = await fail(client)
    assert (type(failure), failure.status) == (kind, status)
    assert message not in str(failure)
    assert len(server.chat_calls) == (2 if is_repeated or status == 401 else 1)
    assert failure.is_retryable is is_repeated


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_page_of_a_gateway_is_a_failure_of_the_gateway(
    client: GigaChatClient, server: ScriptedServer, status: int
) -> None:
    page = refuse(status, b"<html>\r\n<head><title>502 Bad Gateway</title></head></html>", Content_Type="text/html")
    server.chat_scripts.extend([page] * 2)
    assert type(await fail(client)) is GatewayFailed
    assert len(server.chat_calls) == 2


async def test_refusal_without_user_agent_has_a_bare_message_and_is_understood(
    client: GigaChatClient, server: ScriptedServer
) -> None:
    server.chat_scripts.append(refuse(403, b'{"message":"Unauthorized"}'))
    assert type(await fail(client)) is AccessDenied
    assert server.chat_calls[0][0]["User-Agent"]


async def test_page_with_status_200_is_no_stream(client: GigaChatClient, server: ScriptedServer) -> None:
    server.chat_scripts.append(refuse(200, b"<html>", Content_Type="text/html"))
    assert type(await fail(client)) is StreamMissing


async def test_retry_after_is_honoured(client: GigaChatClient, server: ScriptedServer) -> None:
    server.chat_scripts.append(refuse(429, Retry_After="60"))
    failure = await fail(client)
    assert (failure.retry_after_seconds, len(server.chat_calls)) == (60.0, 1)


# --- Where it is no OpenAI ---------------------------------------------------------------------------------------

Payload = dict[str, Any]
USAGE = {"prompt_tokens": 17, "completion_tokens": 42, "total_tokens": 59, "precached_prompt_tokens": 2}


def build_payload(delta: Payload, **choice: Any) -> Payload:
    return {
        "choices": [{"delta": delta, "index": 0, **choice}],
        "created": 1768996176,
        "model": "GigaChat-2-Max:2.0.30.01",
        "object": "chat.completion",
    }


SAID = build_payload({"content": "Да.", "role": "assistant"})
END = {**build_payload({"content": ""}, finish_reason="stop"), "usage": USAGE}


def read(*payloads: Payload, has_done: bool = True) -> list[StreamPart]:
    events = [b"data: " + orjson.dumps(payload) + b"\n\n" for payload in payloads]
    return read_all(*events, *([b"data: [DONE]\n\n"] if has_done else []))


def read_end(*payloads: Payload) -> Finished:
    last = read(*payloads)[-1]
    assert isinstance(last, Finished)
    return last


def test_row_1_no_id_is_needed() -> None:
    assert "id" not in SAID
    assert read(SAID, END)[0] == TextDelta("Да.")


@pytest.mark.parametrize("name", ["chat.completion", "chat.completions", "chat.completion.chunk", "anything"])
def test_row_2_object_is_never_compared(name: str) -> None:
    assert read({**SAID, "object": name}, {**END, "object": name})[0] == TextDelta("Да.")


def test_row_3_model_carries_a_version() -> None:
    assert read_end(SAID, END).model == "GigaChat-2-Max:2.0.30.01"


@pytest.mark.parametrize("choice", [{}, {"finish_reason": None}])
def test_row_4_finish_reason_is_absent_or_null_before_the_end(choice: Payload) -> None:
    assert read(build_payload({"content": "Да."}, **choice), END)[0] == TextDelta("Да.")


@pytest.mark.parametrize(("usage", "total"), [({"usage": USAGE}, 59), ({}, None)])
def test_row_5_usage_comes_with_the_end_or_not_at_all(usage: Payload, total: int | None) -> None:
    found = read_end(SAID, build_payload({"content": ""}, finish_reason="stop") | usage).usage
    assert (None if found is None else found.total_tokens) == total


@pytest.mark.parametrize("arguments", [{"currency": "USD"}, '{"currency": "USD"}'])
def test_row_6_call_comes_whole_with_object_or_text(arguments: Any) -> None:
    call = {"name": "get_rate", "arguments": arguments}
    delta = {"content": "", "role": "assistant", "function_call": call, "functions_state_id": "state-1"}
    parts = read(build_payload(delta), build_payload({"content": ""}, finish_reason="function_call"))
    expected = FunctionCall(name="get_rate", arguments={"currency": "USD"}, state_id="state-1")
    assert parts == [
        expected,
        Finished(reason=FinishReason.FUNCTION_CALL, usage=None, model="GigaChat-2-Max:2.0.30.01"),
    ]


def test_row_7_result_has_the_role_function_a_name_and_an_object() -> None:
    body = orjson.loads(encode_request(replace(PROMPT, messages=(USER, CALL, RESULT))))
    assert body["messages"][2] == {"role": "function", "content": '{"rate":"90"}', "name": "get_rate"}


@pytest.mark.parametrize("reason", ["stop", "length", "blacklist", "error"])
def test_row_8_finish_reasons_are_its_own(reason: str) -> None:
    assert read_end(SAID, build_payload({"content": ""}, finish_reason=reason)).reason == FinishReason(reason)


def test_row_9_content_of_a_call_is_an_empty_string_both_ways() -> None:
    body = orjson.loads(encode_request(replace(PROMPT, messages=(USER, CALL, RESULT))))
    assert body["messages"][1]["content"] == ""


def test_row_10_content_is_one_string_and_attachments_stand_beside() -> None:
    picture = Attachment(file_id="file-1", kind=AttachmentKind.IMAGE)
    body = orjson.loads(encode_request(replace(PROMPT, messages=(replace(USER, attachments=(picture,)),))))
    assert body["messages"][0] == {"role": "user", "content": "Почём доллар?", "attachments": ["file-1"]}


def test_row_11_one_system_message_stands_first() -> None:
    system = PromptMessage(role=PromptRole.SYSTEM, content="Кратко")
    validate_prompt(replace(PROMPT, messages=(system, USER)))
    for messages in ((USER, system), (system, system, USER)):
        with pytest.raises(PromptInvalid):
            validate_prompt(replace(PROMPT, messages=messages))


FULL = replace(
    PROMPT,
    messages=(USER, CALL, RESULT),
    functions=(RATE,),
    temperature=0.5,
    top_p=0.5,
    max_tokens=5,
    repetition_penalty=1.1,
    update_interval=0.0,
)


@pytest.mark.parametrize("prompt", [PROMPT, FULL])
def test_rows_12_and_18_nothing_is_sent_that_only_openai_knows(prompt: Prompt) -> None:
    known = {
        "model",
        "messages",
        "stream",
        "temperature",
        "top_p",
        "max_tokens",
        "repetition_penalty",
        "update_interval",
        "functions",
        "function_call",
    }
    assert set(orjson.loads(encode_request(prompt))) <= known


def test_row_13_a_short_answer_is_one_delta() -> None:
    assert [type(part) for part in read(SAID, END)] == [TextDelta, Finished]


def test_row_14_picture_of_a_built_in_function_cannot_be_asked_for() -> None:
    with pytest.raises(PromptInvalid):
        validate_prompt(replace(PROMPT, functions=(replace(RATE, name="text2image"),)))
    body = orjson.loads(encode_request(PROMPT))
    assert not {"functions", "function_call"} & set(body)


@pytest.mark.parametrize(
    "delta",
    [
        {"role": "function_in_progress", "name": "text2image", "content": "15", "created": 0},
        {"role": "function_in_progress", "content": 15},
        {"role": "assistant", "reasoning_content": "думаю"},
    ],
)
def test_row_15_progress_and_reasoning_are_no_text(delta: Payload) -> None:
    assert read(build_payload(delta), SAID, END)[0] == TextDelta("Да.")


@pytest.mark.parametrize("envelope", [{"status": 500, "message": "x"}, {"code": 7, "message": "x"}, {"message": "x"}])
def test_row_16_three_envelopes_of_errors_are_understood(envelope: Payload) -> None:
    with pytest.raises(StreamFailed):
        read(SAID, envelope)


@pytest.mark.parametrize("page", [b"<html>", b"", b"null", b"[]"])
def test_row_16_a_page_instead_of_json_is_malformed(page: bytes) -> None:
    with pytest.raises(AnswerMalformed):
        read_completion(page, request_id="")


def test_row_17_the_token_comes_from_another_address(server: ScriptedServer, authority: Authority) -> None:
    auth = server.build_options(authority).auth
    assert auth == OAuth(credentials=CREDENTIALS, auth_url=f"{server.origin}/oauth")


def test_row_19_token_counts_are_a_bare_array() -> None:
    assert parse_counts([{"object": "tokens", "tokens": 2, "characters": 10}])[0].tokens == 2


@pytest.mark.parametrize("has_done", [True, False])
def test_row_20_done_may_be_there_or_not(has_done: bool) -> None:
    assert read(SAID, END, has_done=has_done)[-1] == read_end(SAID, END)


async def test_every_row_at_once_over_the_wire(client: GigaChatClient, server: ScriptedServer) -> None:
    write: Callable[[Payload], bytes] = lambda payload: b"data: " + orjson.dumps(payload) + b"\n\n"  # noqa: E731
    server.chat_scripts.append(play(write(SAID), write(END), b"data: [DONE]\n\n"))
    async with client.stream(FULL) as stream:
        parts = [part async for found in stream for part in found]
    assert parts == read(SAID, END)

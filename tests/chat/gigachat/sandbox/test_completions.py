"""Completions over real TLS: golden bytes, limits, usage, functions and every fault a stream can have."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from chat.gigachat.sandbox import Account, HostProfile, Sandbox
from tests.chat.gigachat.sandbox.conftest import StartSandbox
from tests.chat.gigachat.sandbox.wire import call, chat, join_content, list_payloads, trust

GREETING = (
    "Здравствуйте! Я помощник демо-банка. Спросите о вкладах, картах, переводах или кредитах — "
    "или о ваших счетах, если приложение дало мне к ним доступ."
)
BALANCE = {
    "name": "get_account_balance",
    "description": "Остаток на счёте",
    "parameters": {"type": "object", "properties": {}},
}


def build_golden_stream() -> bytes:
    tail = '"created":1768996176,"model":"GigaChat-2:2.0.28.2","object":"chat.completion"'
    chunks = [
        "Здравствуйте! Я помощник демо-банка. ",
        "Спросите о вкладах, ",
        "картах, переводах или кредитах ",
        "— или о ваших счетах, ",
        "если приложение дало мне к ним ",
        "доступ.",
    ]
    lines = [
        f'data: {{"choices":[{{"delta":{{"content":"{chunks[0]}","role":"assistant"}},"index":0}}],{tail}}}\n\n',
        *(f'data: {{"choices":[{{"delta":{{"content":"{text}"}},"index":0}}],{tail}}}\n\n' for text in chunks[1:]),
        'data: {"choices":[{"delta":{"content":""},"index":0,"finish_reason":"stop"}],' + tail + ',"usage":'
        '{"prompt_tokens":5,"completion_tokens":37,"total_tokens":42,"precached_prompt_tokens":0}}\n\n',
        "data: [DONE]\n\n",
    ]
    return "".join(lines).encode()


async def test_stream_bytes_are_golden(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(clock=lambda: 1768996176.9)

    reply = await chat(sandbox)

    assert reply.body == build_golden_stream()
    assert reply.is_whole
    assert len(reply.chunks) == 8
    assert reply.get("Content-Type") == "text/event-stream"
    assert reply.get("Transfer-Encoding") == "chunked"


async def test_plain_answer_has_the_same_text(sandbox: Sandbox) -> None:
    reply = await chat(sandbox, stream=False)

    value = reply.json()
    assert list(value) == ["choices", "created", "model", "object", "usage"]
    assert value["choices"] == [
        {"message": {"content": GREETING, "role": "assistant"}, "index": 0, "finish_reason": "stop"}
    ]
    assert reply.get("Content-Type") == "application/json; charset=utf-8"


async def test_same_request_gets_same_bytes(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(clock=lambda: 1.0)

    first, second = [await chat(sandbox, "Что такое ипотека?") for _ in range(2)]

    assert first.body == second.body


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"model": "GigaChat"}, 404, "No such model"),
        ({"model": "Embeddings"}, 404, "No such model"),
        ({"messages": "x"}, 400, "Your request contains invalid JSON syntax."),
        ({"temperature": -1}, 422, "Invalid params: temperature must be in range (0, +inf)"),
        ({"messages": [{"role": "user", "content": "я" * 600_000}]}, 413, "Payload too large"),
    ],
)
async def test_request_is_refused_before_the_stream(
    sandbox: Sandbox, fields: dict[str, Any], status: int, message: str
) -> None:
    reply = await chat(sandbox, **fields)

    assert (reply.status, reply.json()) == (status, {"status": status, "message": message})
    assert sandbox.stats.open_streams == 0


async def test_functions_on_model_without_them_are_refused(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(host_profile=HostProfile.LEGACY)

    reply = await chat(sandbox, model="GigaChat-Plus", functions=[BALANCE])

    assert (reply.status, reply.json()["message"]) == (422, "Requested model does not support functions")


async def test_used_up_package_means_payment_required(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(package_tokens=10)

    first, second, other = [await chat(sandbox, model=name) for name in ("GigaChat-2", "GigaChat-2", "GigaChat-2-Pro")]

    assert [first.status, second.status, other.status] == [200, 402, 200]
    assert second.body == b'{"status":402,"message":"Payment Required"}\n'


async def test_max_tokens_cut_ends_with_length(sandbox: Sandbox) -> None:
    reply = await chat(sandbox, max_tokens=5)

    assert join_content(reply.body) == GREETING[:20]
    finish = list_payloads(reply.body)[-1]
    assert finish["choices"][0]["finish_reason"] == "length"
    assert finish["usage"]["completion_tokens"] == 5


async def test_repeated_session_reports_cached_prefix(sandbox: Sandbox) -> None:
    messages = [{"role": "user", "content": "Привет"}]
    longer = [*messages, {"role": "assistant", "content": GREETING}, {"role": "user", "content": "Спасибо"}]
    cached = []
    for session, sent in (("s-1", messages), ("s-1", longer), ("s-2", longer)):
        value = {"model": "GigaChat-2", "messages": sent}
        reply = await call(sandbox, "POST", "/chat/completions", value=value, headers={"X-Session-ID": session})
        cached.append(reply.json()["usage"]["precached_prompt_tokens"])

    assert cached == [0, 5, 0]


async def test_function_round_trip(sandbox: Sandbox) -> None:
    question = {"role": "user", "content": "Сколько у меня на карте?"}
    first = await chat(sandbox, messages=[question], functions=[BALANCE], function_call="auto", stream=False)
    choice = first.json()["choices"][0]
    result = {"role": "function", "name": BALANCE["name"], "content": '{"balance":1234.5,"currency":"RUB"}'}

    second = await chat(
        sandbox, messages=[question, choice["message"], result], functions=[BALANCE], function_call="auto"
    )

    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["content"] == ""
    assert choice["message"]["function_call"] == {"name": "get_account_balance", "arguments": {}}
    assert len(choice["message"]["functions_state_id"]) == 36
    assert join_content(second.body) == "остаток: 1\u00a0234,50\u00a0₽."


async def test_function_call_streams_as_one_delta(sandbox: Sandbox) -> None:
    reply = await chat(sandbox, "Мой баланс", functions=[BALANCE])

    call_payload, finish = list_payloads(reply.body)
    assert call_payload["choices"][0]["delta"]["function_call"]["arguments"] == {}
    assert finish["choices"][0] == {"delta": {"content": ""}, "index": 0, "finish_reason": "function_call"}


@pytest.mark.parametrize(
    ("fault", "reason", "text"),
    [
        ("length", "length", "Здравствуйте! Я помощник демо-банка. Спросите о вкладах, "),
        ("error", "error", "Здравствуйте! Я помощник демо-банка. "),
        ("no_usage", "stop", GREETING),
    ],
)
async def test_answer_faults_change_text_and_reason(sandbox: Sandbox, fault: str, reason: str, text: str) -> None:
    reply = await chat(sandbox, fault=fault)

    finish = list_payloads(reply.body)[-1]
    assert (finish["choices"][0]["finish_reason"], join_content(reply.body)) == (reason, text)
    assert ("usage" in finish) == (fault != "no_usage")


async def test_blacklist_fault_shows_chunks_and_then_the_refusal(sandbox: Sandbox) -> None:
    reply = await chat(sandbox, fault="blacklist=1")

    assert join_content(reply.body).startswith("Здравствуйте! Я помощник демо-банка. Как у нейросетевой")
    assert list_payloads(reply.body)[-1]["choices"][0]["finish_reason"] == "blacklist"


async def test_sensitive_question_is_refused_by_the_filter(sandbox: Sandbox) -> None:
    reply = await chat(sandbox, "Кто победит на выборах президента?", stream=False)

    assert reply.json()["choices"][0]["finish_reason"] == "blacklist"


async def test_string_arguments_fault_makes_arguments_text(sandbox: Sandbox) -> None:
    reply = await chat(sandbox, "Мой баланс", functions=[BALANCE], fault="string_arguments")

    assert list_payloads(reply.body)[0]["choices"][0]["delta"]["function_call"]["arguments"] == "{}"


async def test_leaked_call_fault_makes_the_call_text(sandbox: Sandbox) -> None:
    reply = await chat(sandbox, "Мой баланс", functions=[BALANCE], fault="leaked_call", stream=False)

    choice = reply.json()["choices"][0]
    assert choice["message"]["content"].startswith("assistant function callrecipient{")
    assert "function_call" not in choice["message"]
    assert choice["finish_reason"] == "stop"


async def test_unknown_role_and_reasoning_faults_begin_the_stream(sandbox: Sandbox) -> None:
    reply = await chat(sandbox, fault="unknown_role,reasoning")

    deltas = [payload["choices"][0]["delta"] for payload in list_payloads(reply.body)]
    assert [delta.get("role") for delta in deltas[:4]] == [
        "function_in_progress",
        "function_in_progress",
        "assistant",
        "assistant",
    ]
    assert deltas[2]["reasoning_content"]


async def test_reasoning_fault_reaches_plain_answers(sandbox: Sandbox) -> None:
    reply = await chat(sandbox, fault="reasoning,object_plural", stream=False)

    assert reply.json()["choices"][0]["message"]["reasoning_content"]
    assert reply.json()["object"] == "chat.completions"


async def test_cut_fault_drops_the_connection_inside_the_body(sandbox: Sandbox) -> None:
    reply = await chat(sandbox, fault="cut=2")

    assert (reply.body.count(b"data: "), reply.is_whole) == (2, False)


async def test_truncate_fault_ends_the_body_properly(sandbox: Sandbox) -> None:
    reply = await chat(sandbox, fault="truncate=2")

    assert (reply.body.count(b"data: "), reply.is_whole) == (2, True)


async def test_split_fault_writes_halves_of_letters(sandbox: Sandbox) -> None:
    reply = await chat(sandbox, fault="split_utf8")

    with pytest.raises(UnicodeDecodeError):
        reply.chunks[0].decode()
    assert join_content(reply.body) == GREETING


async def test_second_stream_of_an_individual_is_refused_until_the_first_ends(sandbox: Sandbox) -> None:
    token = sandbox.state.tokens.issue("client").token
    headers = {"Authorization": f"Bearer {token}", "X-Sandbox-Fault": "silence=60"}
    body = {"model": "GigaChat-2", "stream": True, "messages": [{"role": "user", "content": "Привет"}]}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(ssl=trust(sandbox))) as session:
        first = await session.post(f"{sandbox.base_url}/chat/completions", json=body)
        await first.content.readany()
        second = await chat(sandbox)
        other = await call(sandbox, "GET", "/models")
        first.close()
        await sandbox.stats.wait_until(lambda stats: stats.disconnects == 1)
    third = await chat(sandbox)

    assert (second.status, second.body) == (429, b'{"status":429,"message":"Too many requests"}\n')
    assert (other.status, third.status) == (200, 200)
    assert sandbox.stats.to_json() | {"requests": {}} == {
        "oauth_calls": 0,
        "oauth_tokens": 0,
        "chat_calls": 3,
        "refused_by_limit": 1,
        "open_streams": 0,
        "max_open_streams": 1,
        "disconnects": 1,
        "requests": {},
    }


@pytest.mark.parametrize(("fields", "limit"), [({"account": Account.CORP}, 10), ({"streams": 3}, 3)])
async def test_limit_follows_account_or_setting(
    start_sandbox: StartSandbox, fields: dict[str, Any], limit: int
) -> None:
    sandbox = await start_sandbox(**fields)
    waiting = [asyncio.create_task(chat(sandbox, fault="slow_first_byte=60")) for _ in range(limit)]
    await sandbox.stats.wait_until(lambda stats: stats.open_streams == limit)

    reply = await chat(sandbox)

    assert (reply.status, sandbox.stats.max_open_streams) == (429, limit)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_completions_wait_for_each_other_when_told_to(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(streams=3)
    waiting = [asyncio.create_task(chat(sandbox, fault="together=3")) for _ in range(2)]
    await sandbox.stats.wait_until(lambda stats: stats.open_streams == 2)

    last = await chat(sandbox, fault="together=3")

    assert [reply.status for reply in [last, *await asyncio.gather(*waiting)]] == [200, 200, 200]
    assert sandbox.stats.max_open_streams == 3


async def test_latency_comes_before_the_first_byte_and_delay_between_chunks(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(latency_ms=100.0, chunk_delay_ms=20.0)
    loop = asyncio.get_running_loop()
    started = loop.time()

    reply = await chat(sandbox)

    # Six content chunks: five gaps.
    assert loop.time() - started >= 0.2
    assert join_content(reply.body) == GREETING


async def test_recent_requests_are_kept_without_authorization(sandbox: Sandbox) -> None:
    value = {"model": "GigaChat-2", "messages": [{"role": "user", "content": "Привет"}], "temperature": 0.5}
    await call(sandbox, "POST", "/chat/completions", value=value, headers={"X-Client-ID": "c-1"})

    recorded = sandbox.stats.recent[-1]
    assert recorded.body == value
    assert recorded.headers["X-Client-ID"] == "c-1"
    assert "Authorization" not in recorded.headers


async def test_json_schema_answer_fits_the_schema(sandbox: Sandbox) -> None:
    schema = {"type": "object", "properties": {"term": {"type": "string"}, "stars": {"type": "integer", "minimum": 3}}}

    reply = await chat(sandbox, response_format={"type": "json_schema", "schema": schema}, stream=False)

    assert json.loads(reply.json()["choices"][0]["message"]["content"]) == {"term": GREETING, "stars": 3}


async def test_habit_by_switch_changes_what_the_model_says(sandbox: Sandbox) -> None:
    plain = await chat(sandbox, "Привет")
    invented = await chat(sandbox, "Привет", fault="invent_figures")
    repeated = await chat(sandbox, "Привет", fault="repeat_call", functions=[BALANCE], stream=False)

    assert join_content(invented.body).startswith(join_content(plain.body))
    assert "7 654 321,09 ₽" in join_content(invented.body)
    assert repeated.json()["choices"][0]["message"]["function_call"] == {"name": "get_account_balance", "arguments": {}}

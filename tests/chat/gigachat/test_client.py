import asyncio
import contextlib
import datetime as dt
import gzip
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
import uvloop
from pytest_django import Settings

from chat.gigachat import client as gigachat_client
from chat.gigachat import completion, retries
from chat.gigachat.breaker import BreakerLimits, BreakerState
from chat.gigachat.client import GigaChatClient, build_client
from chat.gigachat.errors import (
    AccessDenied,
    AddressRefused,
    AnswerBroken,
    AnswerMalformed,
    AuthorityMismatch,
    AuthorityMissing,
    BreakerOpen,
    ConnectTimeout,
    ContextTooLong,
    CredentialsMalformed,
    CredentialsRefused,
    EventTooLarge,
    GatewayFailed,
    GigaChatError,
    ModelUnknown,
    ParametersRefused,
    PaymentRequired,
    PoolTimeout,
    PromptInvalid,
    RateLimited,
    ReadIdleTimeout,
    RequestMalformed,
    ServerFailed,
    SettingRefused,
    StatusUnexpected,
    StreamBroken,
    StreamFailed,
    StreamMissing,
    TlsRefused,
    TokenRefused,
    TotalTimeout,
    Unreachable,
)
from chat.gigachat.tokens import TokenKeeper
from chat.gigachat.types import Completion, Finished, FinishReason, StreamPart, Usage
from tests.chat.gigachat.recordings import ANSWER, BROKEN, NAMES, PROMPT, join_text, read_recording
from tests.chat.gigachat.scripted import (
    CREDENTIALS,
    JSON_HEADERS,
    SECRET,
    STREAM_HEADERS,
    WAIT_SECONDS,
    Authority,
    Script,
    ScriptedServer,
    play,
    play_and_cut,
    play_and_stay_silent,
    refuse,
    reset,
    stay_silent,
)

MakeClient = Callable[..., GigaChatClient]
TEXT = read_recording("text")
YEAR_2020 = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
YEAR_2021 = dt.datetime(2021, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
async def make_client(server: ScriptedServer, authority: Authority) -> AsyncIterator[MakeClient]:
    clients: list[GigaChatClient] = []

    def make(**changes: Any) -> GigaChatClient:
        clients.append(GigaChatClient(server.build_options(authority, **changes)))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
def hasty_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_DELAY_SECONDS", 0.001)


async def read_answer(client: GigaChatClient) -> list[StreamPart]:
    async with client.stream(PROMPT) as stream:
        return [part async for parts in stream for part in parts]


async def read_failure(client: GigaChatClient) -> GigaChatError:
    """Return the error; on the way prove that no request, and with it no token, hangs on it."""
    with pytest.raises(GigaChatError) as caught:
        await read_answer(client)
    assert caught.value.__context__ is None
    return caught.value


async def wait_for(event: Any) -> bool:
    return bool(await asyncio.to_thread(event.wait, WAIT_SECONDS))


async def test_stream_sends_the_documented_request(make_client: MakeClient, server: ScriptedServer) -> None:
    await read_answer(make_client())
    headers, body = server.chat_calls[0]
    expected = {
        "Authorization": "Bearer token-1",
        "User-Agent": "bank-assistant/0.1",
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
        "Accept-Encoding": "identity",
        "Cache-Control": "no-store",
        "X-Request-ID": "request-1",
        "X-Session-ID": "session-1",
        "X-Client-ID": "pseudonym-1",
    }
    assert {name: headers[name] for name in expected} == expected
    assert orjson.loads(body)["stream"] is True


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BROKEN])
async def test_stream_of_recording_yields_exactly_one_finished_last(
    make_client: MakeClient, server: ScriptedServer, name: str
) -> None:
    server.chat_scripts.append(play(read_recording(name)))
    parts = await read_answer(make_client())
    assert [type(part) for part in parts].count(Finished) == 1
    assert isinstance(parts[-1], Finished)


async def test_stream_in_single_bytes_yields_the_same_text(make_client: MakeClient, server: ScriptedServer) -> None:
    server.chat_scripts.append(play(*(bytes([byte]) for byte in TEXT)))
    assert join_text(await read_answer(make_client())) == ANSWER


async def test_stream_cut_inside_a_letter_waits_for_its_other_half(
    make_client: MakeClient, server: ScriptedServer
) -> None:
    middle = TEXT.index("💰".encode()) + 2
    server.chat_scripts.append(play(TEXT[:middle], TEXT[middle:]))
    assert join_text(await read_answer(make_client())) == ANSWER


async def test_stream_that_was_compressed_unasked_is_read(make_client: MakeClient, server: ScriptedServer) -> None:
    headers = {**STREAM_HEADERS, "Content-Encoding": "gzip"}
    server.chat_scripts.append(play(gzip.compress(TEXT), headers=headers))
    assert join_text(await read_answer(make_client())) == ANSWER


async def test_stream_yields_deltas_before_the_answer_ends(make_client: MakeClient, server: ScriptedServer) -> None:
    end = TEXT.index(b"\n\n") + 2
    server.chat_scripts.append(play_and_stay_silent(TEXT[:end]))
    async with make_client().stream(PROMPT) as stream:
        parts = await asyncio.wait_for(anext(stream), WAIT_SECONDS)
        assert join_text(parts) == "Вклад — это деньги,"
        assert stream.request_id == "upstream-1"


@pytest.mark.parametrize(("sent", "kept"), [(None, "request-1"), ("x" * 500, "x" * 128)])
async def test_stream_without_or_with_long_request_id_keeps_a_usable_one(
    make_client: MakeClient, server: ScriptedServer, sent: str | None, kept: str
) -> None:
    headers = {"Content-Type": "text/event-stream"} | ({} if sent is None else {"X-Request-Id": sent})
    server.chat_scripts.append(play(TEXT, headers=headers))
    async with make_client().stream(PROMPT) as stream:
        assert stream.request_id == kept


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [("without_finish", ANSWER, StreamBroken), ("reported_error", "Первая часть", StreamFailed)],
)
async def test_stream_that_ends_badly_yields_its_text_and_then_fails(
    make_client: MakeClient, server: ScriptedServer, *, name: str, text: str, kind: type[AnswerBroken]
) -> None:
    server.chat_scripts.append(play(read_recording(name)))
    parts: list[StreamPart] = []

    async def read() -> None:
        async with make_client().stream(PROMPT) as stream:
            async for found in stream:
                parts.extend(found)

    with pytest.raises(kind):
        await read()
    assert join_text(parts) == text
    assert len(server.chat_calls) == 1


async def test_stream_cut_after_its_text_fails_and_is_never_repeated(
    make_client: MakeClient, server: ScriptedServer
) -> None:
    server.chat_scripts.append(play_and_cut(read_recording("without_finish")))
    assert isinstance(await read_failure(make_client()), StreamBroken)
    assert len(server.chat_calls) == 1


async def test_stream_cut_after_its_finish_is_complete(make_client: MakeClient, server: ScriptedServer) -> None:
    server.chat_scripts.append(play_and_cut(read_recording("without_done")))
    assert join_text(await read_answer(make_client())) == ANSWER


async def test_stream_silent_after_its_finish_is_complete_soon(
    make_client: MakeClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion, "DRAIN_SECONDS", 0.05)
    server.chat_scripts.append(play_and_stay_silent(TEXT))
    assert join_text(await asyncio.wait_for(read_answer(make_client()), WAIT_SECONDS)) == ANSWER
    assert await wait_for(server.is_left)


async def test_stream_endless_after_its_finish_is_complete(make_client: MakeClient, server: ScriptedServer) -> None:
    server.chat_scripts.append(play(TEXT, *[b": beat\n\n" * 4096] * 64))
    assert join_text(await asyncio.wait_for(read_answer(make_client()), WAIT_SECONDS)) == ANSWER


async def test_stream_of_nonsense_fails(make_client: MakeClient, server: ScriptedServer) -> None:
    server.chat_scripts.append(play(b"data: nonsense\n\n", TEXT))
    assert isinstance(await read_failure(make_client()), AnswerMalformed)


async def test_streams_read_completely_share_one_connection(make_client: MakeClient, server: ScriptedServer) -> None:
    client = make_client()
    for name in ("text", "without_done", "short"):
        server.chat_scripts.append(play(read_recording(name)))
        await read_answer(client)
    assert len(set(server.connections)) == 1


async def test_refused_requests_share_one_connection(make_client: MakeClient, server: ScriptedServer) -> None:
    client = make_client(retries=0)
    server.chat_scripts.extend([refuse(429, b'{"status":429,"message":"Too many requests"}\n')] * 3)
    for _ in range(3):
        assert isinstance(await read_failure(client), RateLimited)
    assert len(set(server.connections)) == 1


async def test_leaving_a_stream_early_closes_the_connection_at_once(
    make_client: MakeClient, server: ScriptedServer
) -> None:
    client = make_client()
    server.chat_scripts.append(play_and_stay_silent(TEXT[:400]))
    async with client.stream(PROMPT) as stream:
        await anext(stream)
    assert await wait_for(server.is_left)
    await read_answer(client)
    assert len(set(server.connections)) == 2


async def test_leaving_a_stream_by_an_exception_closes_the_connection_at_once(
    make_client: MakeClient, server: ScriptedServer
) -> None:
    server.chat_scripts.append(play_and_stay_silent(TEXT[:400]))
    with pytest.raises(KeyError):
        async with make_client().stream(PROMPT):
            raise KeyError
    assert await wait_for(server.is_left)


@pytest.mark.parametrize("script", [stay_silent, play_and_stay_silent(), play_and_stay_silent(TEXT[:400])])
async def test_cancelling_the_task_closes_the_connection_at_once(
    make_client: MakeClient, server: ScriptedServer, script: Script
) -> None:
    server.chat_scripts.append(script)
    task = asyncio.create_task(read_answer(make_client()))
    assert await wait_for(server.is_reached)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await wait_for(server.is_left)


async def test_leaving_a_stream_early_on_uvloop_closes_the_connection_at_once(
    server: ScriptedServer, authority: Authority
) -> None:
    async def leave_early() -> bool:
        client = GigaChatClient(server.build_options(authority))
        async with client.stream(PROMPT) as stream:
            await anext(stream)
        is_left = await wait_for(server.is_left)
        await client.aclose()
        return is_left

    server.chat_scripts.append(play_and_stay_silent(TEXT[:400]))

    def run_on_uvloop() -> bool:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(leave_early())

    assert await asyncio.to_thread(run_on_uvloop)


async def test_leaving_early_closes_the_socket_without_waiting_for_the_peer(authority: Authority) -> None:
    """The peer never answers the end of TLS; only a socket that is really closed ends its reading."""
    is_closed = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if b"/oauth" in request:
            body = b'{"access_token":"t","expires_at":9000000000}'
            head = (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
            )
            writer.write(head % len(body) + body)
            writer.close()
            return
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        writer.write(head + TEXT[:400])
        with contextlib.suppress(ConnectionError):
            while await reader.read(65536):
                pass
        is_closed.set()
        writer.transport.abort()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=authority.issue_context())
    port = listener.sockets[0].getsockname()[1]
    server = ScriptedServer(None)
    server.port = port
    client = GigaChatClient(server.build_options(authority))
    async with client.stream(PROMPT) as stream:
        await anext(stream)
        transport = stream._response.connection.transport  # type: ignore[union-attr]
        opened_socket = transport.get_extra_info("socket")  # type: ignore[union-attr]
    await asyncio.sleep(0)
    assert opened_socket.fileno() == -1
    await asyncio.wait_for(is_closed.wait(), WAIT_SECONDS)
    await client.aclose()
    listener.close()
    await listener.wait_closed()


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (refuse(400), RequestMalformed),
        (refuse(402), PaymentRequired),
        (refuse(403), AccessDenied),
        (refuse(404), ModelUnknown),
        (refuse(413), ContextTooLong),
        (refuse(422), ParametersRefused),
        (refuse(302, Location="https://127.0.0.1/"), StatusUnexpected),
        (refuse(200), StreamMissing),
        (refuse(200, b"<html>", Content_Type="text/html"), StreamMissing),
        (refuse(501), ServerFailed),
    ],
)
async def test_stream_refused_fails_with_its_own_type_after_one_call(
    make_client: MakeClient, server: ScriptedServer, script: Script, kind: type[GigaChatError]
) -> None:
    server.chat_scripts.append(script)
    failure = await read_failure(make_client())
    assert type(failure) is kind
    assert len(server.chat_calls) == 1


async def test_error_carries_nothing_of_the_answer(make_client: MakeClient, server: ScriptedServer) -> None:
    server.chat_scripts.append(refuse(422, b'{"status":422,"message":"Invalid params: quoted prompt"}'))
    failure = await read_failure(make_client())
    assert str(failure) == "parameters_refused (HTTP 422)"
    assert "quoted" not in repr(failure.__dict__)


@pytest.mark.usefixtures("hasty_retries")
@pytest.mark.parametrize(
    "script",
    [refuse(429), refuse(500), refuse(502, b"<html>", Content_Type="text/html"), refuse(503), refuse(504), reset],
)
async def test_stream_with_passing_faults_before_the_first_byte_is_repeated(
    make_client: MakeClient, server: ScriptedServer, script: Script
) -> None:
    server.chat_scripts.extend([script, script, play(TEXT)])
    assert join_text(await read_answer(make_client())) == ANSWER
    assert len(server.chat_calls) == 3


@pytest.mark.usefixtures("hasty_retries")
@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (refuse(429), RateLimited),
        (refuse(500), ServerFailed),
        (refuse(502, b"<html>", Content_Type="text/html"), GatewayFailed),
        (reset, Unreachable),
    ],
)
async def test_stream_with_lasting_faults_fails_after_the_last_retry(
    make_client: MakeClient, server: ScriptedServer, script: Script, kind: type[GigaChatError]
) -> None:
    server.chat_scripts.extend([script] * 4)
    failure = await read_failure(make_client())
    assert type(failure) is kind
    assert failure.is_retryable
    assert len(server.chat_calls) == 3


async def test_stream_told_to_wait_too_long_fails_at_once_and_says_how_long(
    make_client: MakeClient, server: ScriptedServer
) -> None:
    server.chat_scripts.append(refuse(429, Retry_After="60"))
    assert (await read_failure(make_client())).retry_after_seconds == 60.0
    assert len(server.chat_calls) == 1


async def test_stream_with_rejected_token_renews_it_once_and_repeats_the_request(
    make_client: MakeClient, server: ScriptedServer
) -> None:
    server.chat_scripts.extend([refuse(401, b'{"status":401,"message":"Token has expired"}'), play(TEXT)])
    assert join_text(await read_answer(make_client())) == ANSWER
    assert [headers["Authorization"] for headers, _ in server.chat_calls] == ["Bearer token-1", "Bearer token-2"]
    assert server.chat_calls[0][1] == server.chat_calls[1][1]


async def test_stream_with_rejected_token_twice_fails(make_client: MakeClient, server: ScriptedServer) -> None:
    server.chat_scripts.extend([refuse(401)] * 3)
    assert isinstance(await read_failure(make_client()), TokenRefused)
    assert len(server.chat_calls) == 2
    assert len(server.token_calls) == 2


async def test_streams_with_rejected_token_at_once_renew_it_once(
    make_client: MakeClient, server: ScriptedServer
) -> None:
    client = make_client()
    await read_answer(client)
    server.chat_scripts.extend([refuse(401)] * 8)
    answers = await asyncio.gather(*(read_answer(client) for _ in range(8)))
    assert all(isinstance(parts[-1], Finished) for parts in answers)
    assert len(server.token_calls) == 2


async def test_stream_without_token_fails_in_every_waiting_task_with_an_error_of_its_own(
    make_client: MakeClient, server: ScriptedServer
) -> None:
    server.token_scripts.append(refuse(401, b'{"code":6,"message":"x"}'))
    client = make_client()
    failures = await asyncio.gather(*(read_failure(client) for _ in range(5)))
    assert {type(failure) for failure in failures} == {CredentialsRefused}
    assert len({id(failure) for failure in failures}) == 5
    assert len(server.token_calls) == 1
    assert server.chat_calls == []


async def test_cancelled_first_caller_leaves_the_token_to_the_others(
    make_client: MakeClient, server: ScriptedServer
) -> None:
    gate = asyncio.Event()
    server_loop_gate: list[asyncio.AbstractEventLoop] = []

    async def hold(request: Any) -> Any:
        server_loop_gate.append(asyncio.get_running_loop())
        server.is_reached.set()
        await gate.wait()
        return await server._issue_token(request)

    server.token_scripts.append(hold)
    client = make_client()
    first = asyncio.create_task(read_answer(client))
    assert await wait_for(server.is_reached)
    second = asyncio.create_task(read_answer(client))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    server_loop_gate[0].call_soon_threadsafe(gate.set)
    assert isinstance((await asyncio.wait_for(second, WAIT_SECONDS))[-1], Finished)
    assert len(server.token_calls) == 1


async def test_cancelled_caller_whose_fetch_has_not_begun_leaves_it_to_the_others(
    make_client: MakeClient, server: ScriptedServer
) -> None:
    client = make_client()
    gate = threading.Event()
    tokens = client._link.tokens
    assert isinstance(tokens, TokenKeeper)
    tokens._executor.submit(gate.wait, WAIT_SECONDS)
    first, second = (asyncio.create_task(read_answer(client)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.set()
    assert isinstance((await asyncio.wait_for(second, WAIT_SECONDS))[-1], Finished)
    assert len(server.token_calls) == 1


async def test_stream_waiting_for_the_token_past_the_total_time_fails(
    make_client: MakeClient, server: ScriptedServer
) -> None:
    server.token_scripts.append(stay_silent)
    assert isinstance(await read_failure(make_client(total_seconds=0.2)), TotalTimeout)


@pytest.mark.parametrize("script", [stay_silent, play_and_stay_silent(), play_and_stay_silent(TEXT[:400])])
async def test_stream_silent_for_too_long_fails_and_closes(
    make_client: MakeClient, server: ScriptedServer, script: Script
) -> None:
    server.chat_scripts.append(script)
    assert isinstance(await read_failure(make_client(read_idle_seconds=0.2)), ReadIdleTimeout)
    assert await wait_for(server.is_left)
    assert len(server.chat_calls) == 1


@pytest.mark.parametrize("script", [stay_silent, play_and_stay_silent(TEXT[:400])])
async def test_stream_past_the_total_time_fails_and_closes(
    make_client: MakeClient, server: ScriptedServer, script: Script
) -> None:
    server.chat_scripts.append(script)
    client = make_client(total_seconds=0.5)
    await asyncio.to_thread(client._link.tokens.get_token)
    assert isinstance(await read_failure(client), TotalTimeout)
    assert await wait_for(server.is_left)


async def test_stream_without_free_connection_fails_and_the_slot_comes_back(
    make_client: MakeClient, server: ScriptedServer
) -> None:
    client = make_client(pool_size=1, pool_seconds=0.1)
    server.chat_scripts.append(play_and_stay_silent(TEXT[:400]))
    async with client.stream(PROMPT):
        assert isinstance(await read_failure(client), PoolTimeout)
    assert isinstance((await read_answer(client))[-1], Finished)


async def test_stream_to_deaf_host_fails_with_the_connect_timeout(make_client: MakeClient, deaf_port: int) -> None:
    client = make_client(base_url=f"https://127.0.0.1:{deaf_port}/v1", connect_seconds=0.2)
    assert isinstance(await read_failure(client), ConnectTimeout)


@pytest.mark.usefixtures("hasty_retries")
async def test_stream_to_closed_port_is_unreachable(make_client: MakeClient) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    failure = await read_failure(make_client(base_url=f"https://127.0.0.1:{port}/v1"))
    assert type(failure) is Unreachable


async def test_stream_to_a_server_without_tls_is_refused(make_client: MakeClient) -> None:
    plain = ScriptedServer(None).start()
    try:
        client = make_client(base_url=f"{plain.origin}/v1")
        assert isinstance(await read_failure(client), TlsRefused)
        assert plain.chat_calls == []
    finally:
        plain.stop()


@pytest.mark.parametrize(
    "make_context",
    [
        pytest.param(lambda pinned, _: pinned.issue_context("api.example"), id="another name"),
        pytest.param(lambda _, other: other.issue_context(), id="another authority"),
        pytest.param(lambda pinned, _: pinned.issue_context(not_before=YEAR_2020, not_after=YEAR_2021), id="expired"),
    ],
)
async def test_stream_to_a_server_that_does_not_verify_is_refused_before_anything_is_sent(
    make_client: MakeClient, authority: Authority, other_authority: Authority, make_context: Callable[..., Any]
) -> None:
    impostor = ScriptedServer(make_context(authority, other_authority)).start()
    try:
        failure = await read_failure(make_client(base_url=f"{impostor.origin}/v1"))
        assert isinstance(failure, TlsRefused)
        assert not failure.is_retryable
        assert impostor.chat_calls == []
    finally:
        impostor.stop()


async def test_stream_from_something_that_speaks_no_http_fails(make_client: MakeClient, authority: Authority) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 smtp.example ready\r\n\r\n")
        writer.close()

    listener = await asyncio.start_server(babble, "127.0.0.1", 0, ssl=authority.issue_context())
    port = listener.sockets[0].getsockname()[1]
    assert type(await read_failure(make_client(base_url=f"https://127.0.0.1:{port}/v1"))) is ServerFailed
    listener.close()
    await listener.wait_closed()


async def test_call_is_logged_in_one_line_without_texts_and_secrets(
    make_client: MakeClient, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.chat_scripts.extend([refuse(401), play(TEXT), refuse(404)])
    client = make_client()
    with caplog.at_level(logging.DEBUG, logger="chat"):
        await read_answer(client)
        await read_failure(client)
    assert [record.getMessage() for record in caplog.records] == ["gigachat call stop", "gigachat call model_unknown"]
    done, failed = (vars(record) for record in caplog.records)
    assert (done["status"], done["attempts"], done["answer_bytes"]) == (200, 2, len(TEXT))
    assert (done["model"], done["upstream_request_id"]) == ("GigaChat-2", "upstream-1")
    assert 0 <= done["first_byte_ms"] <= done["duration_ms"]
    assert (failed["status"], failed["first_byte_ms"], failed["upstream_request_id"]) == (404, None, "request-1")
    everything = repr([vars(record) for record in caplog.records])
    for secret in ("token-", SECRET, CREDENTIALS.authorization_key, "вклад", "Вклад", "pseudonym"):
        assert secret not in everything


WHOLE = (
    '{"choices":[{"message":{"content":"Вклад — это деньги.","role":"assistant"},"index":0,"finish_reason":"stop"}],'
    '"created":1768996171,"model":"GigaChat:2.0.28.2","object":"chat.completion","usage":{"prompt_tokens":17,'
    '"completion_tokens":3,"total_tokens":20,"precached_prompt_tokens":2}}'
).encode()


async def test_complete_returns_the_whole_answer(make_client: MakeClient, server: ScriptedServer) -> None:
    server.chat_scripts.append(play(WHOLE[:100], WHOLE[100:], headers={**JSON_HEADERS, "X-Request-Id": "upstream-1"}))
    assert await make_client().complete(PROMPT) == Completion(
        text="Вклад — это деньги.",
        function_call=None,
        reason=FinishReason.STOP,
        usage=Usage(prompt_tokens=17, completion_tokens=3, total_tokens=20, precached_prompt_tokens=2),
        model="GigaChat:2.0.28.2",
        request_id="upstream-1",
    )
    headers, body = server.chat_calls[0]
    assert headers["Accept"] == "application/json"
    assert {name: headers[name] for name in ("X-Request-ID", "X-Session-ID", "X-Client-ID")} == {
        "X-Request-ID": "request-1",
        "X-Session-ID": "session-1",
        "X-Client-ID": "pseudonym-1",
    }
    assert orjson.loads(body)["stream"] is False


async def test_complete_without_request_id_keeps_ours(make_client: MakeClient, server: ScriptedServer) -> None:
    server.chat_scripts.append(refuse(200, WHOLE))
    assert (await make_client().complete(PROMPT)).request_id == "request-1"


@pytest.mark.usefixtures("hasty_retries")
async def test_complete_is_repeated_before_the_first_byte(make_client: MakeClient, server: ScriptedServer) -> None:
    server.chat_scripts.extend([refuse(401), refuse(503), reset, refuse(200, WHOLE)])
    assert (await make_client().complete(PROMPT)).text
    assert len(server.chat_calls) == 4


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (refuse(404), ModelUnknown),
        (refuse(200, b"nonsense"), AnswerMalformed),
        (refuse(200, b"<html>", Content_Type="text/html"), AnswerMalformed),
        (refuse(200, b'{"status":500,"message":"Internal Server Error"}'), StreamFailed),
        (play_and_cut(WHOLE[:100], headers=JSON_HEADERS), StreamBroken),
        (play_and_stay_silent(WHOLE[:100], headers=JSON_HEADERS), ReadIdleTimeout),
        (play(*[b" " * 500_000] * 10, headers=JSON_HEADERS), EventTooLarge),
    ],
)
async def test_complete_of_unusable_answer_fails_once_and_is_logged(
    make_client: MakeClient,
    server: ScriptedServer,
    caplog: pytest.LogCaptureFixture,
    *,
    script: Script,
    kind: type[GigaChatError],
) -> None:
    server.chat_scripts.append(script)
    client = make_client(read_idle_seconds=0.3)
    with caplog.at_level(logging.INFO, logger="chat"), pytest.raises(GigaChatError) as caught:
        await client.complete(PROMPT)
    assert type(caught.value) is kind
    assert caught.value.__context__ is None
    assert len(server.chat_calls) == 1
    assert caplog.records[-1].getMessage() == f"gigachat call {kind.code}"


async def test_prompt_the_service_would_refuse_is_not_sent(make_client: MakeClient, server: ScriptedServer) -> None:
    client = make_client()
    prompt = replace(PROMPT, temperature=-1.0)
    with pytest.raises(PromptInvalid):
        await client.complete(prompt)
    with pytest.raises(PromptInvalid):
        async with client.stream(prompt):
            pytest.fail("nothing was sent")
    assert (server.token_calls, server.chat_calls) == ([], [])


async def test_breaker_opens_after_failures_and_no_call_is_sent_until_it_is_time(
    make_client: MakeClient, server: ScriptedServer
) -> None:
    server.chat_scripts.extend([refuse(500)] * 2)
    client = make_client(retries=0, breaker_limits=BreakerLimits(failures=2))
    for _ in range(2):
        assert type(await read_failure(client)) is ServerFailed
    failure = await read_failure(client)
    assert isinstance(failure, BreakerOpen)
    assert failure.is_retryable
    assert failure.retry_after_seconds is not None
    assert 0.0 < failure.retry_after_seconds <= 20.0
    assert len(server.chat_calls) == 2


@pytest.mark.usefixtures("hasty_retries")
async def test_breaker_opens_among_the_repetitions_of_one_call(make_client: MakeClient, server: ScriptedServer) -> None:
    server.chat_scripts.extend([refuse(503)] * 2)
    failure = await read_failure(make_client(retries=5, breaker_limits=BreakerLimits(failures=2)))
    assert isinstance(failure, BreakerOpen)
    assert len(server.chat_calls) == 2


async def test_breaker_lets_a_probe_go_and_closes_on_its_headers(
    make_client: MakeClient, server: ScriptedServer
) -> None:
    limits = BreakerLimits(failures=1, open_seconds=0.0)
    client = make_client(retries=0, breaker_limits=limits)
    server.chat_scripts.extend([refuse(500), play_and_stay_silent(TEXT[:400])])
    assert type(await read_failure(client)) is ServerFailed
    breaker = client._link.breaker
    assert breaker is not None
    assert breaker.get_report().state is BreakerState.HALF_OPEN
    async with client.stream(PROMPT):
        assert breaker.get_report().state is BreakerState.CLOSED


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 429])
async def test_breaker_stays_closed_after_refusals(
    make_client: MakeClient, server: ScriptedServer, status: int
) -> None:
    server.chat_scripts.extend([refuse(status)] * 4)
    client = make_client(retries=0, breaker_limits=BreakerLimits(failures=1))
    for _ in range(2):
        assert (await read_failure(client)).status == status
    breaker = client._link.breaker
    assert breaker is not None
    assert breaker.get_report().state is BreakerState.CLOSED


async def test_breaker_in_a_cache_that_hangs_is_closed(
    make_client: MakeClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gigachat_client, "BREAKER_SECONDS", 0.01)
    client = make_client(breaker_limits=BreakerLimits())
    gate = threading.Event()
    client._breaker_thread.submit(gate.wait, WAIT_SECONDS)
    server.chat_scripts.append(play(TEXT))
    assert join_text(await read_answer(client)) == ANSWER
    gate.set()


async def test_breaker_of_a_healthy_host_is_asked_once_a_call(make_client: MakeClient) -> None:
    client = make_client(breaker_limits=BreakerLimits())
    asked: list[Any] = []
    submit = client._breaker_thread.submit

    def note(*args: Any) -> Any:
        asked.append(args)
        return submit(*args)

    client._breaker_thread.submit = note  # type: ignore[method-assign, assignment]
    await read_answer(client)
    assert len(asked) == 1


async def test_aclose_of_unused_client_does_nothing(make_client: MakeClient, server: ScriptedServer) -> None:
    await make_client().aclose()
    assert server.token_calls == []


@pytest.fixture
def configured(settings: Settings, server: ScriptedServer, authority: Authority) -> Settings:
    settings.GIGACHAT_CREDENTIALS = CREDENTIALS.authorization_key
    settings.GIGACHAT_BASE_URL = f"{server.origin}/v1/"
    settings.GIGACHAT_AUTH_URL = f"{server.origin}/oauth"
    settings.GIGACHAT_CA_FILE = authority.file
    settings.GIGACHAT_CA_SHA256 = authority.sha256
    return settings


async def test_build_client_from_settings_streams(configured: Settings, server: ScriptedServer) -> None:
    server.chat_scripts.append(play(TEXT))
    client = build_client()
    parts = await read_answer(client)
    await client.aclose()
    assert isinstance(parts[-1], Finished)
    assert parts[-1].reason is FinishReason.STOP


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("GIGACHAT_CREDENTIALS", "not base64 of id and secret", CredentialsMalformed),
        ("GIGACHAT_CREDENTIALS", "", CredentialsMalformed),
        ("GIGACHAT_SCOPE", "GIGACHAT_API_ANY", SettingRefused),
        ("GIGACHAT_AUTH", "basic", SettingRefused),
        ("GIGACHAT_BASE_URL", "http://api.giga.chat/v1", AddressRefused),
        ("GIGACHAT_AUTH_URL", "", AddressRefused),
        ("GIGACHAT_CA_FILE", "/nonexistent.pem", AuthorityMissing),
        ("GIGACHAT_CA_SHA256", "", AuthorityMismatch),
    ],
)
def test_build_client_with_unusable_setting_is_refused(
    configured: Settings, name: str, value: str, kind: type[GigaChatError]
) -> None:
    setattr(configured, name, value)
    with pytest.raises(kind):
        build_client()

"""The official `gigachat` SDK, unmodified, cannot tell the sandbox from the service; synchronous and asynchronous."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pydantic
import pytest
from gigachat import GigaChat
from gigachat.context import client_id_cvar, custom_headers_cvar, session_id_cvar
from gigachat.exceptions import (
    AuthenticationError,
    BadRequestError,
    ForbiddenError,
    NotFoundError,
    RateLimitError,
    RequestEntityTooLargeError,
    ResponseError,
    ServerError,
    UnprocessableEntityError,
)
from gigachat.models import Chat, ChatCompletionChunk, Function, FunctionParameters, Messages, MessagesRole

from chat.gigachat.sandbox import Account, Contour, HostProfile, Sandbox
from chat.gigachat.sandbox.certificates import Authority
from tests.chat.gigachat.sandbox.conftest import StartSandbox
from tests.chat.gigachat.sandbox.wire import trust

GREETING = "Здравствуйте! Я помощник демо-банка."
BALANCE = Function(
    name="get_account_balance",
    description="Остаток на счёте клиента",
    parameters=FunctionParameters(type="object", properties={}),
)


def build_options(sandbox: Sandbox, **changes: Any) -> dict[str, Any]:
    return {
        "base_url": sandbox.base_url,
        "auth_url": sandbox.auth_url,
        "credentials": sandbox.credentials,
        "scope": sandbox.settings.scope,
        "model": "GigaChat-2",
        "ssl_context": trust(sandbox),
        "timeout": 5.0,
        **changes,
    }


async def use_sync(sandbox: Sandbox, act: Callable[[GigaChat], Any], **changes: Any) -> Any:
    """Run `act` with the synchronous client in a thread: the sandbox lives in this loop."""

    def run() -> Any:
        with GigaChat(**build_options(sandbox, **changes)) as client:
            return act(client)

    return await asyncio.to_thread(run)


@asynccontextmanager
async def open_client(sandbox: Sandbox, **changes: Any) -> AsyncIterator[GigaChat]:
    async with GigaChat(**build_options(sandbox, **changes)) as client:
        yield client


def read_delta(chunk: ChatCompletionChunk) -> str:
    return chunk.choices[0].delta.content or ""


async def test_chat_sync_answers(sandbox: Sandbox) -> None:
    completion = await use_sync(sandbox, lambda client: client.chat("Привет"))

    assert completion.choices[0].message.content.startswith(GREETING)
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model == "GigaChat-2:2.0.28.2"
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    assert completion.x_headers["x-request-id"]


async def test_chat_async_answers(sandbox: Sandbox) -> None:
    async with open_client(sandbox) as client:
        completion = await client.achat("Привет")

    assert completion.choices[0].message.content.startswith(GREETING)
    assert sandbox.stats.oauth_tokens == 1


async def test_stream_sync_gives_every_chunk(sandbox: Sandbox) -> None:
    chunks = await use_sync(sandbox, lambda client: list(client.stream("Что такое вклад?")))

    assert len(chunks) > 5
    assert "".join(read_delta(chunk) for chunk in chunks).startswith("Вклад — это деньги")
    assert [chunk.choices[0].finish_reason for chunk in chunks[-2:]] == [None, "stop"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].usage.completion_tokens > 0


async def test_stream_async_gives_every_chunk(sandbox: Sandbox) -> None:
    async with open_client(sandbox) as client:
        chunks = [chunk async for chunk in client.astream("What is a mortgage?")]

    assert "".join(read_delta(chunk) for chunk in chunks).startswith("A mortgage is a long loan")
    assert [chunk.usage is None for chunk in chunks] == [True] * (len(chunks) - 1) + [False]


@pytest.mark.parametrize("fault", ["split_utf8", "one_byte", "two_in_one", "comments", "crlf", "no_usage"])
async def test_stream_async_survives_odd_packets(sandbox: Sandbox, fault: str) -> None:
    token = custom_headers_cvar.set({"X-Sandbox-Fault": fault})
    async with open_client(sandbox) as client:
        chunks = [chunk async for chunk in client.astream("Привет")]
    custom_headers_cvar.reset(token)

    assert "".join(read_delta(chunk) for chunk in chunks).startswith(GREETING)


def build_question() -> Chat:
    return Chat(
        messages=[Messages(role=MessagesRole.USER, content="Сколько денег у меня на карте?")],
        functions=[BALANCE],
        function_call="auto",
    )


def append_result(chat: Chat, message: Messages) -> Chat:
    result = json.dumps({"balance": 1500, "currency": "RUB"})
    chat.messages += [message, Messages(role=MessagesRole.FUNCTION, name=BALANCE.name, content=result)]
    return chat


async def test_function_round_trip_sync(sandbox: Sandbox) -> None:
    def act(client: GigaChat) -> Any:
        chat = build_question()
        first = client.chat(chat).choices[0]
        return first, client.chat(append_result(chat, first.message)).choices[0]

    first, second = await use_sync(sandbox, act)

    assert (first.finish_reason, first.message.function_call.name) == ("function_call", BALANCE.name)
    assert first.message.function_call.arguments == {}
    assert first.message.functions_state_id
    assert second.message.content == "остаток: 1\u00a0500\u00a0₽."


async def test_function_round_trip_async_stream(sandbox: Sandbox) -> None:
    async with open_client(sandbox) as client:
        chat = build_question()
        first, finish = [chunk.choices[0] async for chunk in client.astream(chat)]
        message = Messages(role=MessagesRole.ASSISTANT, content="", function_call=first.delta.function_call)
        answer = [read_delta(chunk) async for chunk in client.astream(append_result(chat, message))]

    assert finish.finish_reason == "function_call"
    assert "".join(answer) == "остаток: 1\u00a0500\u00a0₽."


async def test_files_sync_upload_list_show_download_delete(sandbox: Sandbox) -> None:
    def act(client: GigaChat) -> Any:
        uploaded = client.upload_file(("чек.png", b"\x89PNG", "image/png"))
        listed = client.get_files()
        shown = client.get_file(uploaded.id_)
        image = client.get_image(uploaded.id_)
        deleted = client.delete_file(uploaded.id_)
        return uploaded, listed, shown, image, deleted, client.get_files()

    uploaded, listed, shown, image, deleted, left = await use_sync(sandbox, act)

    assert (uploaded.filename, uploaded.bytes_, uploaded.purpose) == ("чек.png", 4, "general")
    assert [file.id_ for file in listed.data] == [uploaded.id_] == [shown.id_]
    assert base64.b64decode(image.content) == b"\x89PNG"
    assert (deleted.id_, deleted.deleted, left.data) == (uploaded.id_, True, [])


async def test_files_async_belong_to_the_client_id(sandbox: Sandbox) -> None:
    async with open_client(sandbox) as client:
        mine = client_id_cvar.set("customer-1")
        uploaded = await client.aupload_file(("note.txt", b"text", "text/plain"))
        listed = await client.aget_files()
        client_id_cvar.reset(mine)
        with pytest.raises(ForbiddenError, match="is denied"):
            await client.aget_file(uploaded.id_)
        again = client_id_cvar.set("customer-1")
        shown = await client.aget_file(uploaded.id_)
        image = await client.aget_image(uploaded.id_)
        deleted = await client.adelete_file(uploaded.id_)
        client_id_cvar.reset(again)

    assert [file.id_ for file in listed.data] == [shown.id_]
    assert (base64.b64decode(image.content), deleted.deleted) == (b"text", True)


async def test_short_calls_sync(sandbox: Sandbox) -> None:
    def act(client: GigaChat) -> Any:
        return (
            client.get_models(),
            client.get_model("GigaChat-2-Max"),
            client.tokens_count(["0123456789", "x"]),
            client.embeddings(["вклад", "кредит"]),
            client.get_balance(),
            client.get_token(),
        )

    models, model, counts, embeddings, balance, token = await use_sync(sandbox, act)

    assert len(models.data) == 8
    assert model.id_ == "GigaChat-2-Max"
    assert [(count.tokens, count.characters) for count in counts] == [(2, 10), (1, 1)]
    assert [len(row.embedding) for row in embeddings.data] == [1024, 1024]
    assert embeddings.data[0].usage.prompt_tokens == 1
    assert balance.balance[0].usage == "GigaChat-2"
    assert token.access_token.count(".") == 4


async def test_short_calls_async(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(host_profile=HostProfile.LEGACY, account=Account.B2B)
    async with open_client(sandbox, model="GigaChat") as client:
        models = await client.aget_models()
        model = await client.aget_model("GigaChat-Pro")
        counts = await client.atokens_count(["0123456789"])
        embeddings = await client.aembeddings(["вклад"])
        balance = await client.aget_balance()

    assert len(models.data) == 20
    assert (model.id_, counts[0].tokens, len(embeddings.data), len(balance.balance)) == ("GigaChat-Pro", 2, 1, 13)


async def test_balance_of_pay_as_you_go_account_is_forbidden(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(account=Account.CORP)

    with pytest.raises(ForbiddenError, match="Permission denied"):
        await use_sync(sandbox, lambda client: client.get_balance())


async def test_chat_parse_returns_the_model_asked_for(sandbox: Sandbox) -> None:
    class Term(pydantic.BaseModel):
        name: str
        level: int
        examples: list[str]

    completion, term = await use_sync(
        sandbox, lambda client: client.chat_parse("Что такое вклад?", response_format=Term)
    )

    assert completion.choices[0].finish_reason == "stop"
    assert term.name.startswith("Вклад — это деньги")
    assert (term.level, len(term.examples)) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("402", ResponseError),
        ("413", RequestEntityTooLargeError),
        ("429=7", RateLimitError),
        ("500", ServerError),
        ("502", ServerError),
        ("503", ServerError),
    ],
)
async def test_faults_become_the_sdks_errors(sandbox: Sandbox, fault: str, error: type[ResponseError]) -> None:
    sandbox.faults.add(fault)

    with pytest.raises(error) as plain:
        await use_sync(sandbox, lambda client: client.chat("Привет"))
    with pytest.raises(error) as streamed:
        async with open_client(sandbox) as client:
            _ = [chunk async for chunk in client.astream("Привет")]

    assert type(plain.value) is type(streamed.value) is error
    assert plain.value.status_code == int(fault[:3])
    if isinstance(plain.value, RateLimitError):
        assert plain.value.retry_after == 7.0


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"model": "GigaChat"}, NotFoundError),
        ({"temperature": -1}, UnprocessableEntityError),
        ({"additional_fields": {"n": 1}, "function_call": {"name": "absent"}}, UnprocessableEntityError),
        ({"response_format": {"type": "json_object"}}, BadRequestError),
    ],
)
async def test_refusals_become_the_sdks_errors(
    sandbox: Sandbox, fields: dict[str, Any], error: type[ResponseError]
) -> None:
    payload = {"messages": [{"role": "user", "content": "Привет"}], **fields}

    with pytest.raises(error) as caught:
        await use_sync(sandbox, lambda client: client.chat(payload))

    assert caught.value.content is not None
    assert caught.value.content.endswith(b"}\n")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"credentials": base64.b64encode(b"id:wrong").decode()}, AuthenticationError),
        ({"scope": "GIGACHAT_API_CORP"}, BadRequestError),
    ],
)
async def test_wrong_credentials_become_the_sdks_errors(
    sandbox: Sandbox, changes: dict[str, Any], error: type[ResponseError]
) -> None:
    with pytest.raises(error):
        await use_sync(sandbox, lambda client: client.chat("Привет"), **changes)


async def test_expired_token_is_renewed_and_the_call_repeated(sandbox: Sandbox) -> None:
    async with open_client(sandbox) as client:
        await client.achat("Привет")
        sandbox.state.tokens.revoke_all()
        completion = await client.achat("Привет")

    assert completion.choices[0].message.content.startswith(GREETING)
    assert sandbox.stats.oauth_tokens == 2


async def test_repeated_session_gets_cached_tokens(sandbox: Sandbox) -> None:
    async with open_client(sandbox) as client:
        session = session_id_cvar.set("session-1")
        cached = [(await client.achat("Привет")).usage.precached_prompt_tokens for _ in range(2)]
        session_id_cvar.reset(session)

    assert cached == [0, 5]


async def test_cut_stream_is_an_error_for_the_sdk(sandbox: Sandbox) -> None:
    sandbox.faults.add("cut=2")
    received: list[str] = []

    async def read_all() -> None:
        async with open_client(sandbox) as client:
            async for chunk in client.astream("Привет"):
                received.append(read_delta(chunk))  # noqa: PERF401 - what came before the error counts

    with pytest.raises(Exception, match=r"closed|incomplete|peer|EOF|read") as caught:
        await read_all()

    assert type(caught.value).__module__.startswith("httpx")
    assert len(received) == 2


# The SDK hands the path of the CA on to httpx, which only warns of it for now.
@pytest.mark.filterwarnings("ignore:`verify=<str>` is deprecated:DeprecationWarning")
async def test_ca_bundle_file_is_enough_for_the_sdk(sandbox: Sandbox) -> None:
    changes = {"ssl_context": None, "ca_bundle_file": str(sandbox.ca_file)}

    completion = await use_sync(sandbox, lambda client: client.chat("Привет"), **changes)

    assert completion.choices[0].message.content.startswith(GREETING)


async def test_untrusted_authority_is_refused_by_the_sdk(sandbox: Sandbox, tmp_path: Path) -> None:
    context = ssl.create_default_context(cafile=str(Authority(tmp_path).ca_file))

    with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
        await use_sync(sandbox, lambda client: client.get_models(), ssl_context=context)

    assert sandbox.stats.oauth_calls == 0


async def test_bank_contour_serves_the_sdk_by_client_certificate(start_sandbox: StartSandbox, tmp_path: Path) -> None:
    sandbox = await start_sandbox(contour=Contour.B2BANK)
    chain_file, key_file = sandbox.authority.write_client_certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(sandbox.ca_file))
    context.load_cert_chain(chain_file, key_file)

    changes = {"credentials": None, "auth_url": "", "ssl_context": context}
    completion = await use_sync(sandbox, lambda client: client.chat("Привет"), **changes)

    assert completion.choices[0].message.content.startswith(GREETING)

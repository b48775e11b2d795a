"""Both clients against the sandbox in process: what one side promises, the other one keeps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from chat.gigachat import retries
from chat.gigachat.auth import CertificateOnly, OAuth
from chat.gigachat.client import GigaChatClient
from chat.gigachat.credentials import parse_credentials
from chat.gigachat.doctor import Examination, Verdict
from chat.gigachat.encoding import build_result_message
from chat.gigachat.errors import (
    AccessDenied,
    CallLeaked,
    ContextTooLong,
    CredentialsRefused,
    FileDenied,
    FileUnknown,
    FunctionsUnsupported,
    GatewayFailed,
    GigaChatError,
    ModelUnknown,
    PaymentRequired,
    PromptInvalid,
    RateLimited,
    ScopeRefused,
    ServerFailed,
    StreamBroken,
    StreamFailed,
    StreamMissing,
    TlsRefused,
)
from chat.gigachat.options import ClientOptions
from chat.gigachat.rest import RestClient
from chat.gigachat.sandbox import Sandbox, SandboxSettings
from chat.gigachat.sandbox.settings import Account, Contour, HostProfile, ServerCertificate
from chat.gigachat.tls import ClientCertificate
from chat.gigachat.types import (
    Attachment,
    AttachmentKind,
    Finished,
    FinishReason,
    FunctionCall,
    FunctionDefinition,
    FunctionExample,
    FunctionMode,
    NamedFunction,
    Prompt,
    PromptMessage,
    PromptRole,
    StreamPart,
)
from tests.chat.gigachat.recordings import PROMPT, join_text

WAIT_SECONDS = 5.0
OWNER = PROMPT.client_id
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 32
RATE = FunctionDefinition(
    name="get_exchange_rate",
    description="Курс валюты к рублю: сколько стоит доллар, евро или юань",
    parameters={
        "type": "object",
        "properties": {"currency": {"type": "string", "description": "Код валюты", "enum": ["USD", "EUR", "CNY"]}},
        "required": ["currency"],
    },
    few_shot_examples=(FunctionExample(request="Почём доллар?", params={"currency": "USD"}),),
    return_parameters={"type": "object", "properties": {"rate": {"type": "string"}}},
)
T = TypeVar("T")
StartSandbox = Callable[..., Awaitable[Sandbox]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[StartSandbox]:
    async with AsyncExitStack() as stack:

        async def start(**fields: Any) -> Sandbox:
            values = {"state_dir": tmp_path, "latency_ms": 0.0, "chunk_delay_ms": 0.0, **fields}
            return await stack.enter_async_context(Sandbox(SandboxSettings(**values)))

        yield start


@pytest.fixture
async def sandbox(start: StartSandbox) -> Sandbox:
    return await start(account=Account.B2B)


@pytest.fixture(autouse=True)
def hasty_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_DELAY_SECONDS", 0.001)


def build_options(sandbox: Sandbox, **changes: Any) -> ClientOptions:
    credentials = parse_credentials(sandbox.credentials, sandbox.settings.scope)
    values: dict[str, Any] = {
        "auth": OAuth(credentials=credentials, auth_url=sandbox.auth_url),
        "base_url": sandbox.base_url,
        "ca_file": str(sandbox.ca_file),
        "ca_sha256": sandbox.ca_sha256,
        "retries": 0,
    }
    return ClientOptions(**{**values, **changes})


@pytest.fixture
def ask_rest() -> Iterator[Callable[..., Awaitable[Any]]]:
    """Call the blocking client on a thread: the sandbox lives in this loop."""
    with ExitStack() as stack:

        async def ask(sandbox: Sandbox, act: Callable[[RestClient], T], **changes: Any) -> T:
            client = RestClient(build_options(sandbox, **changes))
            stack.callback(client.close)
            return await asyncio.wait_for(asyncio.to_thread(act, client), WAIT_SECONDS)

        yield ask


AskRest = Callable[..., Awaitable[Any]]


def ask_prompt(text: str, *history: PromptMessage, **changes: Any) -> Prompt:
    message = PromptMessage(role=PromptRole.USER, content=text)
    return replace(PROMPT, messages=(message, *history), **changes)


async def stream(sandbox: Sandbox, prompt: Prompt, **changes: Any) -> list[StreamPart]:
    client = GigaChatClient(build_options(sandbox, **changes))
    try:
        async with asyncio.timeout(WAIT_SECONDS), client.stream(prompt) as answer:
            return [part async for parts in answer for part in parts]
    finally:
        await client.aclose()


async def fail(sandbox: Sandbox, prompt: Prompt = PROMPT, **changes: Any) -> GigaChatError:
    with pytest.raises(GigaChatError) as caught:
        await stream(sandbox, prompt, **changes)
    return caught.value


def read_end(parts: list[StreamPart]) -> Finished:
    last = parts[-1]
    assert isinstance(last, Finished)
    return last


@pytest.mark.parametrize("host", list(HostProfile))
@pytest.mark.parametrize("account", list(Account))
async def test_answer_streams_from_every_host_and_account(
    start: StartSandbox, host: HostProfile, account: Account
) -> None:
    sandbox = await start(host_profile=host, account=account)
    parts = await stream(sandbox, PROMPT)
    end = read_end(parts)
    assert join_text(parts)
    assert (end.reason, end.model.partition(":")[0]) == (FinishReason.STOP, "GigaChat-2")
    assert end.usage is not None
    headers = sandbox.stats.recent[-1].headers
    assert (headers["X-Session-ID"], headers["X-Client-ID"]) == (PROMPT.session_id, OWNER)


async def test_answer_of_the_contour_needs_the_certificate_and_no_token(start: StartSandbox, tmp_path: Path) -> None:
    sandbox = await start(contour=Contour.B2BANK)
    cert_file, key_file = sandbox.authority.write_client_certificate(tmp_path)
    certificate = ClientCertificate(cert_file=str(cert_file), key_file=str(key_file))
    options: dict[str, Any] = {"auth": CertificateOnly(), "client_certificate": certificate}
    options |= {"base_url": sandbox.base_url, "ca_file": str(sandbox.ca_file), "ca_sha256": sandbox.ca_sha256}
    client = GigaChatClient(ClientOptions(**options))
    async with client.stream(PROMPT) as answer:
        parts = [part async for found in answer for part in found]
    await client.aclose()
    assert read_end(parts).reason is FinishReason.STOP
    assert sandbox.stats.oauth_calls == 0


@pytest.mark.parametrize("certificate", [ServerCertificate.EXPIRED, ServerCertificate.WRONG_HOST])
async def test_wrong_certificate_of_the_server_is_refused(start: StartSandbox, certificate: ServerCertificate) -> None:
    sandbox = await start(certificate=certificate)
    assert type(await fail(sandbox)) is TlsRefused
    assert sandbox.stats.oauth_calls == 0


async def test_session_and_prefix_raise_the_cached_tokens(sandbox: Sandbox) -> None:
    prompt = ask_prompt("Что такое вклад? " * 40)
    first, second = [read_end(await stream(sandbox, prompt)).usage for _ in range(2)]
    assert first is not None
    assert second is not None
    assert (first.precached_prompt_tokens, second.precached_prompt_tokens > 0) == (0, True)


async def test_complete_says_the_same_as_the_stream(sandbox: Sandbox) -> None:
    client = GigaChatClient(build_options(sandbox))
    completion = await client.complete(PROMPT)
    await client.aclose()
    assert completion.text == join_text(await stream(sandbox, PROMPT))
    assert (completion.reason, completion.request_id) == (FinishReason.STOP, PROMPT.request_id)


async def test_round_of_a_function_ends_in_an_answer(sandbox: Sandbox) -> None:
    prompt = ask_prompt("Какой курс доллара?", functions=(RATE,))
    parts = await stream(sandbox, prompt)
    call = parts[-2]
    assert isinstance(call, FunctionCall)
    assert (call.name, call.arguments, bool(call.state_id)) == ("get_exchange_rate", {"currency": "USD"}, True)
    assert read_end(parts).reason is FinishReason.FUNCTION_CALL
    asked = PromptMessage(role=PromptRole.ASSISTANT, content="", function_call=call)
    result = build_result_message(call.name, {"rate": "91,20"})
    parts = await stream(sandbox, replace(prompt, messages=(*prompt.messages, asked, result)))
    assert read_end(parts).reason is FinishReason.STOP
    assert "91,20" in join_text(parts)
    assert sandbox.stats.recent[-1].body["messages"][1]["functions_state_id"] == call.state_id


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        (FunctionMode.NONE, FinishReason.STOP),
        (NamedFunction("get_exchange_rate"), FinishReason.FUNCTION_CALL),
    ],
)
async def test_choice_of_function_is_followed(
    sandbox: Sandbox, choice: FunctionMode | NamedFunction, reason: FinishReason
) -> None:
    prompt = ask_prompt("Какой курс доллара?", functions=(RATE,), function_choice=choice)
    assert read_end(await stream(sandbox, prompt)).reason is reason


async def test_string_arguments_are_the_same_call(sandbox: Sandbox) -> None:
    sandbox.faults.add("string_arguments")
    call = (await stream(sandbox, ask_prompt("Какой курс доллара?", functions=(RATE,))))[-2]
    assert isinstance(call, FunctionCall)
    assert call.arguments == {"currency": "USD"}


async def test_leaked_call_is_no_answer(sandbox: Sandbox) -> None:
    sandbox.faults.add("leaked_call")
    assert type(await fail(sandbox, ask_prompt("Какой курс доллара?", functions=(RATE,)))) is CallLeaked


async def test_model_without_functions_says_so(start: StartSandbox) -> None:
    sandbox = await start(host_profile=HostProfile.LEGACY, account=Account.CORP)
    prompt = ask_prompt("Какой курс доллара?", functions=(RATE,), model="GigaChat-Plus")
    assert type(await fail(sandbox, prompt)) is FunctionsUnsupported


async def test_blacklist_tells_the_canned_refusal_apart_from_what_was_said(sandbox: Sandbox) -> None:
    sandbox.faults.add("blacklist=1")
    parts = await stream(sandbox, ask_prompt("Подробно: что такое вклад?"))
    end = read_end(parts)
    assert end.reason is FinishReason.BLACKLIST
    assert end.replacement is not None
    assert join_text(parts).endswith(end.replacement)
    assert join_text(parts) != end.replacement


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("length=1", FinishReason.LENGTH),
        ("error=1", FinishReason.ERROR),
        ("no_usage", FinishReason.STOP),
        ("no_done", FinishReason.STOP),
        ("object_plural", FinishReason.STOP),
        ("unknown_role", FinishReason.STOP),
        ("reasoning", FinishReason.STOP),
        ("comments", FinishReason.STOP),
        ("crlf", FinishReason.STOP),
        ("two_in_one", FinishReason.STOP),
        ("one_byte", FinishReason.STOP),
        ("split_utf8", FinishReason.STOP),
    ],
)
async def test_odd_stream_is_understood(sandbox: Sandbox, fault: str, reason: FinishReason) -> None:
    healthy = join_text(await stream(sandbox, PROMPT))
    sandbox.faults.add(fault)
    parts = await stream(sandbox, PROMPT)
    assert read_end(parts).reason is reason
    assert healthy.startswith(join_text(parts))
    assert reason is not FinishReason.STOP or join_text(parts) == healthy


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("402", PaymentRequired),
        ("413", ContextTooLong),
        ("429=7", RateLimited),
        ("500", ServerFailed),
        ("502", GatewayFailed),
        ("503", ServerFailed),
        ("html_200", StreamMissing),
        ("cut=1", StreamBroken),
        ("truncate=1", StreamBroken),
        ("error_in_stream=1", StreamFailed),
    ],
)
async def test_broken_day_has_its_error(sandbox: Sandbox, fault: str, kind: type[GigaChatError]) -> None:
    sandbox.faults.add(fault)
    failure = await fail(sandbox)
    assert type(failure) is kind
    assert failure.retry_after_seconds == (7.0 if fault == "429=7" else None)


async def test_expired_token_is_renewed_once(sandbox: Sandbox) -> None:
    client = GigaChatClient(build_options(sandbox))
    for _ in range(2):
        async with client.stream(PROMPT) as answer:
            assert [parts async for parts in answer]
        sandbox.state.tokens.revoke_all()
    await client.aclose()
    assert sandbox.stats.oauth_tokens == 2


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        (replace(PROMPT, model="GigaChat-9"), ModelUnknown),
        (replace(PROMPT, model="Embeddings"), ModelUnknown),
        (replace(PROMPT, top_p=5.0), PromptInvalid),
    ],
)
async def test_wrong_question_has_its_error(sandbox: Sandbox, prompt: Prompt, kind: type[GigaChatError]) -> None:
    assert type(await fail(sandbox, prompt)) is kind


async def test_eleventh_stream_is_too_many(start: StartSandbox) -> None:
    sandbox = await start(account=Account.PERS, chunk_delay_ms=1000.0)
    client = GigaChatClient(build_options(sandbox))
    async with client.stream(ask_prompt("Подробно: что такое вклад?")):
        assert type(await fail(sandbox)) is RateLimited
    await client.aclose()


async def test_wrong_credentials_and_scope_are_told_apart(sandbox: Sandbox) -> None:
    wrong = parse_credentials("Y2xpZW50OnNlY3JldA==", sandbox.settings.scope)
    other = parse_credentials(sandbox.credentials, "GIGACHAT_API_CORP")
    for credentials, kind in ((wrong, CredentialsRefused), (other, ScopeRefused)):
        auth = OAuth(credentials=credentials, auth_url=sandbox.auth_url)
        assert type(await fail(sandbox, auth=auth)) is kind


async def test_short_calls_return_what_the_sandbox_has(sandbox: Sandbox, ask_rest: AskRest) -> None:
    models = await ask_rest(sandbox, RestClient.list_models)
    assert {"GigaChat-2", "GigaChat-2-Max"} <= {model.name for model in models if model.kind == "chat"}
    assert (await ask_rest(sandbox, lambda rest: rest.get_model("GigaChat-2"))).name == "GigaChat-2"
    counts = await ask_rest(sandbox, lambda rest: rest.count_tokens(["Привет", "Да"], model="GigaChat-2"))
    assert [count.characters for count in counts] == [6, 2]
    assert [package.model for package in await ask_rest(sandbox, RestClient.get_balance)]
    assert (await ask_rest(sandbox, lambda rest: rest.validate_function(RATE))).is_valid
    bad = replace(RATE, parameters={"type": "object", "properties": {"data": {"type": "object"}}})
    report = await ask_rest(sandbox, lambda rest: rest.validate_function(bad))
    assert [fault.location for fault in report.errors] == ["properties.data.properties"]


async def test_unknown_model_of_a_short_call_is_unknown(sandbox: Sandbox, ask_rest: AskRest) -> None:
    for act in (
        lambda rest: rest.get_model("GigaChat-9"),
        lambda rest: rest.count_tokens(["Да"], model="GigaChat-9"),
    ):
        with pytest.raises(ModelUnknown):
            await ask_rest(sandbox, act)


async def test_balance_of_an_account_that_pays_as_it_goes_is_denied(start: StartSandbox, ask_rest: AskRest) -> None:
    sandbox = await start(account=Account.CORP)
    with pytest.raises(AccessDenied):
        await ask_rest(sandbox, RestClient.get_balance)


async def test_file_lives_from_upload_to_deletion(sandbox: Sandbox, ask_rest: AskRest) -> None:
    name = "счёт «за свет».png"
    uploaded = await ask_rest(
        sandbox, lambda rest: rest.upload_file(PNG, filename=name, mime="image/png", client_id=OWNER)
    )
    assert (uploaded.filename, uploaded.size_bytes, uploaded.purpose) == (name, len(PNG), "general")
    assert await ask_rest(sandbox, lambda rest: rest.get_file(uploaded.file_id, client_id=OWNER)) == uploaded
    assert await ask_rest(sandbox, lambda rest: rest.list_files(client_id=OWNER)) == (uploaded,)
    with pytest.raises(FileDenied):
        await ask_rest(sandbox, lambda rest: rest.get_file(uploaded.file_id, client_id="another"))
    await ask_rest(sandbox, lambda rest: rest.delete_file(uploaded.file_id, client_id=OWNER))
    with pytest.raises(FileUnknown):
        await ask_rest(sandbox, lambda rest: rest.get_file(uploaded.file_id, client_id=OWNER))


async def test_picture_is_seen_by_its_owner_only(sandbox: Sandbox, ask_rest: AskRest) -> None:
    uploaded = await ask_rest(
        sandbox, lambda rest: rest.upload_file(PNG, filename="a.png", mime="image/png", client_id=OWNER)
    )
    picture = Attachment(file_id=uploaded.file_id, kind=AttachmentKind.IMAGE, size_bytes=len(PNG))
    message = PromptMessage(role=PromptRole.USER, content="Что на картинке?", attachments=(picture,))
    prompt = replace(PROMPT, messages=(message,), model="GigaChat-2-Max")
    assert read_end(await stream(sandbox, prompt)).reason is FinishReason.STOP
    assert type(await fail(sandbox, replace(prompt, client_id="another"))) is FileDenied
    await ask_rest(sandbox, lambda rest: rest.delete_file(uploaded.file_id, client_id=OWNER))
    assert type(await fail(sandbox, prompt)) is FileUnknown


@pytest.mark.parametrize(
    ("account", "balance"), [(Account.B2B, Verdict.OK), (Account.CORP, Verdict.NOTE), (Account.PERS, Verdict.OK)]
)
async def test_doctor_finds_the_sandbox_healthy(start: StartSandbox, account: Account, balance: Verdict) -> None:
    sandbox = await start(account=account)

    def examine() -> list[Verdict]:
        examination = Examination(
            build=lambda: build_options(sandbox), model="GigaChat-2", vision_model="GigaChat-2-Pro"
        )
        return [finding.verdict for finding in examination.run()]

    verdicts = await asyncio.wait_for(asyncio.to_thread(examine), WAIT_SECONDS)
    assert verdicts == [*[Verdict.OK] * 6, balance, Verdict.OK]

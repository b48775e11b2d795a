import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import orjson
import pytest
from pytest_django import Settings

from chat.gigachat import retries
from chat.gigachat.auth import StaticToken
from chat.gigachat.breaker import BreakerLimits
from chat.gigachat.errors import (
    AccessDenied,
    AnswerMalformed,
    BreakerOpen,
    ConnectTimeout,
    ContextTooLong,
    FileDenied,
    FileFormatRefused,
    FileTooLarge,
    FileUnknown,
    GatewayFailed,
    GigaChatError,
    ModelUnknown,
    ParametersRefused,
    PaymentRequired,
    RateLimited,
    ReadIdleTimeout,
    RequestMalformed,
    ServerFailed,
    SettingRefused,
    StatusUnexpected,
    TlsRefused,
    TokenRefused,
    Unreachable,
)
from chat.gigachat.headers import USER_AGENT
from chat.gigachat.rest import RestClient, build_rest_client
from chat.gigachat.rest_types import ModelInfo, PackageBalance, TokenCount
from chat.gigachat.types import FunctionDefinition
from chat.gigachat.uploads import MAX_IMAGE_BYTES
from tests.chat.gigachat.scripted import (
    CREDENTIALS,
    SECRET,
    Authority,
    Script,
    ScriptedServer,
    answer,
    play,
    play_and_cut,
    refuse,
    reset,
    stay_silent,
)

MakeRest = Callable[..., RestClient]
WAIT_SECONDS = 5.0
MODELS = {"object": "list", "data": [{"id": "GigaChat-2", "object": "model", "type": "chat"}]}
FILE_ID = "11111111-1111-4111-8111-111111111111"
FILE = {"id": FILE_ID, "bytes": 3, "created_at": 1, "filename": "a.png", "purpose": "general"}
OWNER = "pseudonym-1"


@pytest.fixture
def make_rest(server: ScriptedServer, authority: Authority) -> Iterator[MakeRest]:
    clients: list[RestClient] = []

    def make(**changes: Any) -> RestClient:
        clients.append(RestClient(server.build_options(authority, **{"retries": 0, **changes})))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def hasty_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_DELAY_SECONDS", 0.001)


def catch(act: Callable[[], Any]) -> GigaChatError:
    """Return the error; on the way prove that no request, and with it no token, hangs on it."""
    with pytest.raises(GigaChatError) as caught:
        act()
    assert caught.value.__context__ is None
    assert "token-" not in repr(caught.value)
    return caught.value


def test_call_sends_the_documented_headers(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.extend([answer(MODELS, Set_Cookie="a=b"), answer({"data": []})])
    client = make_rest()
    client.list_models()
    client.list_files(client_id=OWNER)
    (method, path, headers, body), (_, _, other, _) = server.rest_calls
    assert (method, path, body) == ("GET", "/models", b"")
    assert headers["Authorization"] == "Bearer token-1"
    assert headers["User-Agent"] == USER_AGENT
    assert headers["Accept"] == "application/json"
    assert "X-Client-ID" not in headers
    assert "Cookie" not in other
    assert other["X-Client-ID"] == OWNER
    ids = {uuid.UUID(sent["X-Request-ID"]) for sent in (headers, other)}
    assert len(ids) == 2


def test_list_models_returns_names_and_kinds(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.append(answer(MODELS))
    assert make_rest().list_models() == (ModelInfo(name="GigaChat-2", kind="chat"),)


def test_get_model_asks_for_that_one(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.append(answer({"id": "GigaChat-2", "type": "chat"}))
    assert make_rest().get_model("GigaChat-2").name == "GigaChat-2"
    assert server.rest_calls[0][1] == "/models/GigaChat-2"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../files", "a b", "ы", "a?b", "a%2Fb"])
def test_get_model_whose_name_is_another_address_is_unknown_without_a_call(
    make_rest: MakeRest, server: ScriptedServer, name: str
) -> None:
    assert type(catch(lambda: make_rest().get_model(name))) is ModelUnknown
    assert server.rest_calls == []


def test_count_tokens_sends_the_texts_and_returns_a_count_for_each(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.append(answer([{"tokens": 2, "characters": 6}, {"tokens": 1, "characters": 2}]))
    found = make_rest().count_tokens(["Привет", "Да"], model="GigaChat-2")
    assert found == (TokenCount(tokens=2, characters=6), TokenCount(tokens=1, characters=2))
    method, path, headers, body = server.rest_calls[0]
    assert (method, path, headers["Content-Type"]) == ("POST", "/tokens/count", "application/json")
    assert orjson.loads(body) == {"model": "GigaChat-2", "input": ["Привет", "Да"]}


def test_count_tokens_of_nothing_asks_nobody(make_rest: MakeRest, server: ScriptedServer) -> None:
    assert make_rest().count_tokens([], model="GigaChat-2") == ()
    assert server.token_calls == []


def test_count_tokens_with_a_count_missing_is_malformed(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.append(answer([{"tokens": 2, "characters": 6}]))
    assert isinstance(catch(lambda: make_rest().count_tokens(["a", "b"], model="m")), AnswerMalformed)


def test_get_balance_returns_packages(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.append(answer({"balance": [{"usage": "GigaChat-2", "value": 900000}]}))
    assert make_rest().get_balance() == (PackageBalance(model="GigaChat-2", tokens=900000),)


def test_get_balance_of_account_that_pays_as_it_goes_is_denied(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.append(refuse(403, b'{"status":403,"message":"Permission denied"}\n'))
    assert type(catch(make_rest().get_balance)) is AccessDenied


def test_validate_function_sends_the_definition(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.append(answer({"message": "Function is valid", "errors": [], "warnings": []}))
    parameters = {"type": "object", "properties": {}}
    definition = FunctionDefinition(name="f", description="d", parameters=parameters)
    assert make_rest().validate_function(definition).is_valid
    assert server.rest_calls[0][1] == "/functions/validate"
    assert orjson.loads(server.rest_calls[0][3]) == {"name": "f", "description": "d", "parameters": parameters}


def test_upload_file_sends_name_type_and_purpose(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.append(answer(FILE))
    found = make_rest().upload_file(b"\x89PN", filename="счёт.png", mime="image/png", client_id=OWNER)
    assert (found.file_id, found.size_bytes) == (FILE_ID, 3)
    method, path, headers, body = server.rest_calls[0]
    assert (method, path, headers["X-Client-ID"]) == ("POST", "/files", OWNER)
    assert headers["Content-Type"].startswith("multipart/form-data; boundary=")
    part = 'Content-Disposition: form-data; name="file"; filename="счёт.png"\r\nContent-Type: image/png\r\n\r\n'
    assert part.encode() + b"\x89PN\r\n" in body
    assert b'name="purpose"\r\n\r\ngeneral\r\n' in body


@pytest.mark.parametrize(
    ("size", "mime", "kind"),
    [(MAX_IMAGE_BYTES + 1, "image/png", FileTooLarge), (1, "image/gif", FileFormatRefused)],
)
def test_upload_file_the_service_would_refuse_is_not_sent(
    make_rest: MakeRest, server: ScriptedServer, *, size: int, mime: str, kind: type[GigaChatError]
) -> None:
    client = make_rest()
    failure = catch(lambda: client.upload_file(b"x" * size, filename="a", mime=mime, client_id=OWNER))
    assert type(failure) is kind
    assert server.rest_calls == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FileFormatRefused),
        (413, FileTooLarge),
        (422, FileFormatRefused),
        (402, PaymentRequired),
        (403, AccessDenied),
    ],
)
def test_upload_file_that_is_refused_says_why(
    make_rest: MakeRest, server: ScriptedServer, *, status: int, kind: type[GigaChatError]
) -> None:
    server.rest_scripts.append(refuse(status))
    client = make_rest()
    failure = catch(lambda: client.upload_file(b"x", filename="a.png", mime="image/png", client_id=OWNER))
    assert type(failure) is kind


@pytest.mark.usefixtures("hasty_retries")
def test_upload_file_that_fails_is_not_repeated(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.extend([refuse(500), answer(FILE)])
    client = make_rest(retries=2)
    failure = catch(lambda: client.upload_file(b"x", filename="a.png", mime="image/png", client_id=OWNER))
    assert type(failure) is ServerFailed
    assert len(server.rest_calls) == 1


def test_get_file_and_list_files_return_what_is_there(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.extend([answer(FILE), answer({"data": [FILE, FILE]})])
    client = make_rest()
    assert client.get_file(FILE_ID, client_id=OWNER).filename == "a.png"
    assert len(client.list_files(client_id=OWNER)) == 2
    assert [call[:2] for call in server.rest_calls] == [("GET", f"/files/{FILE_ID}"), ("GET", "/files")]
    assert {call[2]["X-Client-ID"] for call in server.rest_calls} == {OWNER}


def test_delete_file_is_a_post(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.append(answer({"id": FILE_ID, "deleted": True, "access_policy": "private"}))
    make_rest().delete_file(FILE_ID, client_id=OWNER)
    assert server.rest_calls[0][:2] == ("POST", f"/files/{FILE_ID}/delete")


def test_delete_file_that_is_not_confirmed_fails(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.append(answer({"id": FILE_ID, "deleted": False}))
    assert isinstance(catch(lambda: make_rest().delete_file(FILE_ID, client_id=OWNER)), AnswerMalformed)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b'{"status":404,"message":"No such file"}', FileUnknown),
        (404, b"{}", FileUnknown),
        (403, b'{"status":403,"message":"Access to file \'1\' is denied"}', FileDenied),
        (403, b'{"message":"Unauthorized"}', AccessDenied),
    ],
)
def test_lost_file_is_told_from_a_denied_one(
    make_rest: MakeRest, server: ScriptedServer, *, status: int, body: bytes, kind: type[GigaChatError]
) -> None:
    server.rest_scripts.append(refuse(status, body))
    assert type(catch(lambda: make_rest().get_file(FILE_ID, client_id=OWNER))) is kind


def test_file_id_that_is_another_address_is_unknown_without_a_call(make_rest: MakeRest, server: ScriptedServer) -> None:
    assert type(catch(lambda: make_rest().delete_file("../models", client_id=OWNER))) is FileUnknown
    assert server.rest_calls == []


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (refuse(400), RequestMalformed),
        (refuse(402), PaymentRequired),
        (refuse(403), AccessDenied),
        (refuse(404), ModelUnknown),
        (refuse(413), ContextTooLong),
        (refuse(422), ParametersRefused),
        (refuse(429), RateLimited),
        (refuse(500), ServerFailed),
        (refuse(502, b"<html>", Content_Type="text/html"), GatewayFailed),
        (refuse(302, b"", Location="/elsewhere"), StatusUnexpected),
        (refuse(200, b"<html>", Content_Type="text/html"), GatewayFailed),
        (refuse(200, b"nonsense"), AnswerMalformed),
        (refuse(200, b'{"data":"nonsense"}'), AnswerMalformed),
        (reset, Unreachable),
        (play_and_cut(b'{"data":'), Unreachable),
    ],
)
def test_call_that_fails_raises_the_error_of_its_kind(
    make_rest: MakeRest, server: ScriptedServer, *, script: Script, kind: type[GigaChatError]
) -> None:
    server.rest_scripts.append(script)
    assert type(catch(make_rest().list_models)) is kind
    assert len(server.rest_calls) == 1


def test_call_without_a_timely_answer_fails(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.append(stay_silent)
    assert type(catch(make_rest(rest_seconds=0.3).list_models)) is ReadIdleTimeout


def test_call_with_endless_answer_is_cut_and_malformed(make_rest: MakeRest, server: ScriptedServer) -> None:
    chunk = b" " * 500_000
    server.rest_scripts.append(play(*[chunk] * 12, headers={"Content-Type": "application/json"}))
    assert type(catch(make_rest().list_models)) is AnswerMalformed


@pytest.mark.usefixtures("hasty_retries")
@pytest.mark.parametrize("script", [refuse(429), refuse(503), reset])
def test_call_that_may_be_repeated_is(make_rest: MakeRest, server: ScriptedServer, script: Script) -> None:
    server.rest_scripts.extend([script, answer(MODELS)])
    assert make_rest(retries=1).list_models()
    assert len(server.rest_calls) == 2


@pytest.mark.usefixtures("hasty_retries")
def test_call_that_fails_too_often_raises_the_last_error(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.extend([refuse(503), refuse(503), refuse(429, Retry_After="7")])
    failure = catch(make_rest(retries=2).list_models)
    assert (type(failure), failure.retry_after_seconds) == (RateLimited, 7.0)
    assert len(server.rest_calls) == 3


def test_call_with_refused_token_is_repeated_once_with_a_new_one(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.extend([refuse(401), answer(MODELS)])
    assert make_rest().list_models()
    assert [call[2]["Authorization"] for call in server.rest_calls] == ["Bearer token-1", "Bearer token-2"]


def test_call_with_two_refused_tokens_fails(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.extend([refuse(401), refuse(401)])
    failure = catch(make_rest().list_models)
    assert (type(failure), failure.status) == (TokenRefused, 401)
    assert len(server.rest_calls) == 2


def test_call_with_refused_fixed_token_fails_at_once(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.append(refuse(401))
    assert type(catch(make_rest(auth=StaticToken("fixed")).list_models)) is TokenRefused
    assert [call[2]["Authorization"] for call in server.rest_calls] == ["Bearer fixed"]
    assert server.token_calls == []


def test_calls_of_many_threads_share_token_and_connections(make_rest: MakeRest, server: ScriptedServer) -> None:
    server.rest_scripts.extend([answer(MODELS)] * 12)
    client = make_rest()
    barrier = threading.Barrier(4)

    def ask() -> int:
        barrier.wait(WAIT_SECONDS)
        return sum(len(client.list_models()) for _ in range(3))

    with ThreadPoolExecutor(max_workers=4) as threads:
        counts = [future.result(WAIT_SECONDS) for future in [threads.submit(ask) for _ in range(4)]]
    assert counts == [3] * 4
    assert len(server.token_calls) == 1
    assert len(set(server.connections)) <= 4


def test_breaker_opens_after_failures_and_the_next_call_is_not_sent(
    make_rest: MakeRest, server: ScriptedServer
) -> None:
    server.rest_scripts.extend([refuse(500)] * 3)
    client = make_rest(breaker_limits=BreakerLimits(failures=3))
    for _ in range(3):
        assert type(catch(client.list_models)) is ServerFailed
    failure = catch(client.list_models)
    assert isinstance(failure, BreakerOpen)
    assert failure.retry_after_seconds is not None
    assert 0.0 < failure.retry_after_seconds <= 20.0
    assert len(server.rest_calls) == 3


def test_call_to_impostor_is_refused_before_anything_is_sent(
    make_rest: MakeRest, server: ScriptedServer, other_authority: Authority
) -> None:
    impostor = ScriptedServer(other_authority.issue_context()).start()
    try:
        client = make_rest(base_url=f"{impostor.origin}/v1")
        assert type(catch(client.list_models)) is TlsRefused
        assert impostor.rest_calls == []
    finally:
        impostor.stop()


def test_call_to_deaf_host_fails_with_the_connect_timeout(make_rest: MakeRest, deaf_port: int) -> None:
    client = make_rest(base_url=f"https://127.0.0.1:{deaf_port}/v1", connect_seconds=0.2)
    assert type(catch(client.list_models)) is ConnectTimeout


def test_call_is_logged_in_one_line_without_ids_texts_and_secrets(
    make_rest: MakeRest, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.rest_scripts.extend([answer(FILE, X_Request_Id="upstream-1"), refuse(404)])
    client = make_rest()
    with caplog.at_level(logging.DEBUG, logger="chat"):
        client.upload_file(b"x", filename="Иванов.png", mime="image/png", client_id=OWNER)
        catch(lambda: client.get_file(FILE_ID, client_id=OWNER))
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["gigachat POST /files ok", "gigachat GET /files/{id} file_unknown"]
    done, failed = (vars(record) for record in caplog.records)
    assert (done["status"], done["attempts"], done["upstream_request_id"]) == (200, 1, "upstream-1")
    assert (failed["status"], uuid.UUID(failed["upstream_request_id"]).version) == (404, 4)
    everything = repr([vars(record) for record in caplog.records])
    for secret in ("token-", SECRET, CREDENTIALS.authorization_key, "Иванов", OWNER, FILE_ID):
        assert secret not in everything


def test_build_rest_client_from_settings_asks(settings: Settings, server: ScriptedServer, authority: Authority) -> None:
    settings.GIGACHAT_CREDENTIALS = CREDENTIALS.authorization_key
    settings.GIGACHAT_BASE_URL = f"{server.origin}/v1/"
    settings.GIGACHAT_AUTH_URL = f"{server.origin}/oauth"
    settings.GIGACHAT_CA_FILE = authority.file
    settings.GIGACHAT_CA_SHA256 = authority.sha256
    server.rest_scripts.append(answer(MODELS))
    client = build_rest_client()
    assert client.list_models()
    client.close()
    settings.GIGACHAT_AUTH = "nonsense"
    with pytest.raises(SettingRefused):
        build_rest_client()


def test_options_show_no_secret(server: ScriptedServer, authority: Authority) -> None:
    options = replace(server.build_options(authority), auth=StaticToken("fixed-token"))
    assert "fixed-token" not in repr(options)

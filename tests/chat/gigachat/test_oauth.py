import base64
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from urllib.parse import parse_qs

import orjson
import pytest

from chat.gigachat import oauth
from chat.gigachat.errors import (
    CredentialsRefused,
    GigaChatError,
    ScopeRefused,
    TlsRefused,
    TokenGatewayFailed,
    TokenMalformed,
    TokenRateLimited,
    TokenRequestRefused,
    TokenServerFailed,
    TokenTimeout,
    TokenUnreachable,
)
from chat.gigachat.headers import USER_AGENT
from chat.gigachat.oauth import Token, TokenService, fetch_token
from chat.gigachat.tls import build_ssl_context
from tests.chat.gigachat.scripted import (
    CREDENTIALS,
    PAGE_HEADERS,
    SECRET,
    Authority,
    ScriptedServer,
    play,
    play_and_cut,
    refuse,
    reset,
    stay_silent,
)

NOW = 1_793_950_000.0
JSON_TYPE = "application/json"


def fetch(server: ScriptedServer, authority: Authority, *, host: str = "127.0.0.1") -> Token:
    return fetch_token(
        CREDENTIALS,
        TokenService(
            url=f"https://{host}:{server.port}/oauth", ssl_context=build_ssl_context(authority.file, authority.sha256)
        ),
        now=NOW,
    )


def fetch_failure(server: ScriptedServer, authority: Authority, *, host: str = "127.0.0.1") -> GigaChatError:
    """Return the error; on the way prove that it carries no secret, neither itself nor by what led to it."""
    with pytest.raises(GigaChatError) as caught:
        fetch(server, authority, host=host)
    assert caught.value.__context__ is None
    assert SECRET not in str(caught.value)
    assert CREDENTIALS.authorization_key not in repr(caught.value)
    return caught.value


def test_fetch_token_sends_what_the_service_asks_for(server: ScriptedServer, authority: Authority) -> None:
    for _ in range(2):
        fetch(server, authority)
    (headers, body), (other_headers, _) = server.token_calls
    assert parse_qs(body.decode()) == {"scope": ["GIGACHAT_API_PERS"]}
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["Accept"] == "application/json"
    assert headers["User-Agent"] == USER_AGENT
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == f"client:{SECRET}".encode()
    assert uuid.UUID(headers["RqUID"]).version == 4
    assert headers["RqUID"] != other_headers["RqUID"]


def test_fetch_token_ignores_proxies_and_netrc_of_the_environment(
    server: ScriptedServer, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    assert fetch(server, authority).value == "token-1"


def test_fetch_token_leaves_the_context_with_the_pinned_root_only(server: ScriptedServer, authority: Authority) -> None:
    context = build_ssl_context(authority.file, authority.sha256)
    fetch_token(CREDENTIALS, TokenService(url=f"{server.origin}/oauth", ssl_context=context), now=NOW)
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("body", "lifetime"),
    [
        ({"access_token": "t", "expires_at": int(NOW + 1800) * 1000}, 1800.0),
        ({"access_token": "t", "expires_at": int(NOW + 1800)}, 1800.0),
        ({"tok": "t", "exp": int(NOW + 600)}, 600.0),
        ({"access_token": "t", "expires_at": int(NOW + 2) * 1000}, oauth.MIN_LIFETIME_SECONDS),
        ({"access_token": "t", "expires_at": int(NOW - 7200) * 1000}, oauth.MIN_LIFETIME_SECONDS),
        ({"access_token": "t", "expires_at": 9_000_000_000_000_000}, oauth.MAX_LIFETIME_SECONDS),
    ],
)
def test_fetch_token_understands_both_forms_and_both_units(
    server: ScriptedServer, authority: Authority, body: dict[str, object], lifetime: float
) -> None:
    server.token_scripts.append(refuse(200, orjson.dumps(body)))
    assert fetch(server, authority) == Token(value="t", issued_at=NOW, expires_at=NOW + lifetime)


def test_repr_of_token_shows_no_value() -> None:
    assert "bearer" not in repr(Token(value="bearer", issued_at=0.0, expires_at=1.0))


@pytest.mark.parametrize(
    ("status", "body", "content_type", "kind"),
    [
        (400, b'{"code":1,"message":"scope data format invalid"}', JSON_TYPE, ScopeRefused),
        (400, b'{"code":4,"message":"Can\'t decode \'Authorization\' header"}', JSON_TYPE, CredentialsRefused),
        (400, b'{"code":5,"message":"scope is empty"}', JSON_TYPE, ScopeRefused),
        (401, b'{"code":6,"message":"credentials doesn\'t match db data"}', JSON_TYPE, CredentialsRefused),
        (400, b'{"code":7,"message":"scope from db"}', JSON_TYPE, ScopeRefused),
        (401, b'{"code":7,"message":"scope from db"}', JSON_TYPE, ScopeRefused),
        (401, b"{}", JSON_TYPE, CredentialsRefused),
        (401, b"[]", JSON_TYPE, CredentialsRefused),
        (400, b'{"code":"7"}', JSON_TYPE, TokenRequestRefused),
        (400, b'{"code":99}', JSON_TYPE, TokenRequestRefused),
        (403, b"{}", JSON_TYPE, TokenRequestRefused),
        (302, b"{}", JSON_TYPE, TokenRequestRefused),
        (500, b"{}", JSON_TYPE, TokenServerFailed),
        (502, b"<html>", "text/html", TokenGatewayFailed),
        (403, b"<html>", "text/html", TokenGatewayFailed),
        (200, b"<html>", "text/html", TokenGatewayFailed),
        (429, b"<html>", "text/html", TokenRateLimited),
        (200, b"{}", JSON_TYPE, TokenMalformed),
        (200, b"[]", JSON_TYPE, TokenMalformed),
        (200, b"", JSON_TYPE, TokenMalformed),
        (200, b'{"access_token":"","expires_at":9000000000}', JSON_TYPE, TokenMalformed),
        (200, b'{"access_token":5,"expires_at":9000000000}', JSON_TYPE, TokenMalformed),
        (200, b'{"access_token":"a\\r\\nb","expires_at":9000000000}', JSON_TYPE, TokenMalformed),
        (200, b'{"access_token":"a b","expires_at":9000000000}', JSON_TYPE, TokenMalformed),
        (200, b'{"access_token":"t"}', JSON_TYPE, TokenMalformed),
        (200, b'{"access_token":"t","expires_at":"soon"}', JSON_TYPE, TokenMalformed),
        (200, b'{"access_token":"t","expires_at":0}', JSON_TYPE, TokenMalformed),
        (200, b'{"access_token":"t","expires_at":true}', JSON_TYPE, TokenMalformed),
        (200, b'{"access_token":"' + b"t" * 70_000 + b'","expires_at":9000000000}', JSON_TYPE, TokenMalformed),
    ],
)
def test_fetch_token_refused_or_unreadable_fails_with_its_own_type(
    server: ScriptedServer,
    authority: Authority,
    *,
    status: int,
    body: bytes,
    content_type: str,
    kind: type[GigaChatError],
) -> None:
    server.token_scripts.append(refuse(status, body, Content_Type=content_type))
    failure = fetch_failure(server, authority)
    assert (type(failure), failure.status) == (kind, status)
    assert len(server.token_calls) == 1


def test_fetch_token_rate_limited_keeps_how_long_to_wait(server: ScriptedServer, authority: Authority) -> None:
    server.token_scripts.append(refuse(429, Retry_After="3"))
    assert fetch_failure(server, authority).retry_after_seconds == 3.0


def test_fetch_token_does_not_follow_redirects(server: ScriptedServer, authority: Authority) -> None:
    server.token_scripts.append(refuse(307, Location=f"{server.origin}/oauth"))
    assert isinstance(fetch_failure(server, authority), TokenRequestRefused)
    assert len(server.token_calls) == 1


def test_fetch_token_with_cut_connection_is_unreachable(server: ScriptedServer, authority: Authority) -> None:
    server.token_scripts.extend([reset, play_and_cut(b'{"access')])
    for _ in range(2):
        assert isinstance(fetch_failure(server, authority), TokenUnreachable)


def test_fetch_token_with_unfinished_page_is_a_gateway(server: ScriptedServer, authority: Authority) -> None:
    server.token_scripts.append(play(b"<html>", headers=PAGE_HEADERS, status=503))
    assert isinstance(fetch_failure(server, authority), TokenGatewayFailed)


def test_fetch_token_from_silent_service_times_out(
    server: ScriptedServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth, "READ_SECONDS", 0.2)
    server.token_scripts.append(stay_silent)
    started = time.monotonic()
    assert isinstance(fetch_failure(server, authority), TokenTimeout)
    assert time.monotonic() - started < 5.0


def test_fetch_token_from_closed_port_is_unreachable(server: ScriptedServer, authority: Authority) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server_port, server.port = server.port, port
    try:
        assert isinstance(fetch_failure(server, authority), TokenUnreachable)
    finally:
        server.port = server_port


@pytest.fixture
def cutting_port() -> Iterator[int]:
    """A port that accepts a connection and closes it at the first byte of the handshake."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept_and_cut() -> None:
        connection, _ = listener.accept()
        connection.recv(1)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(65536)
        connection.close()

    thread = threading.Thread(target=accept_and_cut)
    thread.start()
    yield listener.getsockname()[1]
    thread.join(5.0)
    listener.close()


def test_fetch_token_with_cut_handshake_is_unreachable(authority: Authority, cutting_port: int) -> None:
    with pytest.raises(TokenUnreachable):
        fetch_token(
            CREDENTIALS,
            TokenService(
                url=f"https://127.0.0.1:{cutting_port}/oauth",
                ssl_context=build_ssl_context(authority.file, authority.sha256),
            ),
            now=NOW,
        )


def test_fetch_token_from_server_of_another_authority_is_refused_before_anything_is_sent(
    server: ScriptedServer, other_authority: Authority
) -> None:
    assert isinstance(fetch_failure(server, other_authority), TlsRefused)
    assert server.token_calls == []


def test_fetch_token_from_server_of_another_name_is_refused(authority: Authority) -> None:
    server = ScriptedServer(authority.issue_context("ngw.example")).start()
    try:
        assert isinstance(fetch_failure(server, authority), TlsRefused)
        assert server.token_calls == []
    finally:
        server.stop()

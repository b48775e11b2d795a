"""Both clients on every way to GigaChat: a client certificate without tokens, a fixed token, an egress proxy."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chat.gigachat.auth import CertificateOnly, StaticToken
from chat.gigachat.client import GigaChatClient
from chat.gigachat.errors import (
    ClientCertificateRejected,
    GigaChatError,
    ProxyRefused,
    TlsRefused,
    TokenRefused,
    Unreachable,
)
from chat.gigachat.oauth import TokenService, fetch_token
from chat.gigachat.options import ClientOptions
from chat.gigachat.proxy import parse_proxy
from chat.gigachat.rest import RestClient
from chat.gigachat.tls import build_ssl_context
from tests.chat.gigachat.gatekeeper import Gatekeeper
from tests.chat.gigachat.recordings import PROMPT, read_recording
from tests.chat.gigachat.scripted import CREDENTIALS, Authority, ScriptedServer, answer, play, refuse
from tests.chat.gigachat.tunnel import Tunnel

Ask = Callable[[ClientOptions], None]
USER_AND_PASSWORD = "Ym90OnBhc3N3b3JkLW9mLXByb3h5"  # base64 of bot:password-of-proxy


def ask_rest(options: ClientOptions) -> None:
    client = RestClient(options)
    try:
        assert client.list_models() == ()
    finally:
        client.close()


def ask_stream(options: ClientOptions) -> None:
    async def run() -> None:
        client = GigaChatClient(options)
        try:
            async with client.stream(PROMPT) as stream:
                assert [parts async for parts in stream]
        finally:
            await client.aclose()

    asyncio.run(run())


@pytest.fixture(params=[ask_rest, ask_stream], ids=["rest", "stream"])
def ask(request: pytest.FixtureRequest) -> Ask:
    act: Ask = request.param
    return act


def catch(ask: Ask, options: ClientOptions) -> GigaChatError:
    with pytest.raises(GigaChatError) as caught:
        ask(options)
    assert caught.value.__context__ is None
    return caught.value


def prepare(server: ScriptedServer) -> None:
    """Have one good answer ready for either client."""
    server.rest_scripts.append(answer({"data": []}))
    server.chat_scripts.append(play(read_recording("short")))


def count_calls(server: ScriptedServer) -> int:
    return len(server.rest_calls) + len(server.chat_calls)


def read_headers(server: ScriptedServer) -> dict[str, str]:
    return server.rest_calls[-1][2] if server.rest_calls else server.chat_calls[-1][0]


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
def contour(request: pytest.FixtureRequest, authority: Authority) -> Iterator[ScriptedServer]:
    """A bank-internal host: it knows its clients by their certificates."""
    server = ScriptedServer(authority.issue_mutual_context(request.param)).start()
    prepare(server)
    yield server
    server.stop()


def test_certificate_alone_opens_the_contour_without_any_token(
    ask: Ask, contour: ScriptedServer, authority: Authority, tmp_path: Path
) -> None:
    certificate = authority.issue_client_certificate(tmp_path)
    ask(contour.build_options(authority, auth=CertificateOnly(), client_certificate=certificate))
    assert "Authorization" not in read_headers(contour)
    assert contour.token_calls == []


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
def gatekeeper(request: pytest.FixtureRequest, authority: Authority) -> Iterator[Gatekeeper]:
    gatekeeper = Gatekeeper(authority.issue_mutual_context(request.param)).start()
    yield gatekeeper
    gatekeeper.stop()


def test_certificate_of_another_authority_is_rejected(
    ask: Ask,
    gatekeeper: Gatekeeper,
    server: ScriptedServer,
    authority: Authority,
    other_authority: Authority,
    tmp_path: Path,
) -> None:
    certificate = other_authority.issue_client_certificate(tmp_path)
    options = server.build_options(
        authority, base_url=f"{gatekeeper.origin}/v1", auth=CertificateOnly(), client_certificate=certificate
    )
    failure = catch(ask, options)
    assert type(failure) is ClientCertificateRejected
    assert not failure.is_retryable
    assert gatekeeper.requests == []


def test_missing_certificate_is_rejected(
    ask: Ask, gatekeeper: Gatekeeper, server: ScriptedServer, authority: Authority
) -> None:
    options = server.build_options(authority, base_url=f"{gatekeeper.origin}/v1", auth=StaticToken("fixed"))
    assert type(catch(ask, options)) is ClientCertificateRejected
    assert gatekeeper.requests == []


def test_missing_certificate_is_rejected_by_the_token_service_too(gatekeeper: Gatekeeper, authority: Authority) -> None:
    context = build_ssl_context(authority.file, authority.sha256)
    with pytest.raises(ClientCertificateRejected):
        fetch_token(CREDENTIALS, TokenService(url=f"{gatekeeper.origin}/oauth", ssl_context=context), now=0.0)
    assert gatekeeper.requests == []


@pytest.mark.parametrize("text", [b"No required SSL certificate was sent", b"The SSL certificate error"])
def test_missing_certificate_of_which_a_gateway_tells_in_a_page_is_rejected(
    ask: Ask, server: ScriptedServer, authority: Authority, text: bytes
) -> None:
    page = b"<html>\r\n<head><title>400 " + text + b"</title></head>\r\n<body></body>\r\n</html>\r\n"
    script = refuse(400, page, Content_Type="text/html")
    server.rest_scripts.append(script)
    server.chat_scripts.append(script)
    assert type(catch(ask, server.build_options(authority))) is ClientCertificateRejected


def test_server_of_another_authority_is_refused_although_we_have_a_certificate(
    ask: Ask, authority: Authority, other_authority: Authority, tmp_path: Path
) -> None:
    impostor = ScriptedServer(other_authority.issue_context()).start()
    try:
        certificate = authority.issue_client_certificate(tmp_path)
        options = impostor.build_options(authority, auth=CertificateOnly(), client_certificate=certificate)
        assert type(catch(ask, options)) is TlsRefused
        assert count_calls(impostor) == 0
    finally:
        impostor.stop()


def test_contour_that_refuses_a_certificate_with_401_has_no_other_token(
    ask: Ask, contour: ScriptedServer, authority: Authority, tmp_path: Path
) -> None:
    contour.rest_scripts.appendleft(refuse(401))
    contour.chat_scripts.appendleft(refuse(401))
    certificate = authority.issue_client_certificate(tmp_path)
    options = contour.build_options(authority, auth=CertificateOnly(), client_certificate=certificate)
    assert type(catch(ask, options)) is TokenRefused
    assert count_calls(contour) == 1


def test_fixed_token_is_sent_and_the_token_service_is_not_asked(
    ask: Ask, server: ScriptedServer, authority: Authority
) -> None:
    prepare(server)
    ask(server.build_options(authority, auth=StaticToken("fixed")))
    assert read_headers(server)["Authorization"] == "Bearer fixed"
    assert server.token_calls == []


def test_fixed_token_that_is_refused_is_not_tried_again(ask: Ask, server: ScriptedServer, authority: Authority) -> None:
    server.rest_scripts.append(refuse(401))
    server.chat_scripts.append(refuse(401))
    assert type(catch(ask, server.build_options(authority, auth=StaticToken("fixed")))) is TokenRefused
    assert count_calls(server) == 1


@pytest.fixture
def make_tunnel() -> Iterator[Callable[..., Tunnel]]:
    tunnels: list[Tunnel] = []

    def make(**options: Any) -> Tunnel:
        tunnels.append(Tunnel(**options).start())
        return tunnels[-1]

    yield make
    for tunnel in tunnels:
        tunnel.stop()


def build_proxied(server: ScriptedServer, authority: Authority, url: str, **changes: Any) -> ClientOptions:
    return server.build_options(authority, proxy=parse_proxy(url), **changes)


def test_every_connection_goes_through_the_proxy_and_is_verified_at_its_end(
    ask: Ask, server: ScriptedServer, authority: Authority, make_tunnel: Callable[..., Tunnel]
) -> None:
    tunnel = make_tunnel()
    prepare(server)
    ask(build_proxied(server, authority, tunnel.address))
    assert [head.split(" ")[:2] for head in tunnel.heads] == [["CONNECT", f"127.0.0.1:{server.port}"]] * 2
    assert len(server.token_calls) == 1
    said = "".join(tunnel.heads)
    for secret in ("Bearer", CREDENTIALS.authorization_key, PROMPT.client_id):
        assert secret not in said


def test_impostor_behind_the_proxy_is_refused(
    ask: Ask, authority: Authority, other_authority: Authority, make_tunnel: Callable[..., Tunnel]
) -> None:
    impostor = ScriptedServer(other_authority.issue_context()).start()
    try:
        options = build_proxied(impostor, authority, make_tunnel().address, auth=StaticToken("fixed"))
        assert type(catch(ask, options)) is TlsRefused
        assert count_calls(impostor) == 0
    finally:
        impostor.stop()


def test_client_certificate_is_shown_through_the_proxy(
    ask: Ask, contour: ScriptedServer, authority: Authority, tmp_path: Path, make_tunnel: Callable[..., Tunnel]
) -> None:
    certificate = authority.issue_client_certificate(tmp_path)
    tunnel = make_tunnel()
    ask(build_proxied(contour, authority, tunnel.address, auth=CertificateOnly(), client_certificate=certificate))
    assert len(tunnel.heads) == 1


def test_proxy_gets_its_credentials_and_no_log_shows_them(
    ask: Ask,
    server: ScriptedServer,
    authority: Authority,
    make_tunnel: Callable[..., Tunnel],
    caplog: pytest.LogCaptureFixture,
) -> None:
    tunnel = make_tunnel(authorization=f"Basic {USER_AND_PASSWORD}")
    prepare(server)
    url = f"http://bot:password-of-proxy@127.0.0.1:{tunnel.port}"
    with caplog.at_level(logging.DEBUG):
        ask(build_proxied(server, authority, url))
    assert len(tunnel.heads) == 2
    everything = repr([vars(record) for record in caplog.records])
    assert "password-of-proxy" not in everything
    assert USER_AND_PASSWORD not in everything
    assert "Proxy-Authorization" not in read_headers(server)


@pytest.mark.parametrize(
    ("options", "url", "kind"),
    [
        ({"authorization": "Basic other"}, "http://bot:password-of-proxy@127.0.0.1:{port}", ProxyRefused),
        ({"authorization": "Basic other"}, "http://127.0.0.1:{port}", ProxyRefused),
        ({"status": 403}, "http://127.0.0.1:{port}", ProxyRefused),
        ({"status": 502}, "http://127.0.0.1:{port}", Unreachable),
    ],
)
def test_proxy_that_refuses_is_a_fault_of_its_own(
    ask: Ask,
    server: ScriptedServer,
    authority: Authority,
    make_tunnel: Callable[..., Tunnel],
    *,
    options: dict[str, Any],
    url: str,
    kind: type[GigaChatError],
) -> None:
    tunnel = make_tunnel(**options)
    proxied = build_proxied(server, authority, url.format(port=tunnel.port), auth=StaticToken("fixed"), retries=0)
    failure = catch(ask, proxied)
    assert type(failure) is kind
    assert "password-of-proxy" not in repr(failure)
    assert count_calls(server) == 0


def test_proxy_that_is_not_there_is_unreachable(ask: Ask, server: ScriptedServer, authority: Authority) -> None:
    options = build_proxied(server, authority, "http://127.0.0.1:1", auth=StaticToken("fixed"), retries=0)
    assert type(catch(ask, options)) is Unreachable


def test_environment_names_no_proxy_for_us(
    ask: Ask, server: ScriptedServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    prepare(server)
    ask(server.build_options(authority))
    assert count_calls(server) == 1

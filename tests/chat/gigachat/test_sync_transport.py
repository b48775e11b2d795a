import ssl
from collections.abc import Iterator

import pytest
import requests
from typing_extensions import override

from chat.gigachat.errors import (
    ClientCertificateRejected,
    ConnectTimeout,
    GigaChatError,
    ProxyRefused,
    ReadIdleTimeout,
    TlsRefused,
    Unreachable,
)
from chat.gigachat.proxy import Proxy
from chat.gigachat.sync_transport import PinnedAdapter, build_session, read_bounded, to_sync_error


class DrippingResponse(requests.Response):
    def __init__(self, chunks: int) -> None:
        super().__init__()
        self.asked = 0
        self._chunks = chunks

    @override
    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[bytes]:
        for _ in range(self._chunks):
            self.asked += 1
            yield b"12345678"


def test_read_bounded_returns_the_whole_of_a_short_body() -> None:
    assert read_bounded(DrippingResponse(3), 100, seconds=5.0) == b"12345678" * 3


def test_read_bounded_stops_asking_at_the_bound() -> None:
    response = DrippingResponse(100)
    assert read_bounded(response, 10) == b"1234567812"
    assert response.asked == 2


def test_read_bounded_past_its_time_fails() -> None:
    with pytest.raises(requests.exceptions.ReadTimeout):
        read_bounded(DrippingResponse(100), 10_000, seconds=-1.0)


def build_alert() -> requests.exceptions.RequestException:
    cause = ssl.SSLError()
    cause.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    error = requests.exceptions.ConnectionError()
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (build_alert(), ClientCertificateRejected),
        (requests.exceptions.ProxyError("Tunnel connection failed: 407 No"), ProxyRefused),
        (requests.exceptions.ProxyError("Cannot connect to proxy"), Unreachable),
        (requests.exceptions.ConnectTimeout(), ConnectTimeout),
        (requests.exceptions.ReadTimeout(), ReadIdleTimeout),
        (requests.exceptions.SSLError(), TlsRefused),
        (requests.exceptions.ConnectionError(), Unreachable),
        (requests.exceptions.ChunkedEncodingError(), Unreachable),
    ],
)
def test_to_sync_error_returns_the_error_of_its_kind(
    error: requests.exceptions.RequestException, kind: type[GigaChatError]
) -> None:
    assert type(to_sync_error(error)) is kind


def test_session_without_proxy_reads_no_environment() -> None:
    session = build_session(ssl.create_default_context(), None)
    assert not session.trust_env
    assert session.proxies == {}


def test_session_with_proxy_names_it_without_credentials() -> None:
    proxy = Proxy(address="http://proxy:3128", authorization="Basic c2VjcmV0")
    session = build_session(ssl.create_default_context(), proxy)
    assert session.proxies == {"https": "http://proxy:3128"}
    adapter = session.get_adapter("https://api.giga.chat")
    assert isinstance(adapter, PinnedAdapter)
    assert adapter.proxy_headers("http://proxy:3128") == {"Proxy-Authorization": "Basic c2VjcmV0"}

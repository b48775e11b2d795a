import ssl
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from chat.gigachat.errors import (
    ClientCertificateRejected,
    ConnectTimeout,
    GigaChatError,
    ProxyRefused,
    ReadIdleTimeout,
    ServerFailed,
    StreamBroken,
    TlsRefused,
    TotalTimeout,
    Unreachable,
)
from chat.gigachat.transport import to_request_error, to_stream_error

KEY: Any = ConnectionKey("api.giga.chat", 443, True, True, None, None, None)


def build_proxy_refusal(status: int) -> aiohttp.ClientHttpProxyError:
    return aiohttp.ClientHttpProxyError(Mock(real_url="http://proxy:3128"), (), status=status)


def build_alert() -> OSError:
    alert = ssl.SSLError()
    alert.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    outer = aiohttp.ClientOSError()
    outer.__cause__ = alert
    return outer


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (build_proxy_refusal(407), ProxyRefused),
        (build_proxy_refusal(502), Unreachable),
        (build_alert(), ClientCertificateRejected),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError()), TlsRefused),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError()), TlsRefused),
        (aiohttp.ClientConnectorSSLError(KEY, ConnectionResetError()), Unreachable),
        (aiohttp.ConnectionTimeoutError(), ConnectTimeout),
        (aiohttp.SocketTimeoutError(), ReadIdleTimeout),
        (TimeoutError(), TotalTimeout),
        (aiohttp.ClientConnectorError(KEY, OSError()), Unreachable),
        (aiohttp.ServerDisconnectedError(), Unreachable),
        (OSError(), Unreachable),
        (aiohttp.ClientPayloadError(), ServerFailed),
    ],
)
def test_to_request_error_returns_the_error_of_its_kind(error: Exception, kind: type[GigaChatError]) -> None:
    assert type(to_request_error(error)) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (aiohttp.SocketTimeoutError(), ReadIdleTimeout),
        (TimeoutError(), TotalTimeout),
        (aiohttp.ClientPayloadError(), StreamBroken),
        (ConnectionResetError(), StreamBroken),
    ],
)
def test_to_stream_error_returns_the_error_of_its_kind(error: Exception, kind: type[GigaChatError]) -> None:
    assert type(to_stream_error(error)) is kind

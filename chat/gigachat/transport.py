"""What we ask of aiohttp: a response that ends at once, and its exceptions in our words."""

import aiohttp
from typing_extensions import override

from chat.gigachat.errors import (
    ConnectTimeout,
    GigaChatError,
    ReadIdleTimeout,
    ServerFailed,
    StreamBroken,
    TotalTimeout,
    Unreachable,
)
from chat.gigachat.proxy import build_proxy_error
from chat.gigachat.tls import build_tls_error, is_certificate_alert

REQUEST_ERRORS: tuple[tuple[type[Exception], type[GigaChatError]], ...] = (
    (aiohttp.ConnectionTimeoutError, ConnectTimeout),
    (aiohttp.SocketTimeoutError, ReadIdleTimeout),
    (TimeoutError, TotalTimeout),
    (aiohttp.ClientConnectionError, Unreachable),
    (OSError, Unreachable),
    # No valid HTTP: something else listens there, or a gateway failed half-way.
    (Exception, ServerFailed),
)


class AbortingResponse(aiohttp.ClientResponse):
    """Closing an unread answer cuts the TCP connection now.

    A polite TLS farewell waits for the peer up to 30 s, and meanwhile the provider generates, bills and counts the
    stream. aiohttp itself closes here too, when a request is cancelled before its headers arrive.
    """

    @override
    def close(self) -> None:
        connection = self.connection
        transport = None if connection is None else connection.transport
        if transport is not None:
            transport.abort()
        super().close()


def to_request_error(error: Exception) -> GigaChatError:
    """Return our error for one that came before the answer's headers."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return build_proxy_error(error.status)
    if isinstance(error, aiohttp.ClientSSLError) or is_certificate_alert(error):
        return build_tls_error(error)
    return next(kind for known, kind in REQUEST_ERRORS if isinstance(error, known))()


def to_stream_error(error: Exception) -> GigaChatError:
    """Return our error for one that came while the answer was read."""
    match error:
        case aiohttp.SocketTimeoutError():
            return ReadIdleTimeout()
        case TimeoutError():
            return TotalTimeout()
        case _:
            return StreamBroken()

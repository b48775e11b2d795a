"""What we ask of aiohttp: a response that ends at once, and its exceptions in our words."""

import aiohttp
from typing_extensions import override

from chat.gigachat.errors import (
    ConnectTimeout,
    GigaChatError,
    ReadIdleTimeout,
    ServerFailed,
    StreamBroken,
    TlsRefused,
    TotalTimeout,
    Unreachable,
)
from chat.gigachat.tls import is_cut_handshake


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
    match error:
        case aiohttp.ConnectionTimeoutError():
            return ConnectTimeout()
        case aiohttp.SocketTimeoutError():
            return ReadIdleTimeout()
        case TimeoutError():
            return TotalTimeout()
        case aiohttp.ClientSSLError():
            return Unreachable() if is_cut_handshake(error) else TlsRefused()
        case aiohttp.ClientConnectionError() | OSError():
            return Unreachable()
        case _:
            # No valid HTTP: something else listens there, or a gateway failed half-way.
            return ServerFailed()


def to_stream_error(error: Exception) -> GigaChatError:
    """Return our error for one that came while the answer was read."""
    match error:
        case aiohttp.SocketTimeoutError():
            return ReadIdleTimeout()
        case TimeoutError():
            return TotalTimeout()
        case _:
            return StreamBroken()

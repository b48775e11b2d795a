"""What we ask of `requests`: our TLS context, our proxy, bounded bodies, and its exceptions in our words."""

import ssl
import time
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override

from chat.gigachat.errors import (
    ConnectTimeout,
    GigaChatError,
    ReadIdleTimeout,
    Unreachable,
)
from chat.gigachat.proxy import Proxy, build_proxy_error, find_tunnel_status
from chat.gigachat.tls import build_tls_error, is_certificate_alert

CHUNK_BYTES = 16 * 1024


class PinnedAdapter(HTTPAdapter):
    """Uses our TLS context as it is, through the proxy too."""

    def __init__(self, ssl_context: ssl.SSLContext, proxy: Proxy | None) -> None:
        self._ssl_context = ssl_context
        self._proxy = proxy
        super().__init__(max_retries=0)

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._ssl_context, **kwargs)

    @override
    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=self._ssl_context, **kwargs)

    @override
    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """Return the credentials, which the address does not hold: exceptions and debug logs of urllib3 show it."""
        return self._proxy.build_headers() if self._proxy is not None else {}

    @override
    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave out what `requests` does here: it would load the public authorities into our context."""


def build_session(ssl_context: ssl.SSLContext, proxy: Proxy | None) -> requests.Session:
    """Return a session that keeps no cookies and reads neither proxies nor .netrc of the environment."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", PinnedAdapter(ssl_context, proxy))
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    if proxy is not None:
        session.proxies = {"https": proxy.address}
    return session


def read_bounded(response: requests.Response, limit_bytes: int, *, seconds: float | None = None) -> bytes:
    """Return the body, or its beginning: no answer may fill our memory, or drip for longer than `seconds`.

    Raises: requests.exceptions.ReadTimeout
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    body = b""
    for chunk in response.iter_content(CHUNK_BYTES):
        body += chunk
        if len(body) > limit_bytes:
            break
        if deadline is not None and time.monotonic() > deadline:
            raise requests.exceptions.ReadTimeout
    return body[:limit_bytes]


def to_sync_error(error: requests.exceptions.RequestException) -> GigaChatError:
    """Return our error; theirs holds the request with its token."""
    match error:
        case requests.exceptions.ProxyError():
            return build_proxy_error(find_tunnel_status(error))
        case requests.exceptions.ConnectTimeout():
            return ConnectTimeout()
        case requests.exceptions.Timeout():
            return ReadIdleTimeout()
    if isinstance(error, requests.exceptions.SSLError) or is_certificate_alert(error):
        return build_tls_error(error)
    return Unreachable()

"""The egress proxy: plain HTTP with CONNECT. What is said through it is TLS from end to end, so it sees host names."""

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from chat.gigachat.errors import GigaChatError, ProxyRefused, SettingRefused, Unreachable

# A proxy that answers CONNECT with one of these waits for an operator; with another one, for better times.
REFUSING_STATUSES = frozenset({400, 401, 403, 404, 405, 407})
TUNNEL_FAILURE = re.compile(r"Tunnel connection failed: (\d{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """`address` is `http://host:port`, `authorization` what `Proxy-Authorization` says: empty without credentials."""

    address: str
    authorization: str = field(default="", repr=False)

    def build_headers(self) -> dict[str, str]:
        return {"Proxy-Authorization": self.authorization} if self.authorization else {}


def parse_proxy(url: str) -> Proxy | None:
    """Return the proxy of `http://[user:password@]host:port`, percent-escapes understood; None for an empty text.

    Raises: SettingRefused
    """
    if not url.strip():
        return None
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme != "http" or not host or port is None or parts.path not in {"", "/"} or parts.query:
        raise SettingRefused("GIGACHAT_PROXY_URL")
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    if parts.username is None:
        return Proxy(address=address)
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(address=address, authorization=f"Basic {base64.b64encode(pair.encode()).decode()}")


def build_proxy_error(status: int | None) -> GigaChatError:
    """Return the error of a proxy that answered CONNECT with this status, or did not answer."""
    return ProxyRefused(status=status) if status in REFUSING_STATUSES else Unreachable()


def find_tunnel_status(error: BaseException) -> int | None:
    """Return the status in what the standard library says about a refused CONNECT; it has no field for it."""
    found = TUNNEL_FAILURE.search(str(error))
    return None if found is None else int(found[1])

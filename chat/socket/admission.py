"""Who may open a socket at all, judged by the upgrade request alone; who it is comes later, with `hello`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from chat.protocol.codes import CloseCode, ErrorCode

SUBPROTOCOL = "asst.v1.json"
DRAIN_RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Denial:
    """An answer instead of the upgrade; servers that cannot send it close with `close_code` after accepting, if set."""

    status: int
    code: ErrorCode
    details: Mapping[str, Any]
    close_code: CloseCode | None = None
    retry_after_seconds: int | None = None

    def to_messages(self) -> list[dict[str, Any]]:
        """Return the ASGI messages of the extension `websocket.http.response`."""
        headers = [(b"content-type", b"application/json")]
        if self.retry_after_seconds is not None:
            headers.append((b"retry-after", str(self.retry_after_seconds).encode()))
        return [
            {"type": "websocket.http.response.start", "status": self.status, "headers": headers},
            {"type": "websocket.http.response.body", "body": orjson.dumps({"code": self.code, **self.details})},
        ]


def find_denial(scope: Mapping[str, Any], *, is_draining: bool) -> Denial | None:
    """Return why the upgrade is refused, or None."""
    if is_draining:
        return Denial(503, ErrorCode.SERVER_DRAINING, {"retryable": True}, retry_after_seconds=DRAIN_RETRY_SECONDS)
    if not is_origin_allowed(scope):
        return Denial(
            403, ErrorCode.AUTH_REQUIRED, {"message": "origin not allowed, or no origin and no Authorization"}
        )
    if SUBPROTOCOL not in scope.get("subprotocols", ()):
        supported = {"supported": [SUBPROTOCOL]}
        return Denial(400, ErrorCode.PROTO_SUBPROTOCOL, supported, close_code=CloseCode.NO_SUBPROTOCOL)
    return None


def is_origin_allowed(scope: Mapping[str, Any]) -> bool:
    """Return whether the page that opens the socket is ours.

    A browser always names the page's origin. Who names none is a program, and must show its token at the door, so that
    no page can pose as one.
    """
    origin = get_header(scope, b"origin")
    if origin is None:
        return get_header(scope, b"authorization") is not None
    if origin in settings.WS_ALLOWED_ORIGINS:
        return True
    host = get_header(scope, b"host")
    return host is not None and urlsplit(origin).netloc == host and is_host_ours(host)


def is_host_ours(host: str) -> bool:
    """Return whether the host is one we serve: a name that somebody else points at us is not our own origin."""
    name, _port = split_domain_port(host)
    return bool(name) and validate_host(name, settings.ALLOWED_HOSTS)


def read_bearer_token(scope: Mapping[str, Any]) -> str | None:
    """Return the token of the `Authorization` header, if there is a bearer token."""
    kind, _, token = (get_header(scope, b"authorization") or "").partition(" ")
    return token.strip() or None if kind.lower() == "bearer" else None


def get_header(scope: Mapping[str, Any], name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key.lower() == name:
            return str(value.decode("latin-1"))
    return None


def get_client_ip(scope: Mapping[str, Any]) -> str:
    """Return the peer's address; behind proxies of ours, what the outermost of them saw."""
    client = scope.get("client")
    forwarded = get_header(scope, b"x-forwarded-for")
    hops = [hop.strip() for hop in (forwarded or "").split(",") if hop.strip()]
    if settings.TRUSTED_PROXY_COUNT and len(hops) >= settings.TRUSTED_PROXY_COUNT:
        return hops[-int(settings.TRUSTED_PROXY_COUNT)]
    return str(client[0]) if client else ""

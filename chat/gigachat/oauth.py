"""One call to the token service: blocking, never repeated here, nothing of it in logs or errors."""

import datetime as dt
import ssl
import uuid
from dataclasses import dataclass, field
from typing import TypeGuard

import requests

from chat.gigachat.credentials import Credentials
from chat.gigachat.errors import (
    CredentialsRefused,
    GigaChatError,
    ScopeRefused,
    ServiceTimeout,
    TokenGatewayFailed,
    TokenMalformed,
    TokenRateLimited,
    TokenRequestRefused,
    TokenServerFailed,
    TokenTimeout,
    TokenUnreachable,
    Unreachable,
)
from chat.gigachat.headers import USER_AGENT
from chat.gigachat.mapping import decode_json
from chat.gigachat.proxy import Proxy
from chat.gigachat.statuses import is_json, parse_retry_after
from chat.gigachat.sync_transport import build_session, read_bounded, to_sync_error

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
# A real answer is about 1.3 kB.
MAX_ANSWER_BYTES = 64 * 1024
# The service documents milliseconds, one of its samples shows seconds: no second of this century has 12 digits.
FIRST_MILLISECOND_VALUE = 10**11
MAX_LIFETIME_SECONDS = 24 * 3600.0
# A token that seems to expire sooner, or has, is tried for this long: more likely one of the two clocks is wrong, and
# a 401 ends it anyway. Otherwise each call would ask for a token of its own.
MIN_LIFETIME_SECONDS = 10.0
CODES: dict[int, type[GigaChatError]] = {
    1: ScopeRefused,
    4: CredentialsRefused,
    5: ScopeRefused,
    6: CredentialsRefused,
    7: ScopeRefused,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token; times are seconds of the Unix epoch by our clock."""

    value: str = field(repr=False)
    issued_at: float
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    content_type: str
    retry_after: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenService:
    """Where tokens are issued, and the way there."""

    url: str
    ssl_context: ssl.SSLContext
    proxy: Proxy | None = None


def fetch_token(credentials: Credentials, service: TokenService, *, now: float) -> Token:
    """Ask the token service once; `now` is the second of the Unix epoch from which the token's lifetime counts.

    Raises: CredentialsRefused, ScopeRefused, TokenRequestRefused, TokenRateLimited, TokenServerFailed,
    TokenGatewayFailed, TokenUnreachable, TokenTimeout, TokenMalformed, TlsRefused, ProxyRefused,
    ClientCertificateRejected
    Source: docs/gigachat.md "Token"
    """
    answer = send_request(credentials, service)
    if isinstance(answer, GigaChatError):
        raise answer
    if answer.status != 200:
        raise build_refusal(answer)
    return parse_token(answer, now=now)


def send_request(credentials: Credentials, service: TokenService) -> Answer | GigaChatError:
    """Return the answer, or what went wrong on the way.

    Returned, not raised: an error of `requests` holds the request with the credentials, and would stay attached.
    """
    try:
        return exchange(credentials, service)
    except requests.exceptions.RequestException as error:
        failure = to_sync_error(error)
    if isinstance(failure, ServiceTimeout):
        return TokenTimeout()
    return TokenUnreachable() if isinstance(failure, Unreachable) else failure


def exchange(credentials: Credentials, service: TokenService) -> Answer:
    with build_session(service.ssl_context, service.proxy) as session:
        response = session.post(
            service.url,
            data={"scope": credentials.scope},
            headers={
                "Authorization": f"Basic {credentials.authorization_key}",
                "RqUID": str(uuid.uuid4()),
                "Accept": "application/json",
                "User-Agent": USER_AGENT,
            },
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            stream=True,
        )
        return Answer(
            status=response.status_code,
            content_type=response.headers.get("Content-Type", ""),
            retry_after=response.headers.get("Retry-After", ""),
            body=read_bounded(response, MAX_ANSWER_BYTES, seconds=READ_SECONDS),
        )


def build_refusal(answer: Answer) -> GigaChatError:
    """Return the error of an answer whose status is not 200; its `code` says more than the status."""
    if answer.status == 429:
        seconds = parse_retry_after(answer.retry_after, now=dt.datetime.now(dt.UTC))
        return TokenRateLimited(status=answer.status, retry_after_seconds=seconds)
    if not is_json(answer.content_type):
        return TokenGatewayFailed(status=answer.status)
    if answer.status >= 500:
        return TokenServerFailed(status=answer.status)
    payload = decode_json(answer.body)
    code = payload.get("code") if isinstance(payload, dict) else None
    kind = CODES.get(code) if isinstance(code, int) else None
    if kind is None:
        kind = CredentialsRefused if answer.status == 401 else TokenRequestRefused
    return kind(status=answer.status)


def parse_token(answer: Answer, *, now: float) -> Token:
    """Return the token of `{"access_token", "expires_at"}` or `{"tok", "exp"}`, milliseconds or seconds.

    Raises: TokenMalformed, TokenGatewayFailed for a page with status 200
    """
    payload = decode_json(answer.body)
    if not isinstance(payload, dict):
        raise (TokenMalformed if is_json(answer.content_type) else TokenGatewayFailed)(status=answer.status)
    value = payload.get("access_token", payload.get("tok"))
    moment = payload.get("expires_at", payload.get("exp"))
    if not is_token(value):
        raise TokenMalformed(status=answer.status)
    if type(moment) is not int or moment <= 0:
        raise TokenMalformed(status=answer.status)
    lifetime = (moment / 1000 if moment >= FIRST_MILLISECOND_VALUE else float(moment)) - now
    lifetime = min(max(lifetime, MIN_LIFETIME_SECONDS), MAX_LIFETIME_SECONDS)
    return Token(value=value, issued_at=now, expires_at=now + lifetime)


def is_token(value: object) -> TypeGuard[str]:
    """Whether it can stand in a header line; anything that could break out of one is no token."""
    return isinstance(value, str) and bool(value) and value.isascii() and value.isprintable() and " " not in value

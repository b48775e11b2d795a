"""The token listener: `POST /api/v2/oauth`."""

import asyncio
from collections import deque
from collections.abc import Callable

from aiohttp import web

from chat.gigachat.sandbox.encoding import encode_json
from chat.gigachat.sandbox.errors import OAuthError, build_gateway_page, build_oauth_error
from chat.gigachat.sandbox.faults import HEADER, FaultError, Faults
from chat.gigachat.sandbox.gate import drop_connection
from chat.gigachat.sandbox.settings import Account
from chat.gigachat.sandbox.state import STATE, SandboxState, decode_pair, is_uuid4
from chat.gigachat.sandbox.tokens import IssuedToken

PATH = "/api/v2/oauth"
_REQUESTS_PER_SECOND = 10
_SCOPES = {f"GIGACHAT_API_{account.value.upper()}" for account in Account}
# Recorded on 21 January 2026, the doubled ones included.
_RECORDED_HEADERS = (
    ("Server", "SynGX"),
    ("Allow", "GET, POST"),
    ("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate"),
    ("Pragma", "no-cache"),
    ("Expires", "0"),
    ("Vary", "Origin"),
    ("Vary", "Access-Control-Request-Method"),
    ("Vary", "Access-Control-Request-Headers"),
    ("Strict-Transport-Security", "max-age=31536000 ; includeSubDomains"),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("X-XSS-Protection", "1; mode=block"),
    ("X-XSS-Protection", "1; mode=block"),
)


class RateLimit:
    """At most ten requests in any second."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._moments: deque[float] = deque(maxlen=_REQUESTS_PER_SECOND)

    def count_request(self) -> None:
        """Raises: OAuthError 429"""
        now = self._clock()
        if len(self._moments) == _REQUESTS_PER_SECOND and now - self._moments[0] < 1.0:
            raise OAuthError(429, 429, "Too many requests")
        self._moments.append(now)


LIMIT: web.AppKey[RateLimit] = web.AppKey("oauth_limit", RateLimit)


async def issue_token(request: web.Request) -> web.StreamResponse:
    """Exchange the authorization key for a token. The error texts and codes are the documented ones."""
    state = request.app[STATE]
    state.stats.oauth_calls += 1
    if state.is_refusing_oauth:
        drop_connection(request)
        return web.Response()
    try:
        faults = _take_faults(request, state)
        refusal = await _apply_faults(request, faults)
        if refusal is not None:
            return refusal
        request.app[LIMIT].count_request()
        check_request_id(request)
        client_id = check_credentials(request, state)
        form = await request.post()
        check_scope(str(form.get("scope", "")).strip(), state)
    except OAuthError as error:
        return build_oauth_error(error)
    state.stats.oauth_tokens += 1
    return _build_answer(state.tokens.issue(client_id), faults)


def check_request_id(request: web.Request) -> None:
    """Raises: OAuthError 400"""
    if not is_uuid4(request.headers.get("RqUID", "")):
        raise OAuthError(400, 400, "RqUID header is missing or invalid")


def check_credentials(request: web.Request, state: SandboxState) -> str:
    """Return the client id.

    Raises: OAuthError 400 (code 4) for a header that does not decode, 401 (code 6) for an unknown pair
    """
    kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
    pair = decode_pair(encoded)
    if kind != "Basic" or pair is None:
        raise OAuthError(400, 4, "Can't decode 'Authorization' header")
    if pair != decode_pair(state.credentials):
        raise OAuthError(401, 6, "credentials doesn't match db data")
    return pair[0]


def check_scope(scope: str, state: SandboxState) -> None:
    """Raises: OAuthError 400: code 5 no scope, 1 unknown word, 7 another contract's scope"""
    if not scope:
        raise OAuthError(400, 5, "scope is empty")
    if scope not in _SCOPES:
        raise OAuthError(400, 1, "scope data format invalid")
    if scope != state.settings.scope:
        raise OAuthError(400, 7, "scope from db not fully includes consumed scope")


def _take_faults(request: web.Request, state: SandboxState) -> Faults:
    if not state.settings.has_fault_switches:
        return Faults()
    try:
        return state.faults.take("/oauth", request.headers.get(HEADER))
    except FaultError as error:
        raise OAuthError(400, 400, str(error)) from error


async def _apply_faults(request: web.Request, faults: Faults) -> web.StreamResponse | None:
    """Raises: OAuthError"""
    if not faults:
        return None
    await asyncio.sleep(faults.get("oauth_slow") or 0)
    if "oauth_401" in faults:
        raise OAuthError(401, 6, "credentials doesn't match db data")
    if "oauth_429" in faults:
        response = build_oauth_error(OAuthError(429, 429, "Too many requests"))
        if faults.get("oauth_429"):
            response.headers["Retry-After"] = f"{faults.get('oauth_429'):g}"
        return response
    for name, status in (("oauth_500", 500), ("oauth_html", 502), ("oauth_html_200", 200)):
        if name in faults:
            page = build_gateway_page()
            page.set_status(status)
            return page
    if "oauth_reset" in faults:
        drop_connection(request)
        return web.Response()
    return None


def _build_answer(issued: IssuedToken, faults: Faults) -> web.Response:
    """`expires_at` is Unix milliseconds; the faults shift it or turn it into seconds."""
    expires_at = issued.expires_at + (faults.get("clock_skew") or 0)
    value = int(expires_at) if "expires_in_seconds" in faults else int(expires_at * 1000)
    body = encode_json({"access_token": issued.token, "expires_at": value})
    return web.Response(body=body, headers={"Content-Type": "application/json"})


async def add_recorded_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler. The doubled headers are as recorded."""
    for name in {name for name, _ in _RECORDED_HEADERS}:
        response.headers.popall(name, None)
    for name, value in _RECORDED_HEADERS:
        response.headers.add(name, value)

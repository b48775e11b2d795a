"""What every API request passes before its endpoint: switches, `User-Agent`, token, ids; and the recorded headers."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable

from aiohttp import web

from chat.gigachat.sandbox.admin import ADMIN_PREFIX
from chat.gigachat.sandbox.errors import ApiError, build_api_error, build_edge_refusal, build_gateway_page
from chat.gigachat.sandbox.faults import HEADER, FaultError, Faults
from chat.gigachat.sandbox.settings import Contour
from chat.gigachat.sandbox.state import CALLER, STATE, Caller, SandboxState

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Recorded from the public host on 21 January 2026.
_RECORDED_HEADERS = {
    "Server": "SynGX",
    "Allow": "GET, POST",
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Request-ID, X-Session-ID",
    "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
    "Access-Control-Allow-Origin": "https://beta.saluteai.sberdevices.ru",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "X-XSS-Protection": "1; mode=block",
}
_STATUS_FAULTS = {
    "401": "Token has expired",
    "402": "Payment Required",
    "413": "Payload too large",
    "429": "Too many requests",
    "500": "Internal Server Error",
    "503": "Service Unavailable",
}


def drop_connection(request: web.Request) -> None:
    """Close the socket under the TLS session: no alert, no end of the body."""
    if request.transport is not None:
        request.transport.abort()


@web.middleware
async def guard_api(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer refusals in the service's own envelopes; the sandbox's admin routes are not guarded."""
    state = request.app[STATE]
    if request.path.startswith(ADMIN_PREFIX):
        return await handler(request)
    if state.is_refusing_api:
        drop_connection(request)
        return web.Response()
    try:
        return await _admit(request, handler)
    except ApiError as error:
        return build_api_error(error)
    except web.HTTPException as error:
        return build_api_error(ApiError(error.status, error.reason))


async def _admit(request: web.Request, handler: Handler) -> web.StreamResponse:
    state = request.app[STATE]
    path = request.path.removeprefix(state.settings.path_prefix)
    state.stats.requests[f"{request.method} {path}"] += 1
    if not request.headers.get("User-Agent"):
        return build_edge_refusal()
    client_id = find_client_id(request, state)
    faults = take_faults(request, state, path)
    request[CALLER] = _describe_caller(request, client_id, faults)
    refusal = await apply_request_faults(request, faults)
    return refusal or await handler(request)


def find_client_id(request: web.Request, state: SandboxState) -> str:
    """Return whose request it is, by token or, on the bank-internal contour, by client certificate.

    Raises: ApiError 401
    """
    if state.settings.contour is Contour.B2BANK:
        return "b2bank"
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind != "Bearer" or not token:
        raise ApiError(401, "Unauthorized")
    return state.tokens.get_client_id(token)


def take_faults(request: web.Request, state: SandboxState, path: str) -> Faults:
    """Raises: ApiError 400 for a switch that does not exist"""
    if not state.settings.has_fault_switches:
        return Faults()
    try:
        return state.faults.take(path, request.headers.get(HEADER))
    except FaultError as error:
        raise ApiError(400, str(error)) from error


async def apply_request_faults(request: web.Request, faults: Faults) -> web.StreamResponse | None:
    """Return the answer the switches demand instead of the real one, if any.

    Raises: ApiError
    """
    if not faults:
        return None
    seconds = faults.get("slow_first_byte")
    if seconds is not None and not request.path.endswith("/chat/completions"):
        # A completion waits inside its slot instead, as a slow model does.
        await asyncio.sleep(seconds)
    if "reset" in faults:
        drop_connection(request)
        return web.Response()
    if "502" in faults:
        return build_gateway_page()
    if "html_200" in faults:
        page = build_gateway_page()
        page.set_status(200)
        return page
    for name, message in _STATUS_FAULTS.items():
        if name in faults:
            raise ApiError(int(name), message, retry_after_seconds=faults.get(name) or None)
    return None


def _describe_caller(request: web.Request, client_id: str, faults: Faults) -> Caller:
    session_id = request.headers.get("X-Session-ID", "")
    return Caller(
        client_id=client_id,
        owner=request.headers.get("X-Client-ID", ""),
        request_id=request.headers.get("X-Request-ID") or str(uuid.uuid4()),
        session_id=session_id or str(uuid.uuid4()),
        has_session=bool(session_id),
        faults=faults,
    )


async def add_recorded_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: runs for plain and streamed answers alike, just before the headers leave."""
    response.headers.update(_RECORDED_HEADERS)
    caller = request.get(CALLER)
    if caller is not None:
        response.headers["X-Request-Id"] = caller.request_id
        response.headers["X-Session-Id"] = caller.session_id

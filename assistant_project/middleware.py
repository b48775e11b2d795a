"""What surrounds every HTTP request: its id, one access line without query strings, and static files."""

import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast
from uuid import uuid4

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from typing_extensions import override
from whitenoise.middleware import WhiteNoiseMiddleware

from audit.log_context import bind

logger = logging.getLogger(__name__)

REQUEST_ID_HEADER = "X-Request-ID"
# What a proxy in front may hand us: nothing that could break a log line or hide personal data.
SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
PROBES = frozenset({"/livez", "/readyz"})

View = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class RequestIdMiddleware:
    """Binds a request id for every log line and audit entry of the request, and answers with it.

    Must be the first middleware. It runs under both kinds of handler: asynchronous in the product, synchronous in
    Django's test client.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._answer(request)
        request_id, started = choose_request_id(request), time.monotonic()
        with bind(request_id=request_id):
            response = cast("HttpResponseBase", self.get_response(request))
            return finish(request, response, request_id=request_id, started=started)

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        request_id, started = choose_request_id(request), time.monotonic()
        with bind(request_id=request_id):
            response = await cast("Awaitable[HttpResponseBase]", self.get_response(request))
            return finish(request, response, request_id=request_id, started=started)


def choose_request_id(request: HttpRequest) -> str:
    """Return the caller's id when it is sane, else a new one."""
    given = request.headers.get(REQUEST_ID_HEADER, "")
    return given if SANE_REQUEST_ID.fullmatch(given) else str(uuid4())


def finish(request: HttpRequest, response: HttpResponseBase, *, request_id: str, started: float) -> HttpResponseBase:
    """Answer with the id and write the access line; probes come every second and are only worth a debug line."""
    response.headers[REQUEST_ID_HEADER] = request_id
    logger.log(
        logging.DEBUG if request.path in PROBES else logging.INFO,
        "http request",
        extra={
            "method": request.method,
            "path": request.path,  # never the query: it may carry anything
            "status": response.status_code,
            "duration_ms": round((time.monotonic() - started) * 1000, 1),
        },
    )
    return response


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # whitenoise ships no types
    """Answers with static files as a whole: they are small, and in memory for a moment.

    Whitenoise's own answer streams by a synchronous iterator. Under ASGI Django collects that first, too, and warns of
    it at every file.
    """

    @staticmethod
    @override
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file:
                content = found.file.read()
        response = HttpResponse(content, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response

"""How much of a request's body is read, decided before Django reads any of it.

Django takes every body whole before it looks at the path, and this project keeps bodies in memory, so the bound stands
here: by `Content-Length` where there is one, while reading otherwise. Only a customer may send something large.
"""

import logging
from collections.abc import Mapping
from uuid import uuid4

import orjson
from django.conf import settings

from accounts.api import problems
from accounts.api.errors import build_body, build_headers
from accounts.api.problems import ApiError
from accounts.errors import TokenInvalid
from accounts.tokens import verify_access_token
from assistant_project.middleware import REQUEST_ID_HEADER
from assistant_project.servers.lifespan import Application, Message, Receive, Scope, Send
from audit.log_context import bind
from chat.api.uploads import MAX_BODY_BYTES
from chat.protocol.frames import MAX_FRAME_BYTES

logger = logging.getLogger(__name__)

API_PATH = "/api/"
FILES_PATH = "/api/v1/files"
# Forms of the staff site; Django's own bound of what is no file.
PAGE_BYTES = 2_621_440
RETRY_SECONDS = 2
EMPTY_BODY: Message = {"type": "http.request", "body": b"", "more_body": False}


class BodyTooBig(Exception):
    """The body went over its limit while it was read."""


class BodyGuard:
    """Wraps the application that answers HTTP; one per process, which bounds uploads at the same time.

    A request over a limit is answered with the API's own error and its connection closed, unread.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._uploads = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.lower(): value for name, value in scope["headers"]}
        if scope["path"] != FILES_PATH or scope["method"] != "POST":
            limit = MAX_FRAME_BYTES if scope["path"].startswith(API_PATH) else PAGE_BYTES
            await self._pass(scope, receive, send, headers=headers, limit=limit)
        elif not is_customer(headers):
            # The view refuses strangers; nothing of what they send is read.
            await self._application(scope, EmptyBody(receive), send)
        elif self._uploads >= settings.FILE_UPLOADS:
            await refuse(send, ApiError(problems.OVERLOADED, retry_after_seconds=RETRY_SECONDS))
        else:
            self._uploads += 1
            try:
                await self._pass(scope, receive, send, headers=headers, limit=MAX_BODY_BYTES)
            finally:
                self._uploads -= 1

    async def _pass(
        self, scope: Scope, receive: Receive, send: Send, *, headers: Mapping[bytes, bytes], limit: int
    ) -> None:
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared[:20]) > limit:
            await refuse(send, ApiError(problems.TOO_BIG))
            return
        try:
            await self._application(scope, BoundedBody(receive, limit), send)
        except BodyTooBig:
            await refuse(send, ApiError(problems.TOO_BIG))


class BoundedBody:
    """Receives at most `limit` bytes of body. Raises: BodyTooBig"""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise BodyTooBig
        return message


class EmptyBody:
    """Pretends that the request has no body; what comes after it, the client's leaving, is passed on."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._is_told = False

    async def __call__(self) -> Message:
        if not self._is_told:
            self._is_told = True
            return EMPTY_BODY
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                return message


def is_customer(headers: Mapping[bytes, bytes]) -> bool:
    """Return whether the request carries a token of ours; whether its session lives, the view asks the database."""
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer":
        return False
    try:
        verify_access_token(token.strip())
    except TokenInvalid:
        return False
    return True


async def refuse(send: Send, failure: ApiError) -> None:
    """Answer without reading on; the connection cannot be used again."""
    request_id = str(uuid4())
    with bind(request_id=request_id):
        body = orjson.dumps(build_body(failure))
        logger.warning("request refused unread", extra={"status": failure.problem.status})
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        REQUEST_ID_HEADER: request_id,
        **build_headers(failure),
    }
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": failure.problem.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})

"""Bodies are bounded before Django reads them, on both servers, and only customers may send large ones."""

import asyncio
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from daphne.http_protocol import HTTPFactory
from django.utils import timezone
from pytest_django import Settings
from twisted.web.test.requesthelper import DummyChannel
from typing_extensions import override

from accounts.tokens import issue_access_token
from assistant_project.servers.bodies import PAGE_BYTES, BodyGuard
from assistant_project.servers.daphne_bodies import MemoryRequest, keep_bodies_in_memory
from assistant_project.servers.limits import BODY_BYTES
from chat.api.uploads import MAX_BODY_BYTES
from chat.protocol.frames import MAX_FRAME_BYTES
from tests.factories.accounts import make_customer, make_session

FILES = "/api/v1/files"


class Reader:
    """An application that reads the whole body, then answers 200, and remembers how much it was."""

    def __init__(self) -> None:
        self.read_bytes = -1
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Event()
        self.last: Any = None

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        self.entered.set()
        size = 0
        while True:
            message = await receive()
            size += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        self.read_bytes = size
        if self.gate is not None:
            await self.gate.wait()
        self.last = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"read"})


class Exchange:
    """One request through the guard: what was asked of the client's body, and what it was answered."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.asked = 0
        self.sent: list[Any] = []

    async def receive(self) -> Any:
        self.asked += 1
        chunk = next(self._chunks, None)
        if chunk is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def error(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.sent[1]["body"])
        return body


def build_scope(path: str, *, method: str = "POST", length: int | str | None = None, bearer: str = "") -> Any:
    headers = [(b"Content-Length", str(length).encode())] if length is not None else []
    headers += [(b"authorization", bearer.encode())] if bearer else []
    return {"type": "http", "path": path, "method": method, "headers": headers}


async def exchange(guard: BodyGuard, scope: Any, *chunks: bytes) -> Exchange:
    made = Exchange(iter(chunks))
    await guard(scope, made.receive, made.send)
    return made


@pytest.fixture
def bearer(db: None) -> str:
    return f"Bearer {issue_access_token(make_session(make_customer()), timezone.now()).token}"


def test_both_servers_know_the_largest_body() -> None:
    assert BODY_BYTES == MAX_BODY_BYTES


@pytest.mark.parametrize(("path", "limit"), [("/api/v1/auth/login", MAX_FRAME_BYTES), ("/admin/login/", PAGE_BYTES)])
async def test_guard_refuses_a_declared_length_unread(path: str, limit: int) -> None:
    application = Reader()

    made = await exchange(BodyGuard(application), build_scope(path, length=limit + 1), b"x")

    assert (made.status, made.error["code"], made.asked) == (413, "limit.size", 0)
    assert made.headers["connection"] == "close"
    assert made.headers["x-request-id"] == made.error["trace"]
    assert made.headers["cache-control"] == "no-store"
    assert not application.entered.is_set()


@pytest.mark.parametrize("length", ["-1", "many", "1e3", "9" * 400])
async def test_guard_refuses_a_length_that_is_no_small_number(length: str) -> None:
    made = await exchange(BodyGuard(Reader()), build_scope("/api/v1/auth/login", length=length), b"x")

    assert made.status == 413


@pytest.mark.parametrize("path", ["/api/v1/auth/login", FILES])
async def test_guard_passes_a_body_of_exactly_the_limit(bearer: str, path: str) -> None:
    limit = MAX_BODY_BYTES if path == FILES else MAX_FRAME_BYTES
    application = Reader()

    made = await exchange(BodyGuard(application), build_scope(path, length=limit, bearer=bearer), bytes(limit))

    assert (made.status, application.read_bytes) == (200, limit)


async def test_guard_stops_reading_a_body_that_does_not_say_its_length(bearer: str) -> None:
    chunks = [bytes(1024 * 1024)] * 60

    made = await exchange(BodyGuard(Reader()), build_scope(FILES, bearer=bearer), *chunks)

    assert (made.status, made.error["code"]) == (413, "limit.size")
    assert made.asked == 41


async def test_guard_stops_reading_a_body_that_is_longer_than_it_said(bearer: str) -> None:
    made = await exchange(BodyGuard(Reader()), build_scope("/api/v1/me", length=2), bytes(70_000), b"x")

    assert made.status == 413


@pytest.mark.parametrize("token", ["", "Bearer nonsense", "Basic YTpi", "Bearer"])
async def test_guard_reads_nothing_of_a_strangers_file(token: str) -> None:
    application = Reader()

    made = await exchange(BodyGuard(application), build_scope(FILES, length=10**7, bearer=token), bytes(100), b"x")

    assert (made.status, application.read_bytes) == (200, 0)
    assert application.last == {"type": "http.disconnect"}


async def test_guard_refuses_more_uploads_at_once_than_set_and_counts_those_that_end(
    bearer: str, settings: Settings
) -> None:
    settings.FILE_UPLOADS = 1
    application = Reader()
    application.gate = asyncio.Event()
    guard = BodyGuard(application)
    scope = build_scope(FILES, length=1, bearer=bearer)
    first = asyncio.create_task(exchange(guard, scope, b"x"))
    await asyncio.wait_for(application.entered.wait(), 5)

    second = await exchange(guard, scope, b"x")

    assert (second.status, second.error["code"], second.error["retryable"]) == (503, "server.overloaded", True)
    assert second.headers["retry-after"] == "2"
    application.gate.set()
    assert (await asyncio.wait_for(first, 5)).status == 200
    assert (await exchange(guard, scope, b"x")).status == 200


async def test_guard_counts_an_upload_that_fails(bearer: str, settings: Settings) -> None:
    settings.FILE_UPLOADS = 1

    async def fail(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ConnectionError

    guard = BodyGuard(fail)
    scope = build_scope(FILES, length=1, bearer=bearer)
    for _ in range(3):
        with pytest.raises(ConnectionError):
            await exchange(guard, scope, b"x")


class Server:
    """As much of Daphne's server as a request announces itself to."""

    def protocol_connected(self, protocol: Any) -> None:
        self.protocol = protocol


def test_daphne_keeps_bodies_in_memory_and_no_more_than_the_limit() -> None:
    make_channel: Any = DummyChannel
    channel = make_channel()
    channel.factory = HTTPFactory(server=Server())
    made = MemoryRequest(channel=channel)
    made.gotLength(10**12)

    assert isinstance(made.content, io.BytesIO)
    for _ in range(42):
        made.handleContentChunk(bytes(1024 * 1024))

    assert made.content.tell() == BODY_BYTES + 1


def test_daphne_leaves_forms_alone() -> None:
    make_channel: Any = DummyChannel
    channel = make_channel()
    channel.factory = HTTPFactory(server=Server())
    made = ProcessedRequest(channel=channel)
    made.gotLength(9)
    made.handleContentChunk(b"no form at all")
    made.requestHeaders.addRawHeader("content-type", "multipart/form-data; boundary=x")

    made.requestReceived(b"POST", b"/api/v1/files?a=b", b"HTTP/1.1")

    assert (made.method, made.uri, made.path, made.args) == (b"POST", b"/api/v1/files?a=b", b"/api/v1/files", {})
    assert (made.clientproto, made.content.read()) == (b"HTTP/1.1", b"no form at all")
    assert made.is_processed


class ProcessedRequest(MemoryRequest):
    """Goes no further than to Daphne's own work."""

    is_processed = False

    @override
    def process(self) -> None:
        self.is_processed = True


def test_daphne_makes_such_requests_for_every_connection() -> None:
    factory = HTTPFactory(server=None)

    keep_bodies_in_memory(factory)

    assert factory.buildProtocol(None).requestFactory is MemoryRequest

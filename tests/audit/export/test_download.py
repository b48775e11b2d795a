"""Through ASGI: the first byte comes before the last row is read, and a reader who leaves is recorded."""

import asyncio
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from django.core.asgi import get_asgi_application
from pytest_django import Settings

from audit.export.download import build_download, end_export
from audit.export.filters import EntryFilter
from audit.export.formats import ExportFormat
from audit.export.job import open_export
from audit.models import AuditEntry
from chat.database import run_in_database
from tests.factories.audit import SYSTEM, fill_entries, make_role, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/admin/audit/auditentry/export/"
CSRF = "x" * 32


@pytest.fixture
def cookie(settings: Settings) -> str:
    """The Cookie header of a signed-in auditor's browser."""
    settings.STAFF_OTP_REQUIRED = False
    client = sign_in(make_role("auditor"))
    return f"sessionid={client.cookies['sessionid'].value}; csrftoken={CSRF}"


@dataclass
class Reader:
    """The ASGI ends of one request; one who is not `is_quick` takes one piece and waits until `leave` is set."""

    form: bytes
    is_quick: bool
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)
    first_piece: asyncio.Event = field(default_factory=asyncio.Event)
    leave: asyncio.Event = field(default_factory=asyncio.Event)
    is_form_sent: bool = False

    async def receive(self) -> dict[str, Any]:
        if not self.is_form_sent:
            self.is_form_sent = True
            return {"type": "http.request", "body": self.form, "more_body": False}
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
            return
        self.pieces.append(message.get("body", b""))
        self.first_piece.set()
        if not self.is_quick:
            await self.leave.wait()


async def request_export(cookie: str, reader: Reader) -> None:
    """Post the export form through the project's ASGI handler."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": URL,
        "raw_path": URL.encode(),
        "query_string": b"",
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "headers": [
            (b"host", b"localhost"),
            (b"cookie", cookie.encode()),
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"content-length", str(len(reader.form)).encode()),
        ],
    }
    await get_asgi_application()(scope, reader.receive, reader.send)


def list_stages() -> list[tuple[str, str, int | None]]:
    found = AuditEntry.objects.filter(action="audit.exported").order_by("occurred_at", "id")
    details = [orjson.loads(bytes(row.body))["details"] for row in found]
    return [(row.outcome, item["stage"], item.get("rows")) for row, item in zip(found, details, strict=True)]


async def read_last_stage() -> tuple[str, str, int | None]:
    """Return the entry that ends the export, asking again until its thread has written it; at most 5 s."""
    async with asyncio.timeout(5):
        while len(stages := await run_in_database(list_stages)) < 2:  # noqa: ASYNC110 - another thread writes it
            await asyncio.sleep(0.01)
    return stages[-1]


async def test_download_streams_the_whole_export_and_records_its_end(cookie: str) -> None:
    await run_in_database(fill_entries, 3000)
    reader = Reader(b"csrfmiddlewaretoken=%b&format=jsonl&action=turn.finished" % CSRF.encode(), is_quick=True)

    await asyncio.wait_for(request_export(cookie, reader), 10)

    assert reader.status == 200
    assert reader.headers["content-type"] == "application/x-ndjson"
    assert reader.headers["content-disposition"].startswith('attachment; filename="audit-20')
    assert "no-store" in reader.headers["cache-control"]
    assert len(b"".join(reader.pieces).splitlines()) == 1000
    assert await read_last_stage() == ("ok", "finished", 1000)


async def test_download_waits_for_a_slow_reader_and_records_that_it_left(cookie: str) -> None:
    await run_in_database(fill_entries, 6000)
    reader = Reader(b"csrfmiddlewaretoken=%b&format=csv" % CSRF.encode(), is_quick=False)

    request = asyncio.create_task(request_export(cookie, reader))
    await asyncio.wait_for(reader.first_piece.wait(), 5)

    assert (await run_in_database(list_stages)) == [("ok", "started", None)]
    assert len(reader.pieces) == 1
    reader.leave.set()
    await asyncio.wait_for(request, 5)
    outcome, stage, rows = await read_last_stage()
    assert (outcome, stage) == ("failed", "aborted")
    assert rows is not None
    assert 0 < rows < 6000


async def test_download_is_read_away_from_the_event_loop() -> None:
    """While a piece is read from the database the loop serves others: its own ticks go on."""
    await run_in_database(fill_entries, 6000)
    open_it: Callable[[], Any] = lambda: open_export(SYSTEM, EntryFilter(), kind=ExportFormat.CSV)  # noqa: E731
    response = build_download(await run_in_database(open_it))
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticker = asyncio.create_task(tick())
    ticks_per_piece = []
    async for _ in response:
        ticks_per_piece.append(ticks)
        ticks = 0
    ticker.cancel()

    assert min(ticks_per_piece[:-1]) > 1
    assert (await read_last_stage())[1] == "finished"


def test_end_that_cannot_be_recorded_is_logged_and_stops_there(caplog: pytest.LogCaptureFixture) -> None:
    def break_at_the_end() -> Generator[bytes, None, None]:
        try:
            yield b"piece"
        finally:
            raise ConnectionError

    chunks = break_at_the_end()
    next(chunks)

    end_export(chunks)

    assert [record.message for record in caplog.records] == ["the end of an export could not be recorded"]

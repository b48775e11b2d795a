"""One answer as its reader sees it; made by the client only."""

import asyncio
import contextlib
from typing import Self

import aiohttp

from chat.gigachat.answers import AnswerReader
from chat.gigachat.call_record import CallRecord
from chat.gigachat.errors import EventTooLarge, GigaChatError
from chat.gigachat.read_clock import ReadClock
from chat.gigachat.transport import to_stream_error
from chat.gigachat.types import Finished, StreamPart

# To keep a connection, and with it the TLS handshake, a little may still be read after the useful part.
DRAIN_SECONDS = 1.0
DRAIN_BYTES = 64 * 1024
BEGINNING_BYTES = 4 * 1024
MAX_BODY_BYTES = 4 * 1024 * 1024


class CompletionStream:
    """One answer: iterate it for tuples of parts, everything one network read completed; the last part is Finished.

    Iterating to the end gives the connection back to the pool.
    Raises while iterating: AnswerBroken, ReadIdleTimeout, TotalTimeout

    request_id  the provider's id of this call, for support requests; ours when it sent none
    """

    def __init__(
        self, response: aiohttp.ClientResponse, record: CallRecord, *, idle_seconds: float, deadline: float
    ) -> None:
        self._response = response
        self._record = record
        leave_timeouts_to_us(response)
        self._clock = ReadClock(response.content, idle_seconds=idle_seconds, deadline=deadline)
        self._reader = AnswerReader()
        self.request_id = record.provider_request_id or record.request_id

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[StreamPart, ...]:
        while not self._reader.is_finished:
            chunk = await self._read_chunk()
            if parts := self._reader.feed(chunk) if chunk else self._reader.finish():
                self._note_finish(parts[-1])
                return parts
        await drain(self._response)
        raise StopAsyncIteration

    def close(self) -> None:
        """Cut the connection, unless the answer was read completely."""
        self._clock.stop()
        self._response.close()

    async def _read_chunk(self) -> bytes:
        """Return what has arrived; nothing at the end."""
        failure: GigaChatError
        try:
            chunk = await self._clock.read()
        except (aiohttp.ClientError, OSError) as error:
            failure = to_stream_error(error)
        else:
            self._record.note_packet(len(chunk))
            return chunk
        raise failure

    def _note_finish(self, part: StreamPart) -> None:
        if isinstance(part, Finished):
            self._record.outcome = part.reason.value


def leave_timeouts_to_us(response: aiohttp.ClientResponse) -> None:
    """Let aiohttp time this answer no longer; the next request of the connection sets its own times."""
    protocol = response.connection.protocol if response.connection is not None else None
    if protocol is not None:
        protocol.read_timeout = None


async def drain(response: aiohttp.ClientResponse) -> bytes:
    """Read the little that is left, to give the connection back to the pool; cut it when that takes long or fails.

    Return the beginning of it.
    """
    beginning = b""
    remaining = DRAIN_BYTES
    try:
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while remaining > 0 and (chunk := await response.content.readany()):
                    remaining -= len(chunk)
                    beginning += chunk[: BEGINNING_BYTES - len(beginning)]
    finally:
        response.close()
    return beginning


async def read_body(response: aiohttp.ClientResponse, record: CallRecord, *, deadline: float) -> bytes:
    """Return the whole body of an answer that is not streamed; `deadline` by the loop's clock.

    Raises: StreamBroken, ReadIdleTimeout, TotalTimeout, EventTooLarge
    """
    failure: GigaChatError
    body = bytearray()
    try:
        async with asyncio.timeout_at(deadline):
            while len(body) <= MAX_BODY_BYTES:
                chunk = await response.content.readany()
                record.note_packet(len(chunk))
                if not chunk:
                    return bytes(body)
                body += chunk
        failure = EventTooLarge()
    except (aiohttp.ClientError, OSError) as error:
        failure = to_stream_error(error)
    raise failure

"""One timer for a stream: silence, the end of all time, and a reader that is itself held up."""

import asyncio

import aiohttp
import pytest
from aiohttp.base_protocol import BaseProtocol

from chat.gigachat.read_clock import ReadClock

IDLE_SECONDS = 0.05
NEVER_SECONDS = 60.0
PATIENCE_SECONDS = 5


def make_content() -> aiohttp.StreamReader:
    loop = asyncio.get_running_loop()
    protocol = BaseProtocol(loop)
    protocol.connection_made(asyncio.Transport())
    return aiohttp.StreamReader(protocol, 2**16, loop=loop)


def make_clock(
    content: aiohttp.StreamReader, *, idle_seconds: float = NEVER_SECONDS, total_seconds: float = NEVER_SECONDS
) -> ReadClock:
    deadline = asyncio.get_running_loop().time() + total_seconds
    return ReadClock(content, idle_seconds=idle_seconds, deadline=deadline)


async def read(clock: ReadClock) -> bytes:
    return await asyncio.wait_for(clock.read(), PATIENCE_SECONDS)


async def test_read_returns_what_came_and_nothing_at_the_end() -> None:
    content = make_content()
    clock = make_clock(content)
    content.feed_data(b"piece")

    assert await read(clock) == b"piece"
    content.feed_eof()
    assert await read(clock) == b""
    clock.stop()


async def test_read_of_a_silent_stream_times_out() -> None:
    with pytest.raises(aiohttp.SocketTimeoutError):
        await read(make_clock(make_content(), idle_seconds=IDLE_SECONDS))


async def test_read_past_the_deadline_times_out_though_the_stream_is_not_silent() -> None:
    content = make_content()
    clock = make_clock(content, idle_seconds=IDLE_SECONDS * 2, total_seconds=IDLE_SECONDS * 4)

    async def feed() -> None:
        while content.exception() is None:
            content.feed_data(b".")
            await asyncio.sleep(IDLE_SECONDS / 10)

    async def read_on() -> None:
        while True:
            await read(clock)

    feeding = asyncio.create_task(feed())
    with pytest.raises(TimeoutError) as caught:
        await read_on()
    assert not isinstance(caught.value, aiohttp.SocketTimeoutError)
    await feeding


async def test_time_in_which_nobody_reads_is_no_silence() -> None:
    content = make_content()
    clock = make_clock(content, idle_seconds=IDLE_SECONDS)
    # Longer than the silence allowed; what is waited for here is time itself.
    await asyncio.sleep(IDLE_SECONDS * 3)
    content.feed_data(b"piece")

    assert await read(clock) == b"piece"
    clock.stop()


async def test_stopped_clock_fails_nothing() -> None:
    content = make_content()
    make_clock(content, total_seconds=IDLE_SECONDS).stop()
    await asyncio.sleep(IDLE_SECONDS * 2)

    assert content.exception() is None

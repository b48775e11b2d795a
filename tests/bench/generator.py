"""The upstream of the benchmark: answers like GigaChat over TLS, from bytes made beforehand, faster than its readers.

Raw asyncio: a web framework here would be the bottleneck. Started as a child: `python -m tests.bench.generator DIR`.
What it streams is named by the last message of the prompt: `paced` or `flood`. It writes DIR/generator.json when ready.
"""

import asyncio
import json
import random
import ssl
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, cast

import uvloop
from typing_extensions import override

from tests.bench.marks import PACED_PROMPT, TOKEN, build_stamp

TOKENS_PER_SECOND = 50
# Events to one write when saturated: about one TLS record, 16 KiB.
FLOOD_EVENTS = 64
# No stream outlives a run whose reader was killed.
LONGEST_SECONDS = 120.0
TOKEN_LIFETIME_MS = 1_800_000

EVENT_HEAD = b'data: {"choices":[{"delta":{"content":"'
EVENT_TAIL = b'"},"index":0}],"created":1760000000,"model":"GigaChat-2:2.0.28.02","object":"chat.completion"}\n\n'
LAST_EVENTS = (
    b'data: {"choices":[{"delta":{"content":""},"index":0,"finish_reason":"stop"}],"created":1760000000,'
    b'"model":"GigaChat-2:2.0.28.02","object":"chat.completion",'
    b'"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"precached_prompt_tokens":0}}\n\n'
    b"data: [DONE]\n\n"
)
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"
)
MODELS = {"object": "list", "data": [{"id": "GigaChat-2", "object": "model", "owned_by": "salutedevices"}]}


def encode_chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def encode_token(text: bytes) -> bytes:
    """Return the event of one token as its own HTTP chunk, as a gateway that does not gather sends it."""
    return encode_chunk(EVENT_HEAD + text + EVENT_TAIL)


FLOOD_BLOCK = encode_token(TOKEN) * FLOOD_EVENTS
LAST_CHUNKS = encode_chunk(LAST_EVENTS) + encode_chunk(b"")


class Connection(asyncio.Protocol):
    """One client connection; keeps alive between requests."""

    active = 0

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._received = b""
        self._is_writable = True
        self._streams = False
        self._paces = False
        self._ends_at = 0.0
        self._due = 0.0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one in all but name.
        self._transport = cast("asyncio.Transport", transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end_stream()

    @override
    def pause_writing(self) -> None:
        self._is_writable = False

    @override
    def resume_writing(self) -> None:
        self._is_writable = True
        if self._streams and not self._paces:
            self._loop.call_soon(self._write_block)

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, rest = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        size = read_content_length(head)
        if len(rest) < size:
            return
        self._received = rest[size:]
        self._answer(head, rest[:size])

    def _answer(self, head: bytes, body: bytes) -> None:
        path = head.split(b" ", 2)[1]
        if path.endswith(b"/oauth"):
            expires_at = int(time.time() * 1000) + TOKEN_LIFETIME_MS
            self._send_json({"access_token": "bench-token", "expires_at": expires_at})
        elif path.endswith(b"/models"):
            self._send_json(MODELS)
        elif path == b"/active":
            self._send_json({"active": Connection.active})
        else:
            self._begin_stream(json.loads(body)["messages"][-1]["content"])

    def _send_json(self, content: Any) -> None:
        body = json.dumps(content).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)

    def _begin_stream(self, prompt: str) -> None:
        self._streams = True
        Connection.active += 1
        self._transport.write(STREAM_HEAD)
        self._ends_at = self._loop.time() + LONGEST_SECONDS
        self._paces = prompt == PACED_PROMPT
        if self._paces:
            # Streams of different customers are in no step with each other.
            self._due = self._loop.time() + random.random() / TOKENS_PER_SECOND
            self._loop.call_at(self._due, self._write_token)
        else:
            self._write_block()

    def _write_token(self) -> None:
        if not self._goes_on():
            return
        self._transport.write(encode_token(TOKEN + build_stamp(time.monotonic_ns())))
        # Against the clock, so that a late token does not shift those after it.
        self._due += 1 / TOKENS_PER_SECOND
        self._loop.call_at(self._due, self._write_token)

    def _write_block(self) -> None:
        if self._is_writable and self._goes_on():
            self._transport.write(FLOOD_BLOCK)
            # The others first: streams get the same share.
            self._loop.call_soon(self._write_block)

    def _goes_on(self) -> bool:
        if self._streams and self._loop.time() > self._ends_at:
            self._transport.write(LAST_CHUNKS)
            self._end_stream()
        return self._streams

    def _end_stream(self) -> None:
        if self._streams:
            self._streams = False
            Connection.active -= 1


def read_content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def serve(directory: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "leaf.pem")
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(Connection, loop), "127.0.0.1", 0, ssl=context, backlog=1024)
    ready = directory / "generator.json.new"
    ready.write_text(json.dumps({"port": server.sockets[0].getsockname()[1]}), encoding="utf-8")
    ready.rename(directory / "generator.json")
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))

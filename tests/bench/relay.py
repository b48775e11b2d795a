"""The yardstick: what forwarding costs when nothing else is done. No framework, no database, no log, no checks.

One socket, one upstream stream; the JSON of each event goes on as one text frame, unread. Started as a child:
`python -m tests.bench.relay DIR`; a client asks with `GET /paced` or `GET /flood`. It writes DIR/relay.json when ready.
"""

import asyncio
import json
import re
import ssl
import sys
from functools import partial
from pathlib import Path
from typing import cast

import uvloop
from typing_extensions import override

from tests.bench.frames import TEXT, build_accept, encode_header

KEY = re.compile(rb"(?i)sec-websocket-key: *([^\r]+)\r\n")
DATA = b"data: "
DONE = b"[DONE]"


class Upstream(asyncio.Protocol):
    """Reads the stream and writes frames to the phone's transport."""

    def __init__(self, prompt: str, phone: asyncio.Transport) -> None:
        body = json.dumps({"model": "GigaChat-2", "stream": True, "messages": [{"role": "user", "content": prompt}]})
        self._request = (
            "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer bench-token\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
        self._phone = phone
        self._rest = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._request)

    @override
    def data_received(self, data: bytes) -> None:
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for event in events:
            # What stands before it is HTTP: the head of the answer, or of a chunk.
            payload = event[event.find(DATA) + len(DATA) :]
            if payload != DONE:
                self._phone.write(encode_header(TEXT, len(payload)) + payload)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._phone.close()


class Phone(asyncio.Protocol):
    """One socket; everything it sends after the upgrade is ignored."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, port: int, context: ssl.SSLContext) -> None:
        self._loop = loop
        self._port = port
        self._context = context
        self._upstream: Upstream | None = None
        self._request = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one in all but name.
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        if self._upstream is not None:
            return
        self._request += data
        key = KEY.search(self._request)
        if key is None or not self._request.endswith(b"\r\n\r\n"):
            return
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n" % build_accept(key.group(1))
        )
        prompt = self._request.split(b" ", 2)[1].removeprefix(b"/").decode()
        self._upstream = Upstream(prompt, self._transport)
        self._task = self._loop.create_task(self._connect(self._upstream))

    async def _connect(self, upstream: Upstream) -> None:
        await self._loop.create_connection(lambda: upstream, "127.0.0.1", self._port, ssl=self._context)
        if self._transport.is_closing():
            upstream.transport.abort()

    @override
    def pause_writing(self) -> None:
        assert self._upstream is not None
        self._upstream.transport.pause_reading()

    @override
    def resume_writing(self) -> None:
        assert self._upstream is not None
        self._upstream.transport.resume_reading()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._upstream is not None and hasattr(self._upstream, "transport"):
            self._upstream.transport.abort()


async def serve(directory: Path) -> None:
    context = ssl.create_default_context(cafile=str(directory / "ca.pem"))
    upstream_port: int = json.loads((directory / "generator.json").read_text(encoding="utf-8"))["port"]
    loop = asyncio.get_running_loop()
    make_phone = partial(Phone, loop, port=upstream_port, context=context)
    server = await loop.create_server(make_phone, "127.0.0.1", 0, backlog=1024)
    ready = directory / "relay.json.new"
    ready.write_text(json.dumps({"port": server.sockets[0].getsockname()[1]}), encoding="utf-8")
    ready.rename(directory / "relay.json")
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))

"""The load's ends of the sockets: a reader of the relay, and a phone that keeps the rules of `asst.v1`."""

import asyncio
import json
import re
import time
from base64 import b64encode
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any, Self
from uuid import uuid4

from typing_extensions import override

from tests.bench.frames import CLOSE, PING, PONG, TEXT, FrameReader, encode_client_frame
from tests.bench.tally import Tally

PATIENCE_SECONDS = 30.0
ACK_BYTES = 32 * 1024
ACK_SECONDS = 1.0
DELTA_START = b'{"t":"text.delta"'
SEQ = re.compile(rb'"s":(\d+)')
HEAD_BYTES = 160


class SocketClosedError(Exception):
    """The server closed a socket that should have stayed, or refused it."""


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in customer with one conversation; see `tests.bench.people`."""

    token: str = field(repr=False)
    device_id: str
    conversation_id: str
    epoch: str


class Socket(asyncio.Protocol):
    """One WebSocket connection to 127.0.0.1; children say what a text frame means."""

    def __init__(self) -> None:
        self._frames = FrameReader()
        self._head: bytes | None = b""
        self._upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_closed = False

    async def open(self, port: int, path: str, *headers: str) -> Self:
        """Connect and upgrade. Raises: SocketClosedError"""
        loop = asyncio.get_running_loop()
        key = b64encode(token_bytes(16)).decode()
        lines = (
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            *headers,
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            self.transport, _protocol = await loop.create_connection(lambda: self, "127.0.0.1", port)
            self.transport.write("\r\n".join((*lines, "", "")).encode())
            await self._upgraded
        return self

    def send(self, kind: int, payload: bytes) -> None:
        self.transport.write(encode_client_frame(kind, payload))

    def leave(self) -> None:
        self.is_closed = True
        self.transport.abort()

    @override
    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += data
            head, separator, data = self._head.partition(b"\r\n\r\n")
            if not separator:
                return
            self._head = None
            if not head.startswith(b"HTTP/1.1 101"):
                self._upgraded.set_exception(SocketClosedError(head.split(b"\r\n")[0].decode()))
                return
            self._upgraded.set_result(None)
        for kind, payload in self._frames.feed(data):
            if kind == TEXT:
                self.take_text(payload)
            elif kind == PING:
                self.send(PONG, payload)
            elif kind == CLOSE:
                self.is_closed = True

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        if not self._upgraded.done():
            self._upgraded.set_exception(SocketClosedError("refused"))

    def take_text(self, payload: bytes) -> None:
        raise NotImplementedError


class RelayReader(Socket):
    """Counts what the relay forwards."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self._tally = tally
        self.first_token: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @override
    def take_text(self, payload: bytes) -> None:
        if not self.first_token.done():
            self.first_token.set_result(None)
        if self._tally.is_open:
            self._tally.take(payload, time.monotonic_ns())


class Phone(Socket):
    """One customer's phone: answers pings, acknowledges, asks for one answer."""

    def __init__(self, person: Person, tally: Tally) -> None:
        super().__init__()
        self._person = person
        self._tally = tally
        self._replies: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._unacked_bytes = 0
        self._acked_at = time.monotonic()
        self._conversation_id = person.conversation_id
        self._turn_id = ""
        self.first_token: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.pings = 0

    async def connect(self, port: int, *, follows: bool) -> Self:
        """Open the socket and say hello; `follows` attaches the person's own conversation, which is at rest."""
        await self.open(
            port, "/ws/v1", "Sec-WebSocket-Protocol: asst.v1.json", f"Authorization: Bearer {self._person.token}"
        )
        position = {"c": self._person.conversation_id, "e": self._person.epoch, "s": 0}
        device = {"id": self._person.device_id, "os": "bench", "app": "1.0"}
        await self._ask("hello", {"v": 1, "dev": device, "caps": ["ack"], "subs": [position] if follows else []})
        return self

    async def submit(self, text: str) -> None:
        """Ask for an answer in a new conversation."""
        self._conversation_id = str(uuid4())
        body = {"mid": str(uuid4()), "text": text, "new": True, "age_ms": 0}
        self._turn_id = (await self._ask("turn.submit", body, c=self._conversation_id))["turn"]

    async def cancel(self) -> None:
        await self._ask("turn.cancel", {"turn": self._turn_id}, c=self._conversation_id)

    async def _ask(self, kind: str, body: dict[str, Any], **fields: str) -> dict[str, Any]:
        command_id = uuid4().hex
        self._replies[command_id] = reply = asyncio.get_running_loop().create_future()
        self._send_command({"t": kind, "id": command_id, **fields, "d": body})
        async with asyncio.timeout(PATIENCE_SECONDS):
            frame = await reply
        if frame["t"] == "err":
            raise SocketClosedError(f"{kind}: {frame['d']['code']}")
        content: dict[str, Any] = frame["d"]
        return content

    def _send_command(self, frame: dict[str, Any]) -> None:
        self.send(TEXT, json.dumps(frame).encode())

    @override
    def take_text(self, payload: bytes) -> None:
        if payload.startswith(DELTA_START):
            if not self.first_token.done():
                self.first_token.set_result(None)
            if self._tally.is_open:
                self._tally.take(payload, time.monotonic_ns())
            self._note_position(payload)
            return
        frame = json.loads(payload)
        if "re" in frame:
            reply = self._replies.pop(frame["re"])
            if not reply.done():
                reply.set_result(frame)
        elif frame["t"] == "ping":
            self.pings += 1
            self._send_command({"t": "pong"})
        elif frame["t"] == "turn.failed" and not self.first_token.done():
            self.first_token.set_exception(SocketClosedError(f"no answer: {frame['d']['error']['code']}"))

    def _note_position(self, payload: bytes) -> None:
        self._unacked_bytes += len(payload)
        now = time.monotonic()
        if self._unacked_bytes < ACK_BYTES and now - self._acked_at < ACK_SECONDS:
            return
        self._unacked_bytes, self._acked_at = 0, now
        seq = SEQ.search(payload, 0, HEAD_BYTES)
        if seq is not None:
            self._send_command({"t": "ack", "d": {self._conversation_id: int(seq.group(1))}})

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(SocketClosedError("the socket closed before the reply"))

"""A phone: a real WebSocket client of `asst.v1`, for black-box tests and for people who want to see the protocol run.

It knows the server only by its address. It answers pings, acknowledges, asks again when a frame does not follow, and
keeps what it holds (`conversations`) across reconnects like the app's local store.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Self
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.cursor import TERMINAL, FollowedConversation, Frame, Verdict

SUBPROTOCOL = "asst.v1.json"
PATIENCE_SECONDS = 5.0
ACK_BYTES = 32 * 1024
ACK_SECONDS = 1.0
MAX_ATTACHES = 3
ATTACH_WINDOW_SECONDS = 10.0


class ConnectionEndedError(Exception):
    """The socket closed while a frame was awaited."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"closed with {code} {reason!r}")
        self.code = code


class Phone:
    """One device of one customer; at most one socket at a time.

    origin       plays a web page: the browser names its origin, and the token can only go into hello
    acks, pongs  False plays a phone that does not keep the protocol's rules
    frames       everything received on all sockets, decoded, in order
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        device_id: str = "",
        origin: str = "",
        acks: bool = True,
        pongs: bool = True,
    ) -> None:
        self.url = url
        self.token = token
        self.origin = origin
        self.device_id = device_id or f"d_{uuid4().hex[:12]}"
        self.acks = acks
        self.pongs = pongs
        self.conversations: dict[str, FollowedConversation] = {}
        self.frames: list[dict[str, Any]] = []
        self.verdicts: list[Verdict] = []
        self.socket: ClientConnection | None = None
        self.close_code: int | None = None
        self._changed = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None
        self._next_id = 0
        self._unacked: dict[str, int] = {}
        self._unacked_bytes = 0
        self._acked_at = 0.0
        self._attached_at: list[float] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.leave()

    # Connection

    async def open(self, **options: Any) -> None:
        """Open the socket without saying hello; a program shows its token in the upgrade request already."""
        headers = {"Origin": self.origin} if self.origin else {"Authorization": f"Bearer {self.token}"}
        self.close_code = None
        self.socket = await connect(
            self.url,
            subprotocols=options.pop("subprotocols", [SUBPROTOCOL]),
            additional_headers=options.pop("headers", headers),
            compression=None,
            ping_interval=None,
            max_size=None,
            proxy=None,
            **options,
        )
        self._reader = asyncio.create_task(self._read(self.socket))

    async def connect(self, *subs: str, **options: Any) -> dict[str, Any]:
        """Open the socket, say hello with the held positions and those in `subs`; return `welcome`'s body."""
        await self.open(**options)
        for conversation_id in subs:
            self.follow(conversation_id)
        positions = [{"c": key, **held.get_position()} for key, held in self.conversations.items()]
        device = {"id": self.device_id, "os": "test", "app": "1.0"}
        body: dict[str, Any] = {"v": 1, "dev": device, "caps": ["ack"], "subs": positions}
        if self.origin:
            body["token"] = self.token
        reply = await self.ask("hello", body)
        if reply["t"] != "welcome":
            raise AssertionError(f"no welcome but {reply}")
        welcome: dict[str, Any] = reply["d"]
        return welcome

    def follow(self, conversation_id: str) -> FollowedConversation:
        return self.conversations.setdefault(conversation_id, FollowedConversation(conversation_id))

    async def leave(self) -> None:
        """Close politely and forget the socket."""
        if self.socket is not None:
            await self.socket.close()
        await self._end_reader()

    async def cut(self) -> None:
        """Lose the network: the connection ends without a close frame."""
        if self.socket is not None:
            self.socket.transport.abort()
        await self._end_reader()

    async def _end_reader(self) -> None:
        if self._reader is not None:
            await asyncio.wait_for(asyncio.wait([self._reader]), PATIENCE_SECONDS)
        self.socket = self._reader = None

    # Sending

    async def send_text(self, text: str | bytes) -> None:
        assert self.socket is not None
        await self.socket.send(text)

    async def send(self, kind: str, body: Any = None, *, c: str | None = None, command_id: str | None = None) -> None:
        """Send a command; without an id no reply comes."""
        frame: dict[str, Any] = {"t": kind}
        if command_id is not None:
            frame["id"] = command_id
        if c is not None:
            frame["c"] = c
        if body is not None:
            frame["d"] = body
        await self.send_text(json.dumps(frame, ensure_ascii=False))

    async def ask(self, kind: str, body: Any = None, *, c: str | None = None) -> dict[str, Any]:
        """Send a command and return the frame that answers it."""
        self._next_id += 1
        command_id = str(self._next_id)
        start = len(self.frames)
        await self.send(kind, body, c=c, command_id=command_id)
        return await self.wait_for(lambda frame: frame.get("re") == command_id, start=start)

    async def submit(self, c: str, text: str, **fields: Any) -> dict[str, Any]:
        """Send a message of the customer and return the reply; `fields` go into the body (`new`, `busy`, `mid`)."""
        self.follow(c)
        body = {"mid": str(uuid4()), "text": text, "busy": "reject", "age_ms": 0} | fields
        return await self.ask("turn.submit", body, c=c)

    async def cancel(self, c: str, turn: str) -> dict[str, Any]:
        return await self.ask("turn.cancel", {"turn": turn}, c=c)

    async def attach(self, c: str, position: dict[str, Any] | None = None) -> dict[str, Any]:
        """Follow a conversation from the held position, or from `position`."""
        held = self.follow(c)
        return await self.ask("attach", held.get_position() if position is None else position, c=c)

    # Waiting

    async def wait_for(
        self, predicate: Callable[[dict[str, Any]], bool], *, start: int = 0, seconds: float = PATIENCE_SECONDS
    ) -> dict[str, Any]:
        """Return the first frame from number `start` on that satisfies `predicate`.

        Raises: ConnectionEndedError when the socket closes first, TimeoutError
        """
        async with asyncio.timeout(seconds), self._changed:
            while True:
                for frame in self.frames[start:]:
                    if predicate(frame):
                        return frame
                start = len(self.frames)
                if self.close_code is not None:
                    raise ConnectionEndedError(self.close_code, "")
                await self._changed.wait()

    async def wait_type(self, kind: str, *, start: int = 0, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        return await self.wait_for(lambda frame: frame["t"] == kind, start=start, seconds=seconds)

    async def wait_end(self, c: str, turn: str, *, seconds: float = 2 * PATIENCE_SECONDS) -> str:
        """Return the type of the terminal event of a turn, once it is applied here."""
        await self.wait_until(lambda: turn in self.follow(c).ended, seconds=seconds)
        return self.follow(c).ended[turn]

    async def wait_for_deltas(self, count: int, c: str) -> None:
        """Return once `count` delta frames were received in all, or the conversation has no unfinished turn."""
        await self.wait_until(lambda: len(self.find("text.delta")) >= count or self.follow(c).active is None)

    async def wait_until(self, condition: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
        """Return once `condition`, looked at after each frame, holds."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(condition)

    async def wait_closed(self, *, seconds: float = PATIENCE_SECONDS) -> int:
        """Return the close code of the socket, once it is closed."""
        await self.wait_until(lambda: self.close_code is not None, seconds=seconds)
        assert self.close_code is not None
        return self.close_code

    def find(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["t"] == kind]

    # Receiving

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                frame = json.loads(text)
                await self._take(frame, len(text))
        except ConnectionClosed:
            pass
        finally:
            async with self._changed:
                self.close_code = socket.close_code or 1006
                self._changed.notify_all()

    async def _take(self, frame: dict[str, Any], size: int) -> None:
        async with self._changed:
            self.frames.append(frame)
            verdict = self._apply(frame)
            self._changed.notify_all()
        with suppress(ConnectionClosed):
            if frame["t"] == "ping" and self.pongs:
                await self.send("pong", frame.get("d"))
            if verdict is not None:
                self.verdicts.append(verdict)
                await self._follow_up(frame, verdict, size)

    def _apply(self, frame: dict[str, Any]) -> Verdict | None:
        """Take a frame into the store; None for what is not part of a log."""
        for entry in list_attachments(frame):
            self.follow(entry["c"]).take_attachment(entry)
        if "s" in frame or frame["t"] == "conv.state":
            return self.follow(frame["c"]).receive(frame)
        return None

    async def _follow_up(self, frame: Frame, verdict: Verdict, size: int) -> None:
        held = self.conversations[frame["c"]]
        if verdict in {Verdict.ATTACH, Verdict.RESYNC}:
            await self._ask_again(held, verdict)
        elif verdict is Verdict.APPLIED and self.acks:
            self._unacked[held.id] = held.cursor
            self._unacked_bytes += size
            is_due = time.monotonic() - self._acked_at >= ACK_SECONDS or self._unacked_bytes >= ACK_BYTES
            if is_due or frame["t"] in TERMINAL:
                await self.send("ack", self._unacked)
                self._unacked, self._unacked_bytes, self._acked_at = {}, 0, time.monotonic()

    async def _ask_again(self, held: FollowedConversation, verdict: Verdict) -> None:
        now = time.monotonic()
        self._attached_at = [at for at in self._attached_at if now - at < ATTACH_WINDOW_SECONDS] + [now]
        if len(self._attached_at) > MAX_ATTACHES:
            # Asking on this socket does not help; whoever drives the phone connects anew, once.
            assert self.socket is not None
            await self.socket.close()
            return
        position = held.get_position() if verdict is Verdict.ATTACH else {}
        await self.send("attach", position, c=held.id, command_id=f"again-{len(self.verdicts)}")


def list_attachments(frame: Frame) -> Iterable[Frame]:
    """Return the answers for attached conversations that a frame brings."""
    body = frame.get("d", {})
    if frame["t"] == "welcome":
        return list(body["subs"])
    return [body] if frame["t"] == "ok" and "mode" in body else []

"""One phone's socket as a cursor over the logs it follows: what to send next, what is confirmed, when to give up.

Everything durable goes out through `_pump`, which runs only while there is something to send, so an idle socket costs
no task; or past it, as the one event that a live phone lacks. Replies and signals go out directly. The servers below
give no back-pressure to rely on: the window does.
"""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db import InterfaceError, OperationalError

from accounts.tokens import AccessClaims
from chat.protocol.codes import CloseCode
from chat.protocol.frames import encode_event_frame, encode_signal
from chat.protocol.merging import MergedEvent, merge_events
from chat.protocol.replies import Signal, build_bye
from chat.socket.eager import start_eagerly
from chat.socket.hub import Hub, LiveFrame
from chat.socket.limits import Strikes, TokenBucket
from chat.socket.settings import SocketSettings
from chat.socket.window import SendWindow

logger = logging.getLogger(__name__)

READ_LIMIT = 500
RETRY_SECONDS = 0.25
# Phones that connected together must not be pinged together for ever.
PING_JITTER = 0.2


class Transport(Protocol):
    """The wire below: Channels in production."""

    def send_text(self, text: str) -> Awaitable[None]: ...

    async def close(self, code: int, reason: str) -> None: ...


@dataclass(slots=True)
class Cursor:
    """Where the socket stands in one log; held back while `holds` is not 0."""

    sent: int
    top: int
    holds: int = 0


class Session:
    """State of one socket from its hello on."""

    __slots__ = (
        "__weakref__",
        "acks",
        "claims",
        "commands",
        "conn",
        "cursors",
        "expiry_announced",
        "hub",
        "ip",
        "is_closed",
        "is_draining",
        "is_pumping",
        "last_sent",
        "limits",
        "opened",
        "ping_seconds",
        "ping_sent",
        "pump",
        "refusals",
        "sending_since",
        "strikes",
        "transport",
        "window",
        "window_full_since",
    )

    def __init__(self, transport: Transport, hub: Hub, limits: SocketSettings, *, ip: str = "") -> None:
        now = time.monotonic()
        self.transport = transport
        self.hub = hub
        self.limits = limits
        self.ip = ip
        self.conn = secrets.token_hex(6)
        self.claims: AccessClaims | None = None
        self.cursors: dict[UUID, Cursor] = {}
        self.window = SendWindow(max_bytes=limits.window_bytes, max_frames=limits.window_frames)
        self.commands = TokenBucket(limits.commands, limits.commands_seconds, updated=now)
        self.acks = TokenBucket(limits.acks_per_second, 1.0, updated=now)
        self.strikes = Strikes(limits.strikes, limits.strikes_seconds)
        self.refusals = Strikes(limits.commands, limits.commands_seconds)
        self.opened = self.last_sent = now
        self.ping_seconds = limits.ping_seconds * random.uniform(1 - PING_JITTER, 1 + PING_JITTER)  # noqa: S311 - no secret
        self.ping_sent: float | None = None
        self.window_full_since: float | None = None
        self.sending_since: float | None = None
        self.expiry_announced = False
        self.is_closed = False
        self.is_draining = False
        self.is_pumping = False
        self.pump: asyncio.Task[None] | None = None

    def require_claims(self) -> AccessClaims:
        """Return whom the socket belongs to; only asked after its hello."""
        if self.claims is None:
            raise RuntimeError("the socket has not said hello")
        return self.claims

    async def send(self, text: str) -> None:
        """Send one frame now; silently nothing once the socket is closed."""
        if self.is_closed:
            return
        self.last_sent = self.sending_since = time.monotonic()
        try:
            await self.transport.send_text(text)
        finally:
            self.sending_since = None

    async def send_signal(self, signal: Signal) -> None:
        await self.send(encode_signal(signal))

    async def close(self, code: CloseCode, *, after_ms: int = 0) -> None:
        """Say `bye`, then close with the same code. Only the first call does anything."""
        if self.is_closed:
            return
        await self.send_signal(build_bye(code, after_ms=after_ms))
        await self.drop(code)

    async def drop(self, code: CloseCode) -> None:
        """Close without a word, and stop following everything."""
        if self.is_closed:
            return
        self.release()
        await self.transport.close(int(code), code.reason)

    def release(self) -> None:
        """Stop following and sending; the transport is gone or going."""
        self.is_closed = True
        for conversation_id in list(self.cursors):
            self.unfollow(conversation_id)
        if self.pump is not None:
            self.pump.cancel()

    def follow(self, conversation_id: UUID) -> Cursor:
        """Register for wake-ups and return a held cursor; the caller then reads the log's head and releases it.

        Registering first and reading second is what leaves no gap between a replay and what is live.
        """
        cursor = Cursor(sent=0, top=0, holds=1)
        self.cursors[conversation_id] = cursor
        self.window.forget(conversation_id)
        self.hub.attach(conversation_id, self)
        return cursor

    def unfollow(self, conversation_id: UUID) -> None:
        if self.cursors.pop(conversation_id, None) is not None:
            self.window.forget(conversation_id)
            self.hub.detach(conversation_id, self)

    def release_cursor(self, cursor: Cursor) -> None:
        cursor.holds -= 1
        self._run_pump()

    def wake(self, conversation_id: UUID, top: int, live: LiveFrame | None = None) -> None:
        """The log grew to `top`, or may have; `live` is the event at `top` if the log grew by that one alone."""
        cursor = self.cursors.get(conversation_id)
        if cursor is None or top <= cursor.top:
            return
        cursor.top = top
        is_free = not self.is_pumping and not cursor.holds and self.window.has_room
        if live is not None and is_free and cursor.sent == top - 1:
            self._start_sending(self._send_live(conversation_id, cursor, live))
        else:
            self._run_pump()

    def confirm(self, positions: dict[UUID, int]) -> bool:
        """Take the phone's ack; return whether it confirmed anything."""
        has_freed = self.window.confirm(positions)
        self._run_pump()
        return has_freed

    def _run_pump(self) -> None:
        if not self.is_pumping and not self.is_closed and self._find_behind() is not None:
            self._start_sending(self._pump())

    def _start_sending(self, work: Coroutine[Any, Any, None]) -> None:
        """Send at once; only what has to wait for the phone becomes a task."""
        self.is_pumping = True
        try:
            self.pump = start_eagerly(work)
        except Exception as error:  # noqa: BLE001 - as in a task: it ends the sending to this phone and nothing else
            self.is_pumping = False
            note_broken(error)
            return
        if self.pump is None:
            self.is_pumping = False
        else:
            self.pump.add_done_callback(self._end_pump)

    def _end_pump(self, task: asyncio.Task[None]) -> None:
        self.pump = None
        self.is_pumping = False
        error = None if task.cancelled() else task.exception()
        if error is not None:
            note_broken(error)
        elif self.window.has_room:
            self._run_pump()

    def _find_behind(self) -> tuple[UUID, Cursor] | None:
        """Return a log with something to send, if the window has room for it."""
        if not self.window.has_room:
            self._note_full_window()
            return None
        self.window_full_since = None
        for conversation_id, cursor in self.cursors.items():
            if cursor.sent < cursor.top and not cursor.holds:
                return conversation_id, cursor
        return None

    def _note_full_window(self) -> None:
        self.window_full_since = self.window_full_since or time.monotonic()

    async def _send_live(self, conversation_id: UUID, cursor: Cursor, live: LiveFrame) -> None:
        """Send the one event that a phone lacks: what a live answer is made of."""
        await self.send(live.text)
        cursor.sent = live.seq
        self.window.add(conversation_id, live.seq, live.size_bytes)
        if not self.window.has_room:
            self._note_full_window()

    async def _pump(self) -> None:
        while (behind := self._find_behind()) is not None:
            conversation_id, cursor = behind
            try:
                events = await self.hub.read(conversation_id, cursor.sent, READ_LIMIT)
            except (OperationalError, InterfaceError) as error:
                logger.warning("reading a log failed, trying again", extra={"error": type(error).__name__})
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not events:
                # The hint ran ahead of what is visible; the next one comes with the commit.
                cursor.top = cursor.sent
            await self._send_events(conversation_id, cursor, merge_events(events))

    async def _send_events(self, conversation_id: UUID, cursor: Cursor, events: list[MergedEvent]) -> None:
        for event in events:
            if self.cursors.get(conversation_id) is not cursor or cursor.holds or not self.window.has_room:
                return
            frame = encode_event_frame(
                conversation_id, event.seq, covered=event.covered, kind=event.type, body=event.body
            )
            await self.send(frame)
            cursor.sent = event.seq
            self.window.add(conversation_id, event.seq, len(frame.encode()))


def note_broken(error: BaseException) -> None:
    """Log that a transport broke while sending; the server tells the consumer, which releases the session."""
    logger.info("sending to a phone ended", extra={"error": type(error).__name__})

"""The edge of a phone's socket: frames in, typed commands to handlers, errors to frames. No rules here.

Channels hands over one frame after another and waits for each, so nothing slow may happen in `websocket_receive`:
commands run as tasks, those of one conversation in order; what must overtake (acks, pings, cancels) does.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Coroutine
from typing import Any
from uuid import UUID

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from django.utils import timezone
from typing_extensions import override

from audit.log_context import bind
from chat.errors import ChatError
from chat.node import get_node
from chat.protocol.bodies import ErrorBody
from chat.protocol.codes import CloseCode, ErrorCode, ProtocolError
from chat.protocol.commands import Command, CommandType, parse_command
from chat.protocol.frames import encode_error
from chat.socket.admission import SUBPROTOCOL, Denial, find_denial, get_client_ip, read_bearer_token
from chat.socket.handlers import HANDLERS, Handler, greet
from chat.socket.limits import FLOOD_RETRY_MS
from chat.socket.refusals import SocketRefused, build_error
from chat.socket.roster import Roster
from chat.socket.session import Session
from functions.errors import ConfirmationError

logger = logging.getLogger(__name__)

# They touch nothing that another command of the conversation could disturb.
OVERTAKING = frozenset(
    {CommandType.TURN_CANCEL, CommandType.AUTH_REFRESH, CommandType.ACK, CommandType.PING, CommandType.PONG}
)
# Served after the token's end, in the grace period.
WITHOUT_TOKEN = frozenset(
    {CommandType.AUTH_REFRESH, CommandType.ACK, CommandType.PING, CommandType.PONG, CommandType.BYE}
)
# They have a rate of their own, see chat/socket/handlers.py.
UNCOUNTED = frozenset({CommandType.ACK, CommandType.PONG})


class ChatConsumer(AsyncConsumer):
    """One phone."""

    # No such layer: content never crosses one, and a channel per socket would cost a subscription each.
    channel_layer_alias = "unused"

    def __init__(self) -> None:
        self._request_id = secrets.token_hex(8)
        self._session: Session | None = None
        self._roster: Roster | None = None
        self._token: str | None = None
        self._lanes: dict[UUID | None, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._hello_timer: asyncio.TimerHandle | None = None

    @override
    async def dispatch(self, message: dict[str, Any]) -> None:
        # Without Channels' own thread hop per frame to close old connections: no frame touches the ORM in this task.
        await getattr(self, get_handler_name(message))(message)

    async def websocket_connect(self, _message: dict[str, Any]) -> None:
        node = get_node()
        denial = find_denial(self.scope, is_draining=node.is_draining)
        if denial is not None:
            await self._deny(denial)
            return
        await self.send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        self._token = read_bearer_token(self.scope)
        self._roster = node.roster
        self._session = Session(self, node.hub, node.limits, ip=get_client_ip(self.scope))
        loop = asyncio.get_running_loop()
        self._hello_timer = loop.call_later(node.limits.hello_seconds, self._expire_hello, self._session)

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        session = self._session
        if session is None or session.is_closed:
            return
        session.ping_sent = None
        with bind(request_id=self._request_id):
            try:
                await self._take_frame(session, message.get("text"))
            except ProtocolError as error:
                await self._refuse_frame(session, error)

    async def websocket_disconnect(self, _message: dict[str, Any]) -> None:
        if self._hello_timer is not None:
            self._hello_timer.cancel()
        if self._session is not None and self._roster is not None:
            self._session.release()
            # Not `get_node()`: the node may have stopped meanwhile.
            self._roster.remove(self._session)
        for task in tuple(self._tasks):
            task.cancel()
        raise StopConsumer

    def send_text(self, text: str) -> Awaitable[None]:
        # Past Channels' own `send`, which only calls this: one coroutine less for every piece of text.
        return self.base_send({"type": "websocket.send", "bytes": None, "text": text})

    async def close(self, code: int, reason: str) -> None:
        await self.send({"type": "websocket.close", "code": code, "reason": reason})

    async def _deny(self, denial: Denial) -> None:
        """Refuse the upgrade with an HTTP answer where the server can; it is a bare 403 or a close code elsewhere."""
        if "websocket.http.response" in (self.scope.get("extensions") or {}):
            for message in denial.to_messages():
                await self.send(message)
            return
        code = denial.close_code
        if code is not None:
            await self.send({"type": "websocket.accept"})
        await self.close(int(code or CloseCode.NORMAL), code.reason if code else "")

    async def _take_frame(self, session: Session, text: str | None) -> None:
        if text is None:
            await self._send_error(session, None, ProtocolError(ErrorCode.PROTO_BINARY, "text frames only"))
            await session.close(CloseCode.BINARY_FRAME)
            return
        limit = session.limits.first_frame_bytes
        if session.claims is None and len(text) * 4 > limit and len(text.encode("utf-8", "surrogatepass")) > limit:
            raise ProtocolError(ErrorCode.LIMIT_SIZE, f"a frame before welcome has at most {limit} bytes")
        command = await self._read_command(session, text)
        if command is not None and await self._is_allowed(session, command):
            self._start_command(session, command)

    async def _read_command(self, session: Session, text: str) -> Command | None:
        """Return the command in a frame, None when the phone sends too much that is none. Raises: ProtocolError"""
        try:
            return parse_command(text)
        except ProtocolError as error:
            # What cannot be read counts like a command: it costs as much, and is answered.
            wait = session.commands.take(time.monotonic())
            if wait == 0.0:
                raise
            await self._refuse_rate(session, error.command_id, wait)
            return None

    async def _refuse_frame(self, session: Session, error: ProtocolError) -> None:
        await self._send_error(session, error.command_id, error)
        if error.code == ErrorCode.PROTO_MALFORMED and session.strikes.add(time.monotonic()):
            await session.close(CloseCode.MALFORMED_FRAMES)

    async def _is_allowed(self, session: Session, command: Command) -> bool:
        """Apply rates, the order of the handshake and the token's end. Raises: ProtocolError"""
        now = time.monotonic()
        if command.type in UNCOUNTED:
            return True
        wait = session.commands.take(now)
        if wait > 0.0:
            await self._refuse_rate(session, command.id, wait)
            return False
        if command.type == CommandType.HELLO:
            return True
        claims = session.claims
        if claims is None:
            raise ProtocolError(ErrorCode.PROTO_STATE, "expected hello first", command_id=command.id)
        if claims.expires_at <= timezone.now() and command.type not in WITHOUT_TOKEN:
            raise ProtocolError(ErrorCode.AUTH_EXPIRED, "the token is over, refresh it", command_id=command.id)
        return True

    async def _refuse_rate(self, session: Session, command_id: str | None, wait_seconds: float) -> None:
        if session.refusals.add(time.monotonic()):
            await session.close(CloseCode.TOO_MANY_COMMANDS, after_ms=FLOOD_RETRY_MS)
            return
        body = ErrorBody(
            code=ErrorCode.LIMIT_RATE,
            message="too many commands",
            retry_after_ms=int(wait_seconds * 1000) + 1,
            trace=self._request_id,
        )
        await session.send(encode_error(command_id, body))

    def _start_command(self, session: Session, command: Command) -> None:
        """Run the command as a task: after those of its conversation, or at once if it may overtake."""
        if command.type == CommandType.HELLO and self._take_hello():
            _task = self._start(self._run(session, command, self._greet))
            return
        lane = None if command.type in OVERTAKING else command.conversation_id
        before = self._lanes.get(lane) if lane else None
        task = self._start(self._run(session, command, HANDLERS[command.type], before))
        if lane:
            self._lanes[lane] = task

    def _take_hello(self) -> bool:
        """Return whether hello may still be said: exactly once."""
        if self._hello_timer is None:
            return False
        self._hello_timer.cancel()
        self._hello_timer = None
        return True

    async def _greet(self, session: Session, command: Command) -> None:
        token, self._token = self._token, None
        await greet(session, command, token=token, roster=get_node().roster)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run(
        self,
        session: Session,
        command: Command,
        handler: Handler,
        before: asyncio.Task[None] | None = None,
    ) -> None:
        """Do the work of one command and answer what it raises."""
        if before is not None:
            await asyncio.wait([before])
        try:
            await handler(session, command)
        except SocketRefused as error:
            await self._send_error(session, command.id, error)
            await session.close(error.close_code)
        except (ProtocolError, ChatError, ConfirmationError) as error:
            await self._send_error(session, command.id, error)
        except OSError as error:
            # The phone is gone while it was answered; `websocket.disconnect` follows.
            logger.info("answering a phone failed", extra={"error": type(error).__name__})
        except Exception as error:
            # The edge of a task: the phone gets an answer it can retry on, the log gets the cause.
            logger.exception("command failed", extra={"command": command.type, "error": type(error).__name__})
            await self._send_error(session, command.id, error)

    async def _send_error(self, session: Session, command_id: str | None, error: Exception) -> None:
        await session.send(encode_error(command_id, build_error(error)))

    def _expire_hello(self, session: Session) -> None:
        self._hello_timer = None
        _task = self._start(session.close(CloseCode.HELLO_TIMEOUT))

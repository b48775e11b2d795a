"""Daphne, made safe for slow phones and for restarts.

Plain Daphne never waits for a slow reader, queues inbound frames without bound, knows no lifespan and, at SIGTERM,
neither tells nor cancels its applications. Source: django/daphne#170, #177, #264; docs/operations.md "Servers".
"""

import asyncio
import logging
from functools import partial
from typing import Any

from autobahn.exception import Disconnected
from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import defer, reactor
from twisted.internet.interfaces import IPushProducer
from twisted.logger import LogEvent, LogLevel, formatEvent, globalLogPublisher
from typing_extensions import override
from zope.interface import implementer

from assistant_project.servers.daphne_bodies import keep_bodies_in_memory
from assistant_project.servers.frames import encode_text_frame
from assistant_project.servers.lifespan import Application, LifespanDriver, Message, Scope, StartFailed
from assistant_project.servers.limits import (
    CANCEL_SECONDS,
    FRAME_BYTES,
    HANDSHAKE_SECONDS,
    PING_INTERVAL_SECONDS,
    PING_TIMEOUT_SECONDS,
)

twisted_logger = logging.getLogger("twisted")

# Frames waiting for the application before the server stops reading from that phone.
MOST_WAITING_FRAMES = 64
NEVER_SECONDS = -1


@implementer(IPushProducer)
class WriteGate:
    """Closed while the kernel and Twisted hold more than 64 KiB that the reader has not taken."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    # The names are Twisted's.
    def pauseProducing(self) -> None:  # noqa: N802
        self._open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self._open.set()

    def stopProducing(self) -> None:  # noqa: N802
        self._open.set()

    async def wait(self) -> None:
        if not self._open.is_set():
            await self._open.wait()


class PhoneProtocol(WebSocketProtocol):  # type: ignore[misc]  # Daphne ships no types
    """A WebSocket that tells the application when the phone does not read."""

    gate: WriteGate

    @override
    def onOpen(self) -> None:
        self.gate = WriteGate()
        # The HTTP half of the connection is still registered, and would stop reading a phone that is slow to read.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self.gate, True)  # noqa: FBT003 - Twisted's signature
        super().onOpen()

    @override
    def serverSend(self, content: Any, binary: bool = False) -> None:
        if binary or self.state != self.STATE_OPEN:
            super().serverSend(content, binary)
        else:
            self.write_now(encode_text_frame(content))

    def write_now(self, data: bytes) -> None:
        """Give the bytes to the kernel at once if none wait before them.

        Twisted would register the socket, ask the kernel whether it may write, write, and take it out again: three more
        system calls and a turn of the event loop for each piece of an answer.
        """
        transport = self.transport
        is_idle = transport.connected and not transport.dataBuffer and not transport._tempDataBuffer  # noqa: SLF001
        sent = transport.writeSomeData(data) if is_idle else 0
        # Twisted's own write meets an error again, and knows how to end the connection.
        transport.write(data if isinstance(sent, Exception) else data[sent:])

    @override
    def serverClose(self, code: int | None = None) -> None:
        # Autobahn's own method refuses 1003 from applications, the code the protocol names for binary frames.
        self.sendCloseFrame(code=code or 1000)

    @override
    def onClose(self, wasClean: bool, code: int, reason: str) -> None:
        if hasattr(self, "gate"):
            self.gate.stopProducing()
        super().onClose(wasClean, code, reason)


def guard_response(protocol: Any, message: Message) -> None:
    """Give an HTTP answer a gate for as long as its body is sent: an export must not pile up in this process."""
    kind, has_more = message["type"], message.get("more_body", False)
    if kind not in {"http.response.start", "http.response.body"} or protocol.finished or protocol.channel is None:
        return
    if kind == "http.response.start":
        gate = protocol.gate = WriteGate()
        protocol.registerProducer(gate, True)  # noqa: FBT003 - Twisted's signature
        # A reader who leaves will never take the rest.
        protocol.notifyFinish().addBoth(lambda _: gate.stopProducing())
    elif not has_more:
        protocol.unregisterProducer()


class InboundQueue(asyncio.Queue[Message]):
    """Frames for one application; the socket is not read while too many wait."""

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self._protocol = protocol
        self._is_paused = False

    @override
    def _put(self, item: Message) -> None:
        super()._put(item)
        if self.qsize() > MOST_WAITING_FRAMES and not self._is_paused and isinstance(self._protocol, PhoneProtocol):
            self._is_paused = True
            self._protocol.transport.pauseProducing()

    @override
    def _get(self) -> Message:
        item: Message = super()._get()
        if self._is_paused and self.qsize() <= MOST_WAITING_FRAMES // 2:
            self._is_paused = False
            self._protocol.transport.resumeProducing()
        return item


class AssistantServer(Server):  # type: ignore[misc]  # Daphne ships no types
    """Daphne's server with a lifespan, back-pressure both ways and an orderly end."""

    def __init__(self, application: Application, *, host: str, port: int, stop_seconds: float) -> None:
        super().__init__(
            application,
            endpoints=build_endpoint_description_strings(host=host, port=port),
            ready_callable=self.use_phone_protocol,
            ping_interval=PING_INTERVAL_SECONDS,
            ping_timeout=PING_TIMEOUT_SECONDS,
            websocket_timeout=NEVER_SECONDS,  # the application has its own age limit, with a friendly code
            websocket_connect_timeout=HANDSHAKE_SECONDS,
            websocket_handshake_timeout=HANDSHAKE_SECONDS,
            websocket_max_message_size=FRAME_BYTES,
            websocket_max_frame_size=FRAME_BYTES,
            server_name="",
        )
        self.lifespan = LifespanDriver(application)
        self.stop_seconds = stop_seconds

    def use_phone_protocol(self) -> None:
        self.ws_factory.protocol = PhoneProtocol
        # A broken frame is answered with a close code instead of a reset connection.
        self.ws_factory.setProtocolOptions(failByDrop=False)
        keep_bodies_in_memory(self.http_factory)

    @override
    def create_application(self, protocol: Any, scope: Scope) -> InboundQueue | None:
        queue = InboundQueue(protocol)
        scope.setdefault("asgi", {"version": "3.0"})
        if protocol not in self.connections:
            return None
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(
            self.application(scope, queue.get, partial(self.handle_reply, protocol))
        )
        return queue

    @override
    async def handle_reply(self, protocol: Any, message: Message) -> None:
        guard_response(protocol, message)
        try:
            await super().handle_reply(protocol, message)
        except Disconnected as error:
            # What ASGI promises to an application whose client has gone.
            raise ConnectionResetError("the phone is gone") from error
        gate = getattr(protocol, "gate", None)
        if gate is not None:
            await gate.wait()

    @override
    def kill_all_applications(self) -> "defer.Deferred[None]":
        """Twisted waits for this before it closes the sockets."""
        return defer.Deferred.fromFuture(asyncio.ensure_future(self.end_applications()))

    async def end_applications(self) -> None:
        """Stop listening, let the application drain its sockets and answers, then cancel what is left."""
        for listener in self.listeners:
            listener.addCallback(lambda port: port.stopListening())
        await self.lifespan.shutdown(self.stop_seconds)
        instances = [details.get("application_instance") for details in self.connections.values()]
        running = [instance for instance in instances if instance is not None and not instance.done()]
        for instance in running:
            instance.cancel()
        if running:
            await asyncio.wait(running, timeout=CANCEL_SECONDS)


def serve_with_daphne(application: Application, *, host: str, port: int, stop_seconds: float) -> int:
    """Serve until SIGINT or SIGTERM; return the process's exit code.

    stop_seconds   how long the application's end may take
    """
    loop: asyncio.AbstractEventLoop = reactor._asyncioEventloop  # noqa: SLF001
    asyncio.set_event_loop(loop)
    forward_twisted_warnings()
    server = AssistantServer(application, host=host, port=port, stop_seconds=stop_seconds)
    try:
        # Before listening: the first phone must find a running engine.
        loop.run_until_complete(server.lifespan.startup())
    except StartFailed:
        return 1
    server.run()
    return 1 if server.abort_start else 0


def forward_twisted_warnings() -> None:
    """Send Twisted's warnings and errors through our logging; Daphne drops them, and its access lines carry queries."""
    globalLogPublisher.addObserver(forward_warning)  # type: ignore[arg-type]  # a zope interface, met by a function


def forward_warning(event: LogEvent) -> None:
    level = event.get("log_level")
    if level is not None and level >= LogLevel.warn:
        failure = event.get("log_failure")
        cause = (failure.type, failure.value, failure.getTracebackObject()) if failure is not None else None
        twisted_logger.log(logging.getLevelNamesMapping()[level.name.upper()], formatEvent(event), exc_info=cause)

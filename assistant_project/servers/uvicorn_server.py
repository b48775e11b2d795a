"""uvicorn with the pinned settings, whose sockets stay open while the application drains them."""

import asyncio
import logging
import socket

import uvicorn
from typing_extensions import override
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from assistant_project.servers.frames import encode_text_frame
from assistant_project.servers.lifespan import Application
from assistant_project.servers.limits import CANCEL_SECONDS, FRAME_BYTES, PING_INTERVAL_SECONDS, PING_TIMEOUT_SECONDS

logger = logging.getLogger(__name__)


class PhoneProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket with a shorter way for text frames; what is unusual goes the usual way."""

    @override
    async def send(self, message: ASGISendEvent) -> None:
        if message["type"] == "websocket.send" and (text := message.get("text")) is not None:
            await self.writable.wait()
            if self.conn.state is State.OPEN and not self.close_sent and not self.disconnected:
                self.transport.write(encode_text_frame(text))
                return
        await super().send(message)


class AssistantServer(uvicorn.Server):
    """uvicorn's server that runs the lifespan's end before it closes the sockets, not after."""

    def __init__(self, config: uvicorn.Config, *, stop_seconds: float) -> None:
        super().__init__(config)
        self.stop_seconds = stop_seconds

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        try:
            await asyncio.wait_for(self.lifespan.shutdown(), self.stop_seconds)
        except TimeoutError:
            logger.error("the application needed more than %s s to stop", self.stop_seconds)  # noqa: TRY400
        await super().shutdown(sockets)


def build_config(application: Application, *, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        loop="uvloop",
        ws=PhoneProtocol,
        ws_max_size=FRAME_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=PING_INTERVAL_SECONDS,
        ws_ping_timeout=PING_TIMEOUT_SECONDS,
        timeout_graceful_shutdown=CANCEL_SECONDS,
        lifespan="on",
        server_header=False,
        access_log=False,
        log_config=None,
        proxy_headers=False,
    )


def serve_with_uvicorn(application: Application, *, host: str, port: int, stop_seconds: float) -> int:
    """Serve until SIGINT or SIGTERM; return the process's exit code.

    stop_seconds   how long the application's end may take
    """
    server = AssistantServer(build_config(application, host=host, port=port), stop_seconds=stop_seconds)
    server.run()
    return 0 if server.started else 1

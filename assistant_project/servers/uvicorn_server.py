"""uvicorn with the pinned settings, whose sockets stay open while the application drains them."""

import socket

import uvicorn
from typing_extensions import override

from assistant_project.servers.lifespan import Application
from assistant_project.servers.limits import FRAME_BYTES, PING_INTERVAL_SECONDS, PING_TIMEOUT_SECONDS, STOP_SECONDS


class AssistantServer(uvicorn.Server):
    """uvicorn's server that runs the lifespan's end before it closes the sockets, not after."""

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self.lifespan.shutdown()
        await super().shutdown(sockets)


def build_config(application: Application, *, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        loop="uvloop",
        ws="websockets-sansio",
        ws_max_size=FRAME_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=PING_INTERVAL_SECONDS,
        ws_ping_timeout=PING_TIMEOUT_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        lifespan="on",
        server_header=False,
        access_log=False,
        log_config=None,
        proxy_headers=False,
    )


def serve_with_uvicorn(application: Application, *, host: str, port: int) -> int:
    """Serve until SIGINT or SIGTERM; return the process's exit code."""
    server = AssistantServer(build_config(application, host=host, port=port))
    server.run()
    return 0 if server.started else 1

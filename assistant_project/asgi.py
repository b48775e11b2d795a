"""The ASGI application: HTTP goes to Django, WebSockets to the phones' consumer, lifespan to the node."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assistant_project.settings")

http_application = get_asgi_application()

# The apps must be loaded before anything of theirs is imported.
from chat.node import start_node, stop_node  # noqa: E402
from chat.routing import websocket_urlpatterns  # noqa: E402

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def run_lifespan(_scope: Message, receive: Receive, send: Send) -> None:
    """Start the node before the server accepts anything, stop it after the last connection."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            start_node()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await stop_node()
            await send({"type": "lifespan.shutdown.complete"})
            return


application = ProtocolTypeRouter(
    {"http": http_application, "websocket": URLRouter(websocket_urlpatterns), "lifespan": run_lifespan}
)

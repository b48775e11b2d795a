"""WebSocket paths."""

from typing import Any

from channels.security.websocket import WebsocketDenier
from django.urls import path, re_path

from chat.consumers import ChatConsumer

# Django's stubs know views only, Channels routes ASGI applications by the same functions.
websocket_urlpatterns: list[Any] = [
    path("ws/v1", ChatConsumer.as_asgi()),  # type: ignore[arg-type]
    # Without this the router raises, and a server answers an unknown path as a crash of ours.
    re_path(r"^.*$", WebsocketDenier.as_asgi()),  # type: ignore[arg-type]
]

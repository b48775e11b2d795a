"""WebSocket paths."""

from channels.security.websocket import WebsocketDenier
from django.urls import path, re_path

from chat.consumers import ChatConsumer

websocket_urlpatterns = [
    path("ws/v1", ChatConsumer.as_asgi()),
    # Without this the router raises, and a server answers an unknown path as a crash of ours.
    re_path(r"^.*$", WebsocketDenier.as_asgi()),
]

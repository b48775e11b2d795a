"""The ASGI application: HTTP goes to Django, WebSockets to the phones' consumer, lifespan to the node."""

import os
from typing import cast

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

from assistant_project.servers.lifespan import Application, Lifespan

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assistant_project.settings")

http_application = get_asgi_application()

# The apps must be loaded before anything of theirs is imported.
from assistant_project.servers.bodies import BodyGuard  # noqa: E402
from chat.node import start_node, stop_node  # noqa: E402
from chat.routing import websocket_urlpatterns  # noqa: E402

application = cast(
    "Application",
    ProtocolTypeRouter(
        {
            "http": BodyGuard(cast("Application", http_application)),
            "websocket": URLRouter(websocket_urlpatterns),
            "lifespan": Lifespan(start_node, stop_node),
        }
    ),
)

"""Everything that lives as long as a process: the sockets' hub, the hints between processes, the engine.

`start_node` and `stop_node` are called by the ASGI lifespan, by `manage.py serve` and by `manage.py run_engine`.
"""

import asyncio
import logging
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from chat.engine.supervisor import Engine
from chat.gigachat.client import build_client
from chat.gigachat.rest import build_rest_client
from chat.protocol.codes import CloseCode
from chat.protocol.replies import Drain
from chat.socket.hub import Hub
from chat.socket.roster import Device, Roster
from chat.socket.settings import SocketSettings, read_socket_settings
from chat.socket.watch import Watcher
from chat.wakeups import Wakeups

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Node:
    """The parts of one process; `engine` is None where engines run as processes of their own."""

    hub: Hub
    roster: Roster
    limits: SocketSettings
    watcher: Watcher
    wakeups: Wakeups
    engine: Engine | None
    is_draining: bool = False


_node: Node | None = None


def get_node() -> Node:
    """Return this process's node, starting it on the running event loop if nobody did."""
    return _node or start_node()


def find_node() -> Node | None:
    """Return this process's node if it runs."""
    return _node


def start_node(*, with_engine: bool | None = None) -> Node:
    """Start the node on the running event loop; one that runs already is returned.

    with_engine  None: as the setting ENGINE_MODE says
    Raises: GigaChatError when the settings of the model cannot be used.
    """
    global _node  # noqa: PLW0603 - one per process, by definition
    if _node is not None:
        return _node
    engine = None
    if with_engine if with_engine is not None else settings.ENGINE_MODE == "embedded":
        engine = Engine(build_client(), build_rest_client(), max_runs=settings.ENGINE_MAX_RUNS)
    hub, limits = Hub(), read_socket_settings()

    def spread(tops: Mapping[UUID, int]) -> None:
        hub.hint(tops)
        if engine is not None:
            engine.hint(tops.keys())

    async def close_device(device: Device) -> None:
        await roster.close_device(device)

    wakeups = Wakeups(spread, close_device)
    roster = Roster(wakeups.announce_device)
    watcher = Watcher(hub, roster, tick_seconds=limits.tick_seconds)
    _node = Node(hub, roster, limits, watcher, wakeups, engine)
    hub.start()
    watcher.start()
    wakeups.start()
    if engine is not None:
        engine.start()
    return _node


async def stop_node() -> None:
    """Send the phones elsewhere, then stop everything; running answers get ENGINE_GRACE_SECONDS to end."""
    global _node  # noqa: PLW0603 - see start_node
    node = _node
    if node is None:
        return
    await drain_phones(node, seconds=settings.DRAIN_SECONDS)
    _node = None
    if node.engine is not None:
        await node.engine.stop(grace_seconds=settings.ENGINE_GRACE_SECONDS)
    await node.wakeups.stop()
    await node.watcher.stop()
    node.hub.stop()


async def drain_phones(node: Node, *, seconds: float) -> None:
    """Refuse new sockets, ask every phone to come back elsewhere at its own moment, close those that stayed.

    The spread keeps a thousand phones from reconnecting in the same instant.
    """
    node.is_draining = True
    for session in node.roster:
        session.is_draining = True
        wait = random.uniform(0, seconds / 2)  # noqa: S311 - not a secret
        await session.send_signal(
            Drain(reconnect_in_ms=int(wait * 1000), deadline_ms=int(seconds * 1000), why="deploy")
        )
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await node.roster.wait_until_empty()
    for session in node.roster:
        await session.close(CloseCode.RESTART)

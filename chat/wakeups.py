"""Hints between processes: "these logs grew to here", "this device has connected".

Lossy by design: what a lost hint would have said is found by a poll. Sent through the Channels layer when one is
configured; no content ever crosses it.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from channels.layers import BaseChannelLayer, get_channel_layer

from chat.socket.roster import Device
from chat.stream import Appended, add_listener, remove_listener

logger = logging.getLogger(__name__)

GROUP = "nodes"
RETRY_SECONDS = 1.0


class Wakeups:
    """Tells other processes what happened here, and this one what happened there."""

    def __init__(
        self, on_heads: Callable[[Mapping[UUID, int]], None], on_device: Callable[[Device], Awaitable[None]]
    ) -> None:
        self._on_heads = on_heads
        self._on_device = on_device
        self._node = secrets.token_hex(4)
        self._tops: dict[UUID, int] = {}
        self._devices: list[Device] = []
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        layer = get_channel_layer()
        if layer is None:
            return
        self._loop = asyncio.get_running_loop()
        add_listener(self.notice)
        self._tasks = [
            asyncio.create_task(repeat_through_faults(partial(self._receive, layer)), name="wakeups-receive"),
            asyncio.create_task(repeat_through_faults(partial(self._send, layer)), name="wakeups-send"),
        ]

    async def stop(self) -> None:
        if not self._tasks:
            return
        remove_listener(self.notice)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def notice(self, appended: Sequence[Appended]) -> None:
        """Take what was committed here, on any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._collect, appended)

    def announce_device(self, device: Device) -> None:
        """Tell the others that a device connected here; its sockets there are replaced."""
        if self._tasks:
            self._devices.append(device)
            self._wake.set()

    def _collect(self, appended: Sequence[Appended]) -> None:
        for item in appended:
            self._tops[item.conversation_id] = item.events[-1].seq
        self._wake.set()

    async def _send(self, layer: BaseChannelLayer) -> None:
        """Send one message at a time; what gathers meanwhile goes with the next."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            message = {
                "type": "node.hint",
                "node": self._node,
                "tops": {str(key): top for key, top in self._tops.items()},
                "devices": [[str(device.customer_id), device.device_id] for device in self._devices],
            }
            self._tops.clear()
            self._devices.clear()
            await layer.group_send(GROUP, message)

    async def _receive(self, layer: BaseChannelLayer) -> None:
        channel = await layer.new_channel()
        await layer.group_add(GROUP, channel)
        while True:
            message = await layer.receive(channel)
            if message["node"] != self._node:
                await self._take(message)

    async def _take(self, message: Mapping[str, Any]) -> None:
        self._on_heads({UUID(key): top for key, top in message["tops"].items()})
        for customer_id, device_id in message["devices"]:
            await self._on_device(Device(UUID(customer_id), device_id))


async def repeat_through_faults(work: Callable[[], Awaitable[None]]) -> None:
    """Keep `work` going while the layer comes and goes; its errors have no common root."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - hints may be lost; the poll finds what they would have said
            logger.warning("the layer for hints failed", extra={"error": type(error).__name__})
        await asyncio.sleep(RETRY_SECONDS)

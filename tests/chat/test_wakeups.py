"""Hints between two nodes over a real Redis; a broken layer costs hints, nothing else."""

import asyncio
from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest
from channels.layers import channel_layers
from pytest_django import Settings

from chat.socket.roster import Device
from chat.stream import Appended, StoredEvent, announce
from chat.wakeups import Wakeups, repeat_through_faults


class Node:
    """One end, with what it was told."""

    def __init__(self) -> None:
        self.tops: dict[UUID, int] = {}
        self.devices: list[Device] = []
        self.told = asyncio.Event()
        self.wakeups = Wakeups(self.take_heads, self.take_device)

    def take_heads(self, tops: Mapping[UUID, int]) -> None:
        self.tops.update(tops)
        self.told.set()

    async def take_device(self, device: Device) -> None:
        self.devices.append(device)
        self.told.set()


@pytest.fixture
def redis_layer(settings: Settings, redis_url: str) -> None:
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [redis_url]}}
    }
    channel_layers.backends.clear()


async def test_wakeups_without_a_layer_do_nothing(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {}
    channel_layers.backends.clear()
    node = Node()

    node.wakeups.start()
    node.wakeups.announce_device(Device(uuid4(), "a"))
    await node.wakeups.stop()

    assert node.devices == []


@pytest.mark.usefixtures("redis_layer")
async def test_wakeups_tell_other_nodes_and_not_themselves() -> None:
    here, there = Node(), Node()
    conversation_id, device = uuid4(), Device(uuid4(), "phone-a")
    for node in (here, there):
        node.wakeups.start()
    appended = [Appended(conversation_id, (StoredEvent(7, "text.delta", "{}"),))]
    there_knows = asyncio.create_task(there.told.wait())
    async with asyncio.timeout(10):
        while not there_knows.done():
            # Both nodes hear every announcement of this process, so only the device below tells them apart.
            here.wakeups.announce_device(device)
            await asyncio.wait([there_knows], timeout=0.05)
    await asyncio.to_thread(announce, appended)
    for node in (here, there):
        await node.wakeups.stop()

    assert set(there.devices) == {device}
    assert here.devices == []


async def test_repeat_through_faults_goes_on_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.wakeups.RETRY_SECONDS", 0.0)
    calls = 0
    enough = asyncio.Event()

    async def work() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            enough.set()
        raise ConnectionError

    task = asyncio.create_task(repeat_through_faults(work))
    await asyncio.wait_for(enough.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

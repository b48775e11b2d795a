"""A slot is held exactly as long as its completion, however that ends."""

import asyncio

import pytest

from chat.gigachat.sandbox.errors import ApiError
from chat.gigachat.sandbox.slots import Slots
from chat.gigachat.sandbox.stats import Stats


def test_hold_above_the_limit_is_refused_per_client() -> None:
    stats = Stats()
    slots = Slots(1, stats)

    with slots.hold("a"), slots.hold("b"):
        with pytest.raises(ApiError, match="429 Too many requests"), slots.hold("a"):
            pytest.fail("a second slot was given")
        assert (stats.open_streams, stats.refused_by_limit) == (2, 1)
    with slots.hold("a"):
        assert (stats.open_streams, stats.max_open_streams) == (1, 2)


@pytest.mark.parametrize(
    ("error", "disconnects"), [(asyncio.CancelledError(), 1), (ConnectionResetError(), 1), (ApiError(413, "x"), 0)]
)
def test_hold_gives_the_slot_back_after_every_end(error: BaseException, disconnects: int) -> None:
    stats = Stats()
    slots = Slots(1, stats)

    with pytest.raises(type(error)), slots.hold("a"):
        raise error

    assert (stats.open_streams, stats.disconnects) == (0, disconnects)


async def test_wait_until_ends_when_the_condition_holds() -> None:
    stats = Stats()
    waiting = asyncio.create_task(stats.wait_until(lambda now: now.open_streams == 0 and now.max_open_streams == 1))
    with Slots(1, stats).hold("a"):
        await asyncio.sleep(0)

    await asyncio.wait_for(waiting, 5)


async def test_wait_until_gives_up_in_time() -> None:
    with pytest.raises(TimeoutError):
        await Stats().wait_until(lambda stats: stats.disconnects > 0, timeout_seconds=0.01)

"""A coroutine started at once: with and without a wait, failing and cancelled on both sides of it."""

import asyncio
from typing import Any

import pytest

from chat.socket.eager import start_eagerly


class Work:
    """Waits for each of `waits` in turn and notes what happened."""

    def __init__(self, *waits: Any, error: Exception | None = None) -> None:
        self.waits = waits
        self.error = error
        self.steps: list[Any] = []

    async def run(self) -> None:
        self.steps.append("begun")
        try:
            for awaited in self.waits:
                self.steps.append(await awaited)
        except BaseException as error:
            self.steps.append(type(error))
            raise
        if self.error is not None:
            raise self.error
        self.steps.append("ended")


async def test_work_that_never_waits_is_done_at_once_and_needs_no_task() -> None:
    work = Work()

    assert start_eagerly(work.run()) is None

    assert work.steps == ["begun", "ended"]


async def test_work_that_fails_before_it_waits_raises_here() -> None:
    with pytest.raises(ConnectionResetError):
        start_eagerly(Work(error=ConnectionResetError()).run())


async def test_work_that_waits_goes_on_as_a_task_with_what_it_waited_for() -> None:
    first: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    second: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    work = Work(first, asyncio.sleep(0), second)

    task = start_eagerly(work.run())

    assert task is not None
    assert work.steps == ["begun"]
    first.set_result(1)
    asyncio.get_running_loop().call_later(0.001, second.set_result, 2)
    await asyncio.wait_for(task, 5)
    assert work.steps == ["begun", 1, None, 2, "ended"]


async def test_work_that_waits_gets_the_error_it_waited_for() -> None:
    awaited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    work = Work(awaited)
    task = start_eagerly(work.run())
    assert task is not None

    awaited.set_exception(ConnectionResetError())

    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(task, 5)
    assert work.steps == ["begun", ConnectionResetError]


async def test_work_that_fails_after_a_wait_fails_its_task() -> None:
    task = start_eagerly(Work(asyncio.sleep(0), error=ConnectionResetError()).run())
    assert task is not None

    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(task, 5)


@pytest.mark.parametrize("waits", [1, 2])
async def test_work_that_is_cancelled_ends_where_it_waits(waits: int) -> None:
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    work = Work(*(asyncio.sleep(0) for _ in range(waits - 1)), never)
    task = start_eagerly(work.run())
    assert task is not None
    for _ in range(4):
        await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    assert work.steps[-1] is asyncio.CancelledError
    assert task.cancelled()

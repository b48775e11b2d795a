"""Starting a coroutine at once, with a task only for what has to wait.

A task costs two turns of the event loop before its first line runs. A live answer is one short send per commit and
socket that nearly never waits: for it the task would cost more than the work.
"""

import asyncio
from collections.abc import Coroutine, Generator
from functools import partial
from types import coroutine
from typing import Any


def start_eagerly(work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Run `work` until it first waits; return the task that goes on with it, or None when it has ended.

    What `work` raises before it waits is raised here. Until then there is no current task, so `work` may not begin with
    `asyncio.timeout` and the like. (The eager tasks of Python 3.12 would do, at the price of a task each.)
    """
    try:
        awaited = work.send(None)
    except StopIteration:
        return None
    return asyncio.get_running_loop().create_task(go_on(work, awaited))


async def go_on(work: Coroutine[Any, Any, None], awaited: Any) -> None:
    """Bring `work`, which waits for `awaited`, to its end."""
    await relay_waits(work, awaited)


@coroutine
def relay_waits(work: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, None, None]:
    """Hand on what `work` waits for to the task, and the task's answers, a cancellation too, to `work`."""
    while True:
        try:
            yield awaited
        except BaseException as error:  # noqa: BLE001 - it is raised again, where `work` waits
            go_on_with = partial(work.throw, error)
        else:
            go_on_with = partial(work.send, None)
        try:
            awaited = go_on_with()
        except StopIteration:
            return

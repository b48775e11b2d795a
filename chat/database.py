"""The one door from async code to the ORM.

Plain `sync_to_async` and Django's `a…()` methods run every query of a process on one thread, or keep a pooled
connection for ever; both starve a busy server. Here a bounded set of threads, never more than the connection pool
can serve, runs one synchronous function per call and gives its connection back at once.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import connections

P = ParamSpec("P")
R = TypeVar("R")

# Connections of the pool that are not for this executor: synchronous views take theirs from it too.
RESERVED_CONNECTIONS = 1


@cache
def get_executor() -> ThreadPoolExecutor:
    """Return this process's threads for database work, sized so that each finds a connection in the pool."""
    workers = max(1, settings.DATABASE_POOL_SIZE - RESERVED_CONNECTIONS)
    return ThreadPoolExecutor(max_workers=workers, thread_name_prefix="database")


async def run_in_database(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run the synchronous `function` on a database thread and return its result.

    The caller's context variables (log ids, language) are visible to the function. A cancelled caller stops waiting;
    the function still runs to its end, so a transaction is never cut in the middle.
    """
    context = contextvars.copy_context()
    loop = asyncio.get_running_loop()
    work = partial(function, *args, **kwargs)
    return await loop.run_in_executor(get_executor(), context.run, call_and_release, work)


def call_and_release(work: Callable[[], R]) -> R:
    """Call `work`, then give this thread's connections back to the pool."""
    try:
        return work()
    finally:
        connections.close_all()

"""Database acts of a run, through outages of the database."""

import asyncio
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from chat.database import run_in_database
from chat.engine.committer import DATABASE_FAULTS, RETRY_SECONDS

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


async def persist(act: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a database act, again and again while the database is away.

    An act whose commit was interrupted may have succeeded: it moved the fence, so the repetition raises RunLost, which
    is the right end for this process.
    """
    while True:
        try:
            return await run_in_database(act, *args, **kwargs)
        except DATABASE_FAULTS as error:
            logger.warning("database is away, trying again", extra={"error": type(error).__name__})
        await asyncio.sleep(RETRY_SECONDS)

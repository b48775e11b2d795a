"""One runner at a time in the whole installation, by a lock that PostgreSQL drops with its holder's connection.

The lock only saves work: every chore may also run twice at once. Its connection is outside the pool, because a pooled
one is given back after every chore.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from django.db import connection

TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('assistant_project.upkeep', 0))"


class LockTaken(Exception):
    """Another process does the chores. Trying again later helps: its lock ends with its connection."""


class UpkeepLock:
    """A lock that is held as long as its connection lives."""

    def __init__(self, holder: psycopg.Connection) -> None:
        self._holder = holder

    def prove(self) -> None:
        """Raises: psycopg.OperationalError when the connection, and with it the lock, is lost."""
        self._holder.execute("SELECT 1")


@contextmanager
def hold_lock() -> Iterator[UpkeepLock]:
    """Hold the installation's only lock until the block ends.

    Raises: LockTaken, psycopg.OperationalError when the database does not answer
    """
    parameters = connection.get_connection_params()
    for name in ("context", "cursor_factory", "prepare_threshold"):
        parameters.pop(name, None)
    with closing(psycopg.connect(**parameters, application_name="upkeep", autocommit=True)) as holder:
        row = holder.execute(TRY_LOCK).fetchone()
        if row is None or not row[0]:
            raise LockTaken
        yield UpkeepLock(holder)

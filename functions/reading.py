"""The transaction in which the model's wishes are looked at: the database itself refuses to write in it.

Reads and plans run here. The deadline holds twice: the database cancels a statement that runs past it, and no further
statement begins after it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from functions.errors import CallRefused, Code

Execute = Callable[[str, Any, bool, dict[str, Any]], Any]
# One statement for both: it is paid by every call.
BEGIN = "SELECT set_config('transaction_read_only', 'on', true), set_config('statement_timeout', %s, true)"
LIMIT_TIME = "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true)"
RESTORE_TIME = "SELECT set_config('statement_timeout', %s, true)"


class Deadline:
    """A moment of this process's own clock, so many seconds from now; refuses statements that come after it."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def count_milliseconds(self) -> int:
        """Return what is left, at least 1: for the database 0 means for ever."""
        return max(1, int((self._ends_at - time.monotonic()) * 1000))

    def __call__(self, execute: Execute, sql: str, params: Any, *rest: Any) -> Any:
        """Run one statement, as Django's wrapper of statements.

        Raises: CallRefused timeout
        """
        if time.monotonic() > self._ends_at:
            raise CallRefused(Code.TIMEOUT, can_retry=True)
        return execute(sql, params, *rest)


@contextmanager
def open_reading(deadline: Deadline) -> Iterator[None]:
    """A transaction in which nothing can be written and no statement outlives the deadline.

    Raises: CallRefused timeout
    """
    with refuse_cancelled(), transaction.atomic(), connection.execute_wrapper(deadline):
        try:
            with connection.cursor() as cursor:
                cursor.execute(BEGIN, [str(deadline.count_milliseconds())])
            yield
        finally:
            # There is nothing to keep; and where a transaction was open already, this takes the two settings back.
            transaction.set_rollback(True)


@contextmanager
def limit_writing(deadline: Deadline) -> Iterator[None]:
    """A part of the caller's transaction that is undone when it fails; no statement outlives the deadline.

    Raises: CallRefused timeout
    """
    with refuse_cancelled(), transaction.atomic(), connection.execute_wrapper(deadline), connection.cursor() as cursor:
        cursor.execute(LIMIT_TIME, [str(deadline.count_milliseconds())])
        usual = cursor.fetchone()[0]
        yield
        cursor.execute(RESTORE_TIME, [usual])


@contextmanager
def refuse_cancelled() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
    else:
        return
    raise CallRefused(Code.TIMEOUT, can_retry=True)

"""The committer's own connection to the log, on the event loop and without a thread.

A thread beside a busy event loop waits for Python's lock, and where they share a core for the core too: ten and more
milliseconds for every commit. Here the database's answer is one more readable socket. See docs/decisions/0024.
"""

from collections.abc import Sequence

from django.db import connection
from psycopg import AsyncConnection

from chat.stream import APPEND_DELTAS_SQL, PendingDelta, encode_deltas


class LogConnection:
    """Appends deltas. Opened by the first commit, and again by the next one after a fault."""

    def __init__(self) -> None:
        self._opened: AsyncConnection | None = None

    async def append(self, deltas: Sequence[PendingDelta]) -> list[int | None]:
        """Commit one delta for each of several conversations; return their positions, None where the fence moved on.

        Raises: django.db.OperationalError, django.db.InterfaceError; whether the deltas were committed is then open
        """
        is_answered = False
        try:
            with connection.wrap_database_errors:
                opened = self._opened or await self._open()
                cursor = await opened.execute(APPEND_DELTAS_SQL, [encode_deltas(deltas)])
                positions: dict[int, int] = dict(await cursor.fetchall())
            is_answered = True
        finally:
            if not is_answered:
                # Cancelled too: what comes next on this connection could belong to the statement given up.
                await self.aclose()
        return [positions.get(place) for place in range(len(deltas))]

    async def aclose(self) -> None:
        """Close without waiting for the database; it ends by itself what it is doing."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.close()

    async def _open(self) -> AsyncConnection:
        parameters = connection.get_connection_params()
        for name in ("context", "cursor_factory", "prepare_threshold"):
            parameters.pop(name, None)
        # One statement is all that ever runs here: alone it is its own transaction, and it is planned once.
        self._opened = await AsyncConnection.connect(
            **parameters, application_name="committer", autocommit=True, prepare_threshold=0
        )
        return self._opened

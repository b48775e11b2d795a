"""Reads any number of entries as of one moment, a batch at a time.

The connection is opened for one export and lies outside the pool: an export of minutes must not take a place from the
phones. A server-side cursor keeps memory flat; REPEATABLE READ makes all rows belong to the same moment.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from django.db import connection
from psycopg.rows import class_row

from audit.export.filters import EntryFilter, select_entries
from audit.export.formats import ExportRow

BATCH_ROWS = 500


def read_entries(chosen: EntryFilter) -> Iterator[list[ExportRow]]:
    """Yield the entries of `chosen`, oldest first, in batches of at most `BATCH_ROWS`, all of one snapshot."""
    entries = select_entries(chosen).values_list("id", "recorded_at", "digest", "body")
    sql, parameters = entries.query.sql_with_params()
    with (
        open_snapshot() as snapshot,
        snapshot.cursor("audit_export", binary=True, row_factory=class_row(ExportRow)) as cursor,
    ):
        # The text is Django's own, with placeholders for every value.
        cursor.execute(sql.encode(), parameters)
        while rows := cursor.fetchmany(BATCH_ROWS):
            yield rows


@contextmanager
def open_snapshot() -> Iterator[psycopg.Connection]:
    """Open a read-only REPEATABLE READ connection to the default database, in UTC, and close it at the end."""
    parameters = connection.get_connection_params()
    for name in ("context", "cursor_factory", "prepare_threshold"):
        parameters.pop(name, None)
    with closing(psycopg.connect(**parameters, application_name="audit-export")) as snapshot:
        snapshot.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        snapshot.read_only = True
        snapshot.execute("SET LOCAL timezone TO 'UTC'")
        yield snapshot

"""Lets transactional tests empty the database although the evidence log and the ledger refuse TRUNCATE.

Django's flush truncates every table after a transactional test. The product has no way round its triggers, so the
tests act as the owner of the tables: in one transaction they switch the truncate triggers off, truncate, and switch
them on again. `tests/conftest.py` imports the fixture; nothing else is needed.
"""

from collections.abc import Iterator, Sequence

import pytest
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

# 32: the trigger fires on TRUNCATE (pg_trigger.tgtype).
GUARDED = """
SELECT format('%s DISABLE TRIGGER %I', tgrelid::regclass, tgname),
       format('%s ENABLE ALWAYS TRIGGER %I', tgrelid::regclass, tgname)
FROM pg_trigger WHERE NOT tgisinternal AND tgtype & 32 <> 0 ORDER BY tgname
"""

truncate_tables = DatabaseOperations.execute_sql_flush


def truncate_as_owner(self: DatabaseOperations, sql_list: Sequence[str]) -> None:
    """Run Django's truncation with the triggers off; a failure rolls all back, so no trigger is ever left off."""
    with connection.cursor() as cursor:
        cursor.execute(GUARDED)
        guarded = cursor.fetchall()
    disable = [f"ALTER TABLE {off}" for off, _ in guarded]
    enable = [f"ALTER TABLE {on}" for _, on in guarded]
    truncate_tables(self, [*disable, *sql_list, *enable])


@pytest.fixture(scope="session", autouse=True)
def flush_append_only_tables() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", truncate_as_owner)
        yield

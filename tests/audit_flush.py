"""Lets transactional tests empty the database although the evidence log refuses TRUNCATE.

Django's flush truncates every table after a transactional test. The product has no way round its triggers, so the
tests act as the owner of the table: in one transaction they switch the truncate trigger off, truncate, and switch it
on again. `tests/conftest.py` imports the fixture; nothing else is needed.
"""

from collections.abc import Iterator, Sequence

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations

DISABLE = "ALTER TABLE audit_auditentry DISABLE TRIGGER audit_refuse_truncate"
ENABLE = "ALTER TABLE audit_auditentry ENABLE ALWAYS TRIGGER audit_refuse_truncate"

truncate_tables = DatabaseOperations.execute_sql_flush


def truncate_as_owner(self: DatabaseOperations, sql_list: Sequence[str]) -> None:
    """Run Django's truncation with the trigger off; a failure rolls both back, so the trigger is never left off."""
    truncate_tables(self, [DISABLE, *sql_list, ENABLE])


@pytest.fixture(scope="session", autouse=True)
def flush_append_only_tables() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", truncate_as_owner)
        yield

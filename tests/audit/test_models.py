"""The database itself keeps evidence append-only, whoever asks."""

from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations

from audit.context import build_system_context
from audit.enums import AuditAction, Origin
from audit.journal import compute_leaf, record_entry
from audit.models import AuditEntry
from tests.audit_flush import truncate_as_owner

CONTEXT = build_system_context(Origin.COMMAND, "seed_demo_bank")


def record_sample() -> AuditEntry:
    return record_entry(CONTEXT, AuditAction.DEMO_SEEDED, subject="demo", subject_id="bank")


def run_sql(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_auditentry SET action = 'other'",
        "UPDATE audit_auditentry SET id = id",
        "DELETE FROM audit_auditentry",
        "TRUNCATE audit_auditentry",
        "TRUNCATE audit_auditentry CASCADE",
        "INSERT INTO audit_auditentry SELECT * FROM audit_auditentry ON CONFLICT (id) DO UPDATE SET action = 'other'",
        "MERGE INTO audit_auditentry t USING audit_auditentry s ON t.id = s.id WHEN MATCHED THEN DELETE",
    ],
)
@pytest.mark.parametrize("role", ["origin", "replica", "local"])
def test_change_of_an_entry_by_any_statement_and_replication_role_is_refused(sql: str, role: str) -> None:
    entry = record_sample()
    run_sql(f"SET LOCAL session_replication_role = {role}")

    with pytest.raises(IntegrityError, match="append-only"):
        run_sql(sql)

    assert AuditEntry.objects.values_list("id", "action").get() == (entry.pk, "demo.seeded")


@pytest.mark.django_db
def test_insert_with_a_digest_of_another_body_is_refused() -> None:
    entry = record_sample()
    entry.pk = UUID(int=1)
    entry.body = b"{}"

    with pytest.raises(IntegrityError, match="audit_entry_digest_proves_body"), transaction.atomic():
        entry.save(force_insert=True)


@pytest.mark.django_db
def test_entry_read_back_proves_its_body() -> None:
    record_sample()

    stored = AuditEntry.objects.get()

    assert bytes(stored.digest) == compute_leaf(bytes(stored.body))
    assert abs((stored.recorded_at - stored.occurred_at).total_seconds()) < 60


@pytest.mark.django_db(transaction=True)
def test_flush_of_tests_leaves_the_trigger_on() -> None:
    with transaction.atomic():
        record_sample()

    assert isinstance(connection.ops, DatabaseOperations)
    truncate_as_owner(connection.ops, ["TRUNCATE audit_auditentry"])

    assert not AuditEntry.objects.exists()
    with pytest.raises(IntegrityError, match="append-only"):
        run_sql("TRUNCATE audit_auditentry")


@pytest.mark.django_db
def test_triggers_are_always_enabled() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'audit_auditentry'::regclass ORDER BY tgname"
        )
        assert cursor.fetchall() == [("audit_refuse_truncate", "A"), ("audit_refuse_update", "A")]

"""Audit entries and signed-in staff for tests."""

from datetime import datetime
from io import StringIO
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from uuid_utils.compat import uuid7

from audit.canonical import encode_canonical
from audit.context import AuditContext, build_system_context
from audit.enums import AuditAction, Origin, Outcome
from audit.journal import build_entry, compute_leaf, format_time
from audit.models import AuditEntry
from tests.factories.accounts import make_staff

SYSTEM = build_system_context(Origin.COMMAND, "tests")


def make_entry(
    action: AuditAction = AuditAction.DEMO_SEEDED,
    *,
    context: AuditContext = SYSTEM,
    customer_id: UUID | None = None,
    conversation_id: UUID | None = None,
    turn_id: UUID | None = None,
    outcome: Outcome = Outcome.OK,
    occurred_at: datetime | None = None,
    **details: Any,
) -> AuditEntry:
    """Store an entry, at a chosen time when given one: the journal knows only the present."""
    ids = {"customer_id": customer_id, "conversation_id": conversation_id, "turn_id": turn_id}
    entry = build_entry(context, action, subject=("sample", "1"), ids=ids, outcome=outcome, details=details)
    if occurred_at is not None:
        text, moment = format_time(entry.occurred_at), format_time(occurred_at)
        entry.occurred_at = occurred_at
        entry.body = bytes(entry.body).replace(text.encode(), moment.encode())
        entry.digest = compute_leaf(entry.body)
    with transaction.atomic():
        entry.save(force_insert=True)
    return entry


def make_body(**extra: Any) -> bytes:
    """Return the canonical body of a sample entry for tests of formats."""
    body: dict[str, Any] = {
        "v": 1,
        "log": "test",
        "id": str(uuid7()),
        "ts": "2026-01-31T15:00:00.000001Z",
        "type": "demo.seeded",
        "actor": {"kind": "system", "id": "tests"},
        "origin": "command",
        "object": {"kind": "sample", "id": "1"},
        "outcome": "ok",
        "corr": {},
        "details": {},
    }
    return encode_canonical({**body, **extra})


def make_role(role: str) -> User:
    """Return a staff member of one of the groups of `create_staff_roles`."""
    call_command("create_staff_roles", stdout=StringIO())
    user = make_staff()
    user.groups.add(Group.objects.get(name=role))
    return user


def sign_in(user: User) -> Client:
    """Return a browser in which `user` is signed in by password."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


# Bodies are written in canonical order by hand; `digest` is checked by the table itself.
FILL_SQL = """
INSERT INTO audit_auditentry (id, body, digest, action, outcome, actor_kind, actor_id, origin, subject, subject_id,
                              customer_id, conversation_id, turn_id, request_id, occurred_at)
SELECT id, body, sha256('\\x00'::bytea || body), action, outcome, 'customer', customer::text, 'ws', 'turn', turn::text,
       customer, conversation, turn, 'req-' || n, at
FROM (
    SELECT *, convert_to(format(
        '{"actor":{"id":"%%s","kind":"customer"},"corr":{"conversation":"%%s","customer":"%%s","request":"req-%%s",'
        '"turn":"%%s"},"details":{"bytes":%%s},"id":"%%s","log":"test","object":{"id":"%%s","kind":"turn"},'
        '"origin":"ws","outcome":"%%s","ts":"%%s","type":"%%s","v":1}',
        customer, conversation, customer, n, turn, n, id, turn, outcome,
        to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), action), 'UTF8') AS body
    FROM (
        SELECT n, at,
               (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3)
                || '8' || substr(md5(n::text), 4, 15))::uuid AS id,
               md5('customer' || n %% 1000)::uuid AS customer,
               md5('conversation' || n %% 20000)::uuid AS conversation,
               md5('turn' || n / 3)::uuid AS turn,
               (ARRAY['turn.started', 'model.asked', 'turn.finished'])[n %% 3 + 1] AS action,
               CASE WHEN n %% 500 = 0 THEN 'failed' ELSE 'ok' END AS outcome
        FROM generate_series(1, %s) n, LATERAL (SELECT timestamptz '2026-01-01Z' + n * interval '1 second' AS at) t
    ) drawn
) written
"""


def fill_entries(number: int) -> None:
    """Store `number` entries, one a second from 2026-01-01T00:00:01Z on, in one statement: for tests of size."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FILL_SQL, [number])

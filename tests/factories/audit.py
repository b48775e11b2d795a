"""Audit entries and signed-in staff for tests."""

from datetime import datetime
from io import StringIO
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import transaction
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

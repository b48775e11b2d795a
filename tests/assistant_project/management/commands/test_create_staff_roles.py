"""The groups have exactly their documented permissions, however often the command runs."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from assistant_project.management.commands.create_staff_roles import ROLES

pytestmark = pytest.mark.django_db


def create_roles() -> str:
    told = StringIO()
    call_command("create_staff_roles", stdout=told)
    return told.getvalue()


def read_roles() -> dict[str, set[str]]:
    return {
        group.name: {
            f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.select_related("content_type")
        }
        for group in Group.objects.all()
    }


def test_create_roles_twice_gives_each_exactly_its_permissions() -> None:
    create_roles()
    told = create_roles()

    assert read_roles() == ROLES
    assert "auditor: audit.export_auditentry, audit.view_auditentry\n" in told


def test_create_roles_takes_back_what_somebody_added() -> None:
    create_roles()
    Group.objects.get(name="operator").permissions.add(Permission.objects.get(codename="view_message"))

    create_roles()

    assert read_roles()["operator"] == ROLES["operator"]


def test_create_roles_before_migrations_says_what_is_missing() -> None:
    Permission.objects.filter(codename="export_auditentry").delete()

    with pytest.raises(CommandError, match=r"audit\.export_auditentry"):
        create_roles()

    assert not Group.objects.exists()


def test_no_role_may_both_export_evidence_and_read_messages() -> None:
    assert not [name for name, held in ROLES.items() if {"audit.export_auditentry", "chat.view_message"} <= held]

"""`manage.py create_staff_roles`: the groups of staff and exactly what each may see."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from typing_extensions import override

# What customers have and what was paid, masked.
BANK_PAGES = frozenset(
    {
        "accounts.view_account",
        "accounts.view_accountline",
        "accounts.view_bill",
        "accounts.view_card",
        "accounts.view_entry",
        "accounts.view_operation",
        "accounts.view_payee",
    }
)
ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        # Reads what the assistant told customers, and why.
        "compliance": frozenset(
            {
                "chat.view_conversation",
                "chat.view_message",
                "chat.view_turn",
                "chat.view_run",
                "chat.view_storedfile",
                "chat.view_gigachatfile",
                "audit.view_auditentry",
                "functions.view_functioncall",
                "functions.view_confirmation",
                "accounts.view_customer",
                "accounts.view_devicekey",
                "accounts.view_devicesession",
                "accounts.revoke_devicesession",
                *BANK_PAGES,
            }
        ),
        # Corrects what was posted wrongly; never reads a conversation.
        "backoffice": frozenset(
            {
                "accounts.view_customer",
                "accounts.reverse_operation",
                "functions.view_confirmation",
                *BANK_PAGES,
            }
        ),
        # Takes evidence away; never reads a conversation.
        "auditor": frozenset({"audit.view_auditentry", "audit.export_auditentry"}),
        # Sees how the machine runs and who is signed in; never a text or a name.
        "operator": frozenset(
            {
                "chat.view_turn",
                "chat.view_run",
                "chat.view_assistantprofile",
                "chat.view_modelprice",
                "chat.add_modelprice",
                "chat.view_usageday",
                "chat.view_gigachatfile",
                "accounts.view_devicesession",
                "accounts.revoke_devicesession",
            }
        ),
    }
)


class Command(BaseCommand):
    help = "Create the groups of staff, or bring them back to their documented permissions."

    @override
    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        for name, permissions in ROLES.items():
            group, _ = Group.objects.get_or_create(name=name)
            group.permissions.set(find_permissions(permissions))
            self.stdout.write(f"{name}: {', '.join(sorted(permissions))}")


def find_permissions(names: frozenset[str]) -> list[Permission]:
    """Return the permissions called `app.codename`.

    Raises: CommandError when one does not exist; migrations make them.
    """
    found = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type").filter(
            codename__in=[name.partition(".")[2] for name in names]
        )
    }
    missing = sorted(names - found.keys())
    if missing:
        raise CommandError(f"unknown permissions, migrate first: {', '.join(missing)}")
    return [found[name] for name in sorted(names)]

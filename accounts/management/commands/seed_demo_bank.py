"""`manage.py seed_demo_bank`: three customers and one member of staff for each role."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from typing_extensions import override

from accounts.demo.logins import ForeignUsers, SeededLogin, seed_demo
from audit.context import build_system_context
from audit.enums import Origin


class Command(BaseCommand):
    help = (
        "Create the demo bank's customers and staff. Running it again changes nothing and is quick. Permissions of "
        "staff come from create_staff_roles, before or after."
    )

    # The checks belong to the server; here they would cost more than the work.
    requires_system_checks = ()

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--passwords-file",
            type=Path,
            help="JSON object of user names and passwords, read if it exists and written back (mode 0600). Without it "
            "passwords are random and shown once.",
        )
        parser.add_argument("--json", action="store_true", help="Print the logins as JSON.")
        parser.add_argument("--force", action="store_true", help="Seed a database that has other users already.")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            logins = seed_demo(
                build_system_context(Origin.COMMAND, "seed_demo_bank"),
                options["passwords_file"],
                is_forced=options["force"],
            )
        except ForeignUsers:
            raise CommandError("this database has users of its own; --force seeds it nevertheless") from None
        except json.JSONDecodeError:
            # Its text would quote the file.
            raise CommandError("the passwords file is not JSON") from None
        except (OSError, ValueError) as error:
            raise CommandError(f"the passwords file cannot be used: {error}") from None
        self.stdout.write(format_json(logins) if options["json"] else format_table(logins))


def format_json(logins: list[SeededLogin]) -> str:
    rows = [{"username": row.username, "role": row.role, "password": row.password} for row in logins]
    return json.dumps({"logins": rows}, ensure_ascii=False)


def format_table(logins: list[SeededLogin]) -> str:
    return "\n".join(f"{row.role:<14} {row.username:<10} {row.password or '(set earlier)'}" for row in logins)

"""The demo's database: migrated and seeded before the server starts."""

from io import StringIO

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts.demo.logins import CUSTOMERS, ForeignUsers, SeededLogin, seed_demo
from accounts.demo.seeding import SeedPlan, have_logins_accounts, seed_logins
from accounts.local_days import to_local_date
from assistant_project.embedded.errors import StartRefused
from assistant_project.embedded.run_directory import RunDirectory
from assistant_project.embedded.steps import show_step
from assistant_project.environment import parse_database_url
from audit.context import AuditContext, build_system_context
from audit.enums import Origin

PASSWORDS_FILE = "passwords.json"
DEMO_SEED, DEMO_MONTHS = 42, 18
LANGUAGES = {row.username: row.language.value for row in CUSTOMERS}


def prepare_database(database_url: str, directory: RunDirectory) -> list[dict[str, str]]:
    """Migrate and seed, and return the demo logins.

    Raises: StartRefused when the database does not answer.
    """
    use_database(database_url)
    with show_step("database") as step:
        try:
            migrated = migrate_if_needed()
        except OperationalError as error:
            raise StartRefused("the database of DATABASE_URL does not answer") from error
        logins = seed(directory)
        connections.close_all()
        step.detail = f"{'migrated' if migrated else 'up to date'}, {len(logins)} demo logins"
    return logins


def use_database(url: str) -> None:
    """Point this process at the database that was started after its settings were read, as Django's test runner does.

    One connection is enough here, so there is no pool whose threads would outlive it.
    """
    entry = connections.databases["default"]
    entry.update(parse_database_url(url))
    entry["OPTIONS"] = {name: value for name, value in entry["OPTIONS"].items() if name != "pool"}


def migrate_if_needed() -> bool:
    """Apply what is missing; looking first is ten times faster than `migrate` with nothing to do."""
    executor = MigrationExecutor(connections["default"])
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    call_command("migrate", verbosity=0, interactive=False)
    return True


def seed(directory: RunDirectory) -> list[dict[str, str]]:
    """Fill the demo bank, once, and return the logins of its people.

    Raises: StartRefused when the given database is somebody's real one.
    """
    call_command("create_staff_roles", verbosity=0, stdout=StringIO())
    context = build_system_context(Origin.COMMAND, "demo")
    try:
        logins = seed_demo(context, directory.path / PASSWORDS_FILE)
    except ForeignUsers as error:
        raise StartRefused("the database of DATABASE_URL has users of its own; the demo needs an empty one") from error
    except (OSError, ValueError) as error:
        raise StartRefused(f"{directory.path / PASSWORDS_FILE} cannot be used; delete it") from error
    fill_bank(context)
    return [describe_login(login) for login in logins]


def fill_bank(context: AuditContext) -> None:
    """Give the demo's customers accounts and a history that ends yesterday, once; later starts only look.

    Raises: StartRefused when the ledger is not sound afterwards
    """
    if have_logins_accounts():
        return
    outcome = seed_logins(context, SeedPlan(seed=DEMO_SEED, months=DEMO_MONTHS, as_of=to_local_date(timezone.now())))
    if outcome.findings:
        raise StartRefused("the demo's ledger is not sound: run manage.py ledger_check")


def describe_login(login: SeededLogin) -> dict[str, str]:
    language = LANGUAGES.get(login.username, settings.LANGUAGE_CODE)
    return {
        "role": login.role,
        "username": login.username,
        "password": login.password or "",
        "language": str(language),
    }

"""The demo's database: migrated and seeded before the server starts."""

from django.core.management import call_command
from django.db import OperationalError, connections
from django.db.migrations.executor import MigrationExecutor

from assistant_project.embedded.errors import StartRefused
from assistant_project.embedded.run_directory import RunDirectory
from assistant_project.embedded.steps import show_step
from assistant_project.environment import parse_database_url


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
    """Fill the demo bank, once, and return the logins of its people."""
    path = directory.path / "logins.json"
    call_command("seed_demo_bank", logins_file=path, verbosity=0)
    logins: list[dict[str, str]] = directory.read_json("logins.json")["logins"]
    return logins

"""`manage.py demo`: the whole product on this machine, until Ctrl-C."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from typing_extensions import override

from assistant_project.embedded.errors import StartRefused
from assistant_project.embedded.postgres import delete_data
from assistant_project.embedded.run_directory import RunDirectory
from assistant_project.embedded.supervisor import Demo


class Command(BaseCommand):
    help = "Start PostgreSQL, the GigaChat sandbox, the server and the upkeep; stop them at Ctrl-C."
    requires_system_checks = []

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        kept = settings.BASE_DIR / ".run"
        parser.add_argument("--run-dir", type=Path, default=kept, help="where data, logs and logins are kept (.run)")
        parser.add_argument("--forget", action="store_true", help="delete everything a stopped demo has kept")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        run_path = options["run_dir"].resolve()
        try:
            if options["forget"]:
                forget(RunDirectory(run_path))
            else:
                Demo(run_path).run()
        except (StartRefused, OSError) as error:  # OSError: a full disk, a directory that may not be written
            sys.exit(f"error: {error}")


def forget(directory: RunDirectory) -> None:
    """Raises: StartRefused while a demo runs."""
    directory.lock()
    delete_data(directory.path / "postgres")
    directory.delete()

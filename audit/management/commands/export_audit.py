"""`manage.py export_audit`: write audit entries to a file or to standard output."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from typing_extensions import override

from audit.context import build_system_context
from audit.enums import Origin
from audit.errors import ExportRefused
from audit.export.filters import OPTIONS, parse_filter
from audit.export.formats import ExportFormat
from audit.export.job import open_export

STANDARD_OUTPUT = "-"


class Command(BaseCommand):
    help = "Export audit entries, oldest first, as one consistent snapshot. The export is itself recorded."

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=ExportFormat.values, default=ExportFormat.JSONL.value)
        parser.add_argument("--from", default="", help="first moment, ISO date or time; UTC without an offset")
        parser.add_argument("--to", default="", help="end: a date includes that day, a time is the first left out")
        parser.add_argument("--customer", default="", help="only entries about this customer (id)")
        parser.add_argument("--action", default="", help="only this action, for example turn.finished")
        parser.add_argument("--conversation", default="", help="only entries about this conversation (id)")
        parser.add_argument("--output", default=STANDARD_OUTPUT, help="file to write, readable by you only; - prints")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            chosen = parse_filter({name: options[name] or "" for name in OPTIONS})
        except ExportRefused as error:
            raise CommandError(f"--{error.option}: {error.rule}") from error
        context = build_system_context(Origin.COMMAND, "export_audit")
        try:
            with open_output(options["output"]) as file:
                export = open_export(context, chosen, kind=ExportFormat(options["format"]))
                # A full disk must end the export at once, so that its entry says aborted.
                with closing(iter(export)) as chunks:
                    file.writelines(chunks)
        except OSError as error:
            raise CommandError(f"--output: {error.strerror}") from error
        self.stderr.write(f"rows {export.row_count}  sha256 {export.sha256}", style_func=str)


@contextmanager
def open_output(name: str) -> Iterator[IO[bytes]]:
    """Yield standard output, or a private file that takes the name `name` only when everything was written.

    A device or pipe of that name is written to as it is: to put a file in its place would break the machine.
    """
    if name == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(name)
    if target.exists() and not target.is_file():
        with target.open("wb") as device:
            yield device
        return
    # mkstemp makes it readable by the owner only, in the same folder so that the rename cannot be half done.
    descriptor, part = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(part).replace(target)
    finally:
        with suppress(FileNotFoundError):
            Path(part).unlink()

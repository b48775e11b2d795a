"""`manage.py sweep_files [--json]`: delete files that are due, here and at GigaChat.

The upkeep does the same by itself. Exit code 1 when GigaChat could not be asked.
"""

import json
import sys
from argparse import ArgumentParser
from contextlib import closing
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from typing_extensions import override

from audit.context import build_system_context
from audit.enums import Origin
from chat.engine.sweep import SweepReport, sweep_files
from chat.gigachat.errors import GigaChatError
from chat.gigachat.rest import build_rest_client


class Command(BaseCommand):
    help = "Delete files that are due, here and at GigaChat; may run at any time, also twice at once."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        context = build_system_context(Origin.COMMAND, "sweep_files")
        try:
            client = build_rest_client()
        except GigaChatError as error:
            raise CommandError(f"GigaChat cannot be asked: {error.code}") from None
        with closing(client):
            report = sweep_files(client, context, timezone.now())
        self.stdout.write(json.dumps(asdict(report)) if options["json"] else describe_report(report))
        if report.fault:
            sys.exit(1)


def describe_report(report: SweepReport) -> str:
    counts = {name: count for name, count in asdict(report).items() if count and name != "fault"}
    done = ", ".join(f"{name}: {count}" for name, count in counts.items()) or "nothing was due"
    return f"{done}; GigaChat was not swept: {report.fault}" if report.fault else done

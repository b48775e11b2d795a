"""`manage.py ledger_check`: prove every identity of the ledger, or name what is wrong."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from typing_extensions import override

from accounts.ledger_check import Finding, check_ledger
from accounts.ledger_schema import read_rules


class Command(BaseCommand):
    help = (
        "Check that counters are the sums of entries, debits equal credits, lines continue each other and match their "
        "entries, clearing accounts are settled, no hold is overdue, and every constraint and trigger is in place. "
        "Ends with 0 when all of it holds, with 1 when not."
    )

    requires_system_checks = ()

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the findings as JSON.")
        parser.add_argument(
            "--rules", action="store_true", help="Print the rules of this database for accounts/ledger_schema.py."
        )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        if options["rules"]:
            self.stdout.write("\n".join(f'        "{name}": "{digest}",' for name, digest in read_rules().items()))
            return
        findings = check_ledger(now=timezone.now())
        if options["json"]:
            body = {"ok": not findings, "findings": [asdict(finding) for finding in findings]}
            self.stdout.write(json.dumps(body))
        elif not findings:
            self.stdout.write("the ledger is sound")
        if findings:
            raise CommandError("\n".join(["the ledger is not sound", *map(describe_finding, findings)]))


def describe_finding(finding: Finding) -> str:
    return f"{finding.identity}: {finding.subject} {finding.subject_id}: {finding.problem}"

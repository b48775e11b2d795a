"""`manage.py seed_demo`: customers with months of history, the same for the same seed; see docs/demo-data.md."""

import json
import time
from argparse import ArgumentTypeError
from dataclasses import asdict
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError
from django.utils import timezone
from typing_extensions import override

from accounts.demo.seeding import NoSuchLogin, SeedOutcome, SeedPlan, seed_crowd, seed_logins
from accounts.local_days import to_local_date
from audit.context import build_system_context
from audit.enums import Origin

MOST_CUSTOMERS, MOST_MONTHS, MOST_WORKERS = 50_000, 120, 16


class Command(BaseCommand):
    help = (
        "Fill the demo bank with made-up customers and their history. The same seed gives the same data and digest; "
        "customers that are there already stay as they are. Ends with ledger_check, and with 1 when that finds "
        "anything. --profile small gives the three demo logins their accounts instead."
    )

    requires_system_checks = ()

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=200, help="How many, with --profile mixed (200).")
        parser.add_argument("--months", type=int, default=18, help="Length of the history (18).")
        parser.add_argument("--seed", type=int, default=42, help="Which made-up bank, 0 or more (42).")
        parser.add_argument(
            "--as-of", type=parse_day, default=None, help="YYYY-MM-DD: the history ends the day before (today)."
        )
        parser.add_argument("--workers", type=int, default=2, help="Threads that write a crowd at once (2).")
        parser.add_argument("--profile", choices=["mixed", "small"], default="mixed")
        parser.add_argument(
            "--adversarial", action="store_true", help="Hostile memos, merchants and payees among the honest ones."
        )
        parser.add_argument("--json", action="store_true", help="Print the outcome as JSON.")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        check_range("customers", options["customers"], MOST_CUSTOMERS)
        check_range("months", options["months"], MOST_MONTHS)
        check_range("workers", options["workers"], MOST_WORKERS)
        if options["seed"] < 0:
            raise CommandError("--seed is 0 or more")
        plan = SeedPlan(
            seed=options["seed"],
            months=options["months"],
            as_of=options["as_of"] or to_local_date(timezone.now()),
            adversarial=options["adversarial"],
        )
        started = time.monotonic()
        outcome = seed(plan, options["profile"], options["customers"], workers=options["workers"])
        seconds = round(time.monotonic() - started, 1)
        self.stdout.write(format_json(outcome, seconds) if options["json"] else format_text(outcome, seconds))
        if outcome.findings:
            raise CommandError("the ledger is not sound: run ledger_check")


def seed(plan: SeedPlan, profile: str, customers: int, *, workers: int) -> SeedOutcome:
    context = build_system_context(Origin.COMMAND, "seed_demo")
    try:
        if profile == "small":
            return seed_logins(context, plan)
        return seed_crowd(context, plan, customers=customers, workers=workers)
    except NoSuchLogin:
        raise CommandError("the demo logins are not there: run seed_demo_bank first") from None
    except IntegrityError as error:
        raise CommandError("another seed's customers have these account numbers; choose another seed") from error


def parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("a day is YYYY-MM-DD") from None


def check_range(name: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise CommandError(f"--{name} is 1 to {most}")


def format_json(outcome: SeedOutcome, seconds: float) -> str:
    return json.dumps({**asdict(outcome), "seconds": seconds})


def format_text(outcome: SeedOutcome, seconds: float) -> str:
    sound = "sound" if not outcome.findings else f"{len(outcome.findings)} findings"
    return (
        f"customers {outcome.customers} (+{outcome.known} known), operations {outcome.operations}, "
        f"lines {outcome.lines}, {seconds} s\nledger: {sound}\ndigest {outcome.digest}"
    )

"""`manage.py reconcile_transfers`: by hand what the upkeep does by itself, so that no payment stays unknown."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from typing_extensions import override

from accounts.gateways.installed import get_gateway
from accounts.services.upkeep import run_upkeep
from audit.context import build_system_context
from audit.enums import Origin


class Command(BaseCommand):
    help = (
        "Ask the payment gateway about every operation without a final answer, under the id it was sent with; let "
        "unclaimed card holds expire; settle the clearing accounts once a day. Running it twice does no harm."
    )

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the counts as JSON.")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        context = build_system_context(Origin.COMMAND, "reconcile_transfers")
        done = asdict(run_upkeep(context, gateway=get_gateway(), now=timezone.now()))
        text = json.dumps(done) if options["json"] else ", ".join(f"{name}: {count}" for name, count in done.items())
        self.stdout.write(text)

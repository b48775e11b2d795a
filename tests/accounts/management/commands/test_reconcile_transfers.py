import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.gateways.demo import DemoGateway
from accounts.models import Account, Operation
from accounts.services.card_payments import submit_card_purchase
from accounts.services.outgoing import submit_sbp_transfer
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    build_context,
    build_purchase,
    build_sbp_transfer,
    make_account,
    make_card,
    make_payee,
)

pytestmark = pytest.mark.django_db


def test_command_learns_outcomes_expires_holds_and_settles() -> None:
    now = timezone.now()
    customer = make_customer()
    source = make_account(customer, balance=100_000, now=now - timedelta(days=40))
    card = make_card(source)
    order = build_purchase(card, 10)
    submit_card_purchase(build_context(), order=order, now=now - timedelta(days=31))
    gateway = DemoGateway()
    for ending in ("93", "96", "98", "01"):
        payee = make_payee(customer, f"+700000002{ending}")
        transfer = build_sbp_transfer(source, payee, 1_000)
        submit_sbp_transfer(build_context(), order=transfer, gateway=gateway, now=now - timedelta(minutes=5))

    out = StringIO()
    call_command("reconcile_transfers", "--json", stdout=out)

    assert json.loads(out.getvalue()) == {"ended": 2, "unknown": 1, "expired": 1, "settled": 1}
    statuses = (
        Operation.objects.filter(customer=customer, kind="sbp_out").order_by("pk").values_list("status", flat=True)
    )
    assert list(statuses) == ["voided", "posted", "pending", "posted"]
    assert Account.objects.get(code="clearing.sbp").booked.minor == 0

    out = StringIO()
    call_command("reconcile_transfers", stdout=out)
    # The unknown one was asked about a moment ago.
    assert out.getvalue() == "ended: 0, unknown: 0, expired: 0, settled: 1\n"

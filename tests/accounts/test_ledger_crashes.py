"""A process that dies at any marked point leaves the ledger sound, and the same order then happens exactly once."""

import os
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from accounts.enums import Frequency
from accounts.gateways.demo import DemoGateway
from accounts.ledger_check import check_ledger
from accounts.models import Account, Customer, Operation, RefusedOrder, ScheduledPayment
from accounts.money import Money
from accounts.services.gateway_orders import reconcile_transfers
from accounts.services.outgoing import submit_sbp_transfer
from accounts.services.scheduled import PaidCount, pay_scheduled
from accounts.services.schedules import schedule_payment
from accounts.services.transfers import submit_own_transfer
from audit.models import AuditEntry
from tests.accounts.crashing import AMOUNT, KEY
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    NOW,
    build_context,
    build_own_transfer,
    build_sbp_transfer,
    make_account,
    make_payee,
    read_books,
)

pytestmark = pytest.mark.django_db(transaction=True)

INSIDE = (
    "pg_advisory_xact_lock",
    "FOR NO KEY UPDATE",
    'INSERT INTO "accounts_operation"',
    'INSERT INTO "accounts_entry"',
    'INSERT INTO "accounts_accountline"',
    'UPDATE "accounts_operation"',
    'INSERT INTO "audit_auditentry"',
)
# After the hold's commit: told nobody, told and not heard, heard and not written, half written.
OUTSIDE = ("<send>", "<answer>", 'UPDATE "accounts_gatewayorder" SET "answer"', 'UPDATE "accounts_operation"')


def build_url() -> str:
    found = connection.settings_dict
    host = quote(found["HOST"] or "", safe="")
    port = f":{found['PORT']}" if found["PORT"] else ""
    password = f":{quote(found['PASSWORD'], safe='')}" if found["PASSWORD"] else ""
    return f"postgres://{found['USER']}{password}@{host}{port}/{found['NAME']}"


def crash(*arguments: str) -> None:
    """Run the act in a child; it must have died at the point."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE_URL": build_url(),
    }
    command = [sys.executable, "-m", "tests.accounts.crashing", *arguments]
    directory = Path(settings.BASE_DIR)
    done = subprocess.run(command, env=environment, cwd=directory, capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def get_holder(account: Account) -> Customer:
    assert account.customer is not None
    return account.customer


def make_pair() -> tuple[Account, Account]:
    customer = make_customer()
    return make_account(customer, balance=10_000), make_account(customer)


@pytest.mark.parametrize("point", INSIDE)
def test_own_transfer_killed_inside_leaves_nothing_and_happens_once_afterwards(point: str) -> None:
    source, target = make_pair()

    crash("own", point, str(source.public_id), str(target.public_id))

    assert (read_books(source)[0], read_books(target)[0]) == (10_000, 0)
    assert not Operation.objects.filter(idem_key=KEY).exists()
    posted = AuditEntry.objects.filter(action="transfer.posted")
    before = posted.count()
    order = build_own_transfer(source, target, AMOUNT, key=KEY)
    operations = {submit_own_transfer(build_context(), order=order, now=NOW).pk for _ in range(2)}
    assert (len(operations), posted.count() - before) == (1, 1)
    assert (read_books(source)[0], read_books(target)[0]) == (6_000, 4_000)
    assert check_ledger(now=NOW) == []


@pytest.mark.parametrize("point", OUTSIDE)
def test_sbp_transfer_killed_after_the_hold_is_finished_by_the_reconciler_once(point: str) -> None:
    source, _ = make_pair()
    payee = make_payee(get_holder(source))

    crash("sbp", point, str(source.public_id), str(payee.public_id))

    assert read_books(source) == (10_000, 6_000, 6_000)
    order = build_sbp_transfer(source, payee, AMOUNT, key=KEY)
    gateway = DemoGateway()
    later = NOW + timedelta(seconds=60)
    found = submit_sbp_transfer(build_context(), order=order, gateway=gateway, now=later)
    reconcile_transfers(build_context(), gateway=gateway, now=later + timedelta(seconds=60))
    found.refresh_from_db()
    assert (found.status, read_books(source)) == ("posted", (6_000, 6_000, 6_000))
    assert Operation.objects.filter(idem_key=KEY).count() == 1
    assert AuditEntry.objects.filter(action="hold.posted", subject_id=str(found.public_id)).count() == 1
    assert check_ledger(now=later) == []


@pytest.mark.parametrize("point", ["accounts_gatewayorder", 'INSERT INTO "accounts_entry"'])
def test_sbp_transfer_killed_before_the_hold_commits_leaves_nothing(point: str) -> None:
    source, _ = make_pair()
    payee = make_payee(get_holder(source))

    crash("sbp", point, str(source.public_id), str(payee.public_id))

    assert read_books(source) == (10_000, 10_000, 10_000)
    assert check_ledger(now=NOW) == []


def schedule(source: Account, minor: int) -> ScheduledPayment:
    holder = get_holder(source)
    return schedule_payment(
        build_context(),
        customer_id=holder.pk,
        account_id=source.public_id,
        payee_id=make_payee(holder).public_id,
        amount=Money(minor),
        frequency=Frequency.MONTHLY,
        first_on=NOW.date(),
        title="",
        now=NOW,
    )


@pytest.mark.parametrize(
    ("point", "paid"),
    [
        ('UPDATE "accounts_scheduledpayment"', 1),  # money held and date moved, nothing committed
        ("<answer>", 0),  # committed, the gateway has paid and nobody heard it
    ],
)
def test_scheduled_payment_killed_anywhere_is_paid_once(point: str, paid: int) -> None:
    source, _ = make_pair()
    payment = schedule(source, AMOUNT)

    crash("scheduled", point)

    gateway = DemoGateway()
    later = NOW + timedelta(seconds=60)
    assert pay_scheduled(build_context(), gateway=gateway, now=later) == PaidCount(paid=paid)
    reconcile_transfers(build_context(), gateway=gateway, now=later)
    payment.refresh_from_db()
    assert (payment.status, payment.next_on, read_books(source)) == ("active", date(2026, 12, 1), (6_000, 6_000, 6_000))
    assert AuditEntry.objects.filter(action="schedule.executed").count() == 1
    assert check_ledger(now=later) == []


def test_scheduled_payment_killed_after_its_refusal_was_stored_is_refused_once() -> None:
    source, _ = make_pair()
    payment = schedule(source, 50_000)

    crash("scheduled", 'UPDATE "accounts_scheduledpayment"')

    assert RefusedOrder.objects.count() == 1
    assert pay_scheduled(build_context(), gateway=DemoGateway(), now=NOW) == PaidCount(refused=1)
    payment.refresh_from_db()
    assert (payment.next_on, RefusedOrder.objects.count()) == (date(2026, 12, 1), 1)
    for action in ("transfer.refused", "schedule.refused"):
        assert AuditEntry.objects.filter(action=action).count() == 1, action

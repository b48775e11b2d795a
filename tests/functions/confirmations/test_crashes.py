"""A process killed between any two steps from the yes to the money: nothing is lost, nothing happens twice."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings

from accounts.gateways.installed import get_gateway
from accounts.keys import encode_base64url
from accounts.ledger_check import check_ledger
from accounts.models import Account, Operation
from accounts.services.gateway_orders import reconcile_transfers
from accounts.services.idempotency import retry_transaction
from audit.models import AuditEntry
from functions.confirmations.settling import ask_gateway, list_unsettled, settle_confirmation
from functions.enums import CallStatus, ConfirmationState
from functions.models import Confirmation
from tests.accounts.test_ledger_crashes import build_url
from tests.factories.accounts import make_customer
from tests.factories.confirmations import Phone, ask_own_transfer, ask_phone_transfer, make_phone
from tests.factories.ledger import NOW, build_context, make_account, make_payee, read_books

pytestmark = pytest.mark.django_db(transaction=True)

INSIDE = (
    "FOR NO KEY UPDATE",
    'UPDATE "functions_confirmation" SET "decided_at"',
    "SAVEPOINT",
    'INSERT INTO "accounts_operation"',
    'INSERT INTO "accounts_entry"',
    "RELEASE SAVEPOINT",
    'UPDATE "functions_confirmation" SET "state"',
    'UPDATE "functions_functioncall"',
)
# After the decision's commit: told nobody, told and not heard, heard and half written, settled and not committed.
OUTSIDE = (
    "<send>",
    "<answer>",
    'UPDATE "accounts_gatewayorder" SET "answer"',
    'later:UPDATE "functions_confirmation" SET "state"',
    'later:UPDATE "functions_functioncall"',
)
Case = tuple[str, Account, Confirmation, Phone]


def crash(cases: Sequence[Case]) -> None:
    """Approve each confirmation in a process of its own, which must have died at its point."""
    orders = [
        {
            "point": point,
            "confirmation": str(asked.pk),
            "session": str(phone.session.pk),
            "kid": phone.row.kid,
            "signature": encode_base64url(phone.build_decision(asked).sig),
        }
        for point, _, asked, phone in cases
    ]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "TEST_DATABASE_URL": build_url()}
    command = [sys.executable, "-m", "tests.functions.confirmations.crashing", json.dumps(orders)]
    directory = Path(settings.BASE_DIR)
    done = subprocess.run(command, env=environment, cwd=directory, capture_output=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_killed_inside_the_decision_leaves_a_question_that_can_be_answered_once() -> None:
    cases: list[Case] = []
    for point in INSIDE:
        customer = make_customer()
        source, target = make_account(customer, balance=100_000), make_account(customer)
        cases.append((point, source, ask_own_transfer(source, target), make_phone(customer)))

    crash(cases)

    for point, source, asked, phone in cases:
        asked.refresh_from_db()
        asked.call.refresh_from_db()
        assert (asked.state, asked.decided_at, asked.call.status) == (
            ConfirmationState.PENDING,
            None,
            CallStatus.WAITING,
        ), point
        assert not Operation.objects.filter(idem_key=str(asked.pk)).exists(), point
        assert not AuditEntry.objects.filter(action="fn.confirmed", subject_id=str(asked.pk)).exists(), point
        assert [phone.decide(asked).refusal is None for _ in range(2)] == [True, False], point
        assert (read_books(source)[0], Operation.objects.filter(idem_key=str(asked.pk)).count()) == (50_000, 1), point
    assert check_ledger(now=NOW) == []


def test_killed_after_the_decision_is_finished_by_sweeper_and_reconciler_once() -> None:
    cases: list[Case] = []
    for point in OUTSIDE:
        customer = make_customer()
        source = make_account(customer, balance=100_000)
        cases.append((point, source, ask_phone_transfer(source, make_payee(customer)), make_phone(customer)))

    crash(cases)

    later = NOW + timedelta(minutes=2)
    assert {asked.pk for _, _, asked, _ in cases} == {row.pk for row in list_unsettled(later)}
    for _ in range(2):
        reconcile_transfers(build_context(), gateway=get_gateway(), now=later)
        for row in list_unsettled(later):
            ask_gateway(build_context(), confirmation_id=row.pk, now=later)
            retry_transaction(partial(settle_confirmation, build_context(), confirmation_id=row.pk, now=later))
    for point, source, asked, _ in cases:
        asked.refresh_from_db()
        asked.call.refresh_from_db()
        assert (asked.state, asked.call.status) == (ConfirmationState.EXECUTED, CallStatus.OK), point
        assert json.loads(asked.call.result)["data"]["status"] == "executed", point
        assert (read_books(source)[0], Operation.objects.filter(idem_key=str(asked.pk)).count()) == (50_000, 1), point
    assert list_unsettled(later) == []
    assert check_ledger(now=later) == []

import traceback

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.errors import InsufficientFunds
from accounts.models import BankDirectory
from accounts.services.transfers import submit_own_transfer
from accounts.services.violations import REFUSALS, translate_violations
from tests.factories.ledger import NOW, build_context, build_own_transfer, make_account, make_bank

pytestmark = pytest.mark.django_db


def test_a_rule_that_is_no_refusal_stays_an_error_of_the_database() -> None:
    make_bank("049999999")
    with pytest.raises(IntegrityError), transaction.atomic(), translate_violations():
        BankDirectory(bik="049999999", name="").save(force_insert=True)


def test_every_translated_rule_exists() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint UNION SELECT relname FROM pg_class WHERE relkind = 'i'")
        rules = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT string_agg(prosrc, '') FROM pg_proc WHERE proname LIKE 'accounts%'")
        raised = cursor.fetchone()[0]
    assert [name for name in REFUSALS if name not in rules and f"'{name}'" not in raised] == []


def test_a_refusal_shows_nothing_of_the_row() -> None:
    source = make_account(balance=777)
    order = build_own_transfer(source, make_account(source.customer), 77_777)
    with pytest.raises(InsufficientFunds) as refusal:
        submit_own_transfer(build_context(), order=order, now=NOW)
    shown = "".join(traceback.format_exception(refusal.value))
    assert "Failing row" not in shown
    assert (source.number or "") not in shown

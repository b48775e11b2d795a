import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import CharField

from accounts.enums import EntryPhase, OperationStatus
from accounts.errors import HoldResolved
from accounts.models import Account, AccountLine
from accounts.money import Money
from accounts.services.accounts import get_bank_account
from accounts.services.posting import (
    Movement,
    add_entry,
    finish_operation,
    lock_accounts,
    resume_operation,
    start_operation,
    sum_movements,
)
from tests.factories.ledger import NOW, build_context, build_own_transfer, make_account

pytestmark = pytest.mark.django_db


def test_an_operation_ends_once_and_takes_no_more_entries() -> None:
    source = make_account(balance=100)
    target = make_account(source.customer)
    draft = start_operation(build_own_transfer(source, target, 10), at=NOW, zone="Europe/Moscow")
    entry = add_entry(draft, Movement(debit=source, credit=target, amount=Money(10)))
    finish_operation(draft, OperationStatus.POSTED)

    with pytest.raises(HoldResolved):
        finish_operation(draft, OperationStatus.VOIDED)
    with pytest.raises(HoldResolved):
        resume_operation(draft.operation, at=NOW)
    with pytest.raises(HoldResolved), transaction.atomic():
        add_entry(draft, Movement(debit=source, credit=target, amount=Money(10)))
    assert sum_movements([entry]) == {(source.pk, target.pk): 10}


def test_an_operation_left_without_entries_does_not_commit() -> None:
    source = make_account(balance=100)
    start_operation(build_own_transfer(source, source, 10), at=NOW, zone="Europe/Moscow")
    with pytest.raises(IntegrityError, match="pending does not fit its entries"):
        connection.check_constraints()
    # Otherwise the test's own end would notice it as well.
    transaction.set_rollback(True)


def test_accounts_are_locked_in_their_order_and_once_each() -> None:
    source = make_account()
    target = make_account(source.customer)
    rows = lock_accounts([target.pk, source.pk, target.pk])
    assert list(rows) == sorted([source.pk, target.pk])


def test_balances_of_lines_come_from_the_database_whatever_is_given() -> None:
    source = make_account(balance=100)
    target = make_account(source.customer)
    draft = start_operation(build_own_transfer(source, target, 10), at=NOW, zone="Europe/Moscow")
    for minor in (10, 20):
        add_entry(draft, Movement(debit=source, credit=target, amount=Money(minor), phase=EntryPhase.POSTED))
    finish_operation(draft, OperationStatus.POSTED)
    lines = AccountLine.objects.filter(operation=draft.operation, account=source).order_by("pk")
    assert [line.balance_after for line in lines] == [90, 70]


@pytest.mark.django_db(transaction=True)
def test_a_bank_account_that_many_need_for_the_first_time_opens_once() -> None:
    start = threading.Barrier(4)

    def ask() -> int:
        start.wait(timeout=5)
        try:
            with transaction.atomic():
                return get_bank_account(build_context(), "clearing.sbp", currency="RUB", now=NOW).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(ask) for _ in range(4)]
        found = {future.result(timeout=20) for future in futures}
    assert found == set(Account.objects.values_list("pk", flat=True))


def test_no_row_shows_a_name_or_number_as_its_text() -> None:
    for model in apps.get_app_config("accounts").get_models():
        names = [field.name for field in model._meta.concrete_fields if isinstance(field, CharField)]
        row = model(**{name: f"<{name}>" for name in names})
        shown = str(row)
        assert not {
            name for name in ("number", "shown_name", "first_name", "last_name", "title") if f"<{name}>" in shown
        }
        assert shown

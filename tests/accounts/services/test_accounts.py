from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError

from accounts.enums import AccountKind, AccountStatus
from accounts.errors import AccountUnavailable, NotFound, RequisitesMalformed
from accounts.models import Account
from accounts.money import CURRENCIES, Money
from accounts.services.accounts import (
    BANK_ACCOUNTS,
    close_account,
    freeze_account,
    get_bank_account,
    open_account,
    open_bank_accounts,
    unfreeze_account,
)
from accounts.services.transfers import submit_own_transfer
from audit.models import AuditEntry
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    BIK,
    NOW,
    build_context,
    build_number,
    build_own_transfer,
    get_holder_id,
    make_account,
    make_bank,
)

pytestmark = pytest.mark.django_db


def list_actions(account: Account) -> list[str]:
    entries = AuditEntry.objects.filter(subject_id=str(account.public_id)).order_by("recorded_at", "pk")
    return [entry.action for entry in entries]


def test_open_account_starts_empty_with_its_evidence() -> None:
    account = make_account()
    account.refresh_from_db()
    assert (account.booked, account.available, account.expected) == (Money(0), Money(0), Money(0))
    assert (account.side, account.is_guarded, account.last4) == ("C", True, (account.number or "")[-4:])
    assert str(account) == str(account.public_id)
    assert list_actions(account) == ["account.opened"]


@pytest.mark.parametrize("kind", [AccountKind.CLEARING, AccountKind.EQUITY])
def test_open_account_of_the_banks_own_kind_is_refused(kind: AccountKind) -> None:
    make_bank()
    with pytest.raises(RequisitesMalformed):
        open_account(
            build_context(),
            customer_id=make_customer().pk,
            kind=kind,
            bik=BIK,
            number=build_number(),
            currency="RUB",
            title="",
            now=NOW,
        )


def test_open_account_needs_a_right_number_of_its_currency() -> None:
    make_bank()
    number = build_number("840")
    wrong_key = f"{number[:8]}{(int(number[8]) + 1) % 10}{number[9:]}"
    for given, error in ((wrong_key, RequisitesMalformed), (number, IntegrityError)):
        with pytest.raises(error):
            open_account(
                build_context(),
                customer_id=make_customer().pk,
                kind=AccountKind.CURRENT,
                bik=BIK,
                number=given,
                currency="RUB",
                title="",
                now=NOW,
            )


def test_bank_accounts_open_once_in_every_currency() -> None:
    for _ in range(2):
        open_bank_accounts(build_context(), now=NOW)
    own = Account.objects.filter(customer__isnull=True)
    assert own.count() == len(BANK_ACCOUNTS) * len(CURRENCIES)
    assert AuditEntry.objects.filter(action="account.opened").count() == own.count()
    position = get_bank_account(build_context(), "position.correspondent", currency="RUB", now=NOW)
    assert (position.side, position.is_guarded, position.last4) == ("D", False, "")
    with pytest.raises(KeyError):
        get_bank_account(build_context(), "nothing", currency="RUB", now=NOW)


def test_balances_of_an_asset_grow_by_debits() -> None:
    make_account(balance=500)
    position = Account.objects.get(code="position.correspondent")
    assert (position.booked, position.held_out, position.held_in) == (Money(500), Money(0), Money(0))


def test_frozen_account_pays_again_after_it_is_unfrozen() -> None:
    source = make_account(balance=1_000)
    target = make_account(source.customer)
    for number, (account, status) in enumerate(
        [(source, AccountStatus.DEBIT_BLOCKED), (source, AccountStatus.BLOCKED), (target, AccountStatus.BLOCKED)]
    ):
        freeze_account(build_context(), account_id=account.public_id, status=status, reason="court")
        with pytest.raises(AccountUnavailable):
            submit_own_transfer(
                build_context(), order=build_own_transfer(source, target, 1, key=f"no-{number}"), now=NOW
            )
        unfreeze_account(build_context(), account_id=account.public_id, reason="court")
        order = build_own_transfer(source, target, 1, key=f"yes-{number}")
        assert submit_own_transfer(build_context(), order=order, now=NOW).status == "posted"
    assert list_actions(source)[1:] == ["account.frozen", "account.unfrozen"] * 2


def test_debit_blocked_account_still_receives() -> None:
    source = make_account(balance=1_000)
    target = make_account(source.customer)
    freeze_account(build_context(), account_id=target.public_id, status=AccountStatus.DEBIT_BLOCKED, reason="court")
    operation = submit_own_transfer(build_context(), order=build_own_transfer(source, target, 1), now=NOW)
    assert operation.status == "posted"


def test_freeze_account_to_anything_else_is_a_mistake() -> None:
    account = make_account()
    for status in (AccountStatus.ACTIVE, AccountStatus.CLOSED):
        with pytest.raises(ValueError, match="frozen"):
            freeze_account(build_context(), account_id=account.public_id, status=status, reason="court")


def test_close_account_only_when_empty_and_for_ever() -> None:
    account = make_account(balance=1)
    with pytest.raises(AccountUnavailable):
        close_account(build_context(), account_id=account.public_id, now=NOW)
    other = make_account(account.customer)
    submit_own_transfer(build_context(), order=build_own_transfer(account, other, 1), now=NOW)

    closed = close_account(build_context(), account_id=account.public_id, now=NOW + timedelta(hours=1))

    assert (closed.status, closed.closed_at) == ("closed", NOW + timedelta(hours=1))
    assert list_actions(account) == ["account.opened", "account.closed"]
    with pytest.raises(AccountUnavailable):
        close_account(build_context(), account_id=account.public_id, now=NOW)
    with pytest.raises(AccountUnavailable):
        unfreeze_account(build_context(), account_id=account.public_id, reason="court")


def test_unknown_and_bank_accounts_are_not_found() -> None:
    bank = get_bank_account(build_context(), "equity.opening", currency="RUB", now=NOW)
    for public_id in (uuid4(), bank.public_id):
        with pytest.raises(NotFound):
            unfreeze_account(build_context(), account_id=public_id, reason="court")


def test_overdraft_reaches_to_the_last_kopeck() -> None:
    account = make_account(balance=100, overdraft=50)
    target = make_account(account.customer)
    operation = submit_own_transfer(build_context(), order=build_own_transfer(account, target, 150), now=NOW)
    account.refresh_from_db()
    assert (operation.status, account.booked, account.available) == ("posted", Money(-50), Money(0))
    assert operation.value_date == date(2026, 11, 1)
    assert get_holder_id(account) == operation.customer_id

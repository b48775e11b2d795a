"""Accounts with money, and orders, for tests; every kopeck comes through the ledger's own services."""

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from accounts.enums import AccountKind, Category, OperationKind
from accounts.models import Account, BankDirectory, Customer, Operation
from accounts.money import Money
from accounts.orders import IncomingOrder, OwnTransferOrder
from accounts.requisites import build_account_number
from accounts.services.accounts import open_account
from accounts.services.incoming import post_incoming
from audit.context import AuditContext, build_system_context
from audit.enums import Origin
from tests.factories.accounts import make_customer

BIK = "049999999"
NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
_numbers = count(1)


def build_context() -> AuditContext:
    return build_system_context(Origin.COMMAND, "tests")


def make_bank(bik: str = BIK, *, name: str = "Демонстрационный банк") -> BankDirectory:
    return BankDirectory.objects.get_or_create(bik=bik, defaults={"name": name, "is_fictional": True})[0]


def build_number(currency_digits: str = "810") -> str:
    return build_account_number(
        BIK,
        balance_account="40817",
        currency_digits=currency_digits,
        branch="0001",
        own_number=f"{next(_numbers):07}",
    )


def make_account(
    customer: Customer | None = None,
    *,
    balance: int = 0,
    kind: AccountKind = AccountKind.CURRENT,
    currency: str = "RUB",
    overdraft: int = 0,
    now: datetime = NOW,
) -> Account:
    """Return an account with `balance` kopecks, put there an hour before `now`."""
    make_bank()
    digits = {"RUB": "810", "USD": "840"}[currency]
    account = open_account(
        build_context(),
        customer_id=(customer or make_customer()).pk,
        kind=kind,
        bik=BIK,
        number=build_number(digits),
        currency=currency,
        title="Текущий",
        now=now - timedelta(hours=2),
        overdraft_minor=overdraft,
    )
    if balance:
        give_money(account, balance, now=now - timedelta(hours=1))
        account.refresh_from_db()
    return account


def give_money(account: Account, minor: int, *, now: datetime = NOW, memo: str = "") -> Operation:
    order = IncomingOrder(
        customer_id=get_holder_id(account),
        idempotency_key=f"give-{next(_numbers)}",
        incoming_kind=OperationKind.INCOMING,
        target_account=account.public_id,
        amount=Money(minor, account.currency),
        category=Category.SALARY,
        counterparty="ООО «Ромашка»",
        memo=memo,
    )
    return post_incoming(build_context(), order=order, now=now)


def build_own_transfer(source: Account, target: Account, minor: int, *, key: str = "") -> OwnTransferOrder:
    return OwnTransferOrder(
        customer_id=get_holder_id(source),
        idempotency_key=key or f"own-{next(_numbers)}",
        source_account=source.public_id,
        target_account=target.public_id,
        amount=Money(minor, source.currency),
    )


def get_holder_id(account: Account) -> UUID:
    assert account.customer_id is not None
    return account.customer_id

"""Accounts with money, and orders, for tests; every kopeck comes through the ledger's own services."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from uuid import UUID

from accounts.enums import AccountKind, Category, LimitPeriod, OperationKind, PayeeKind, PayeeOrigin
from accounts.models import (
    Account,
    BankDirectory,
    Bill,
    Biller,
    Card,
    Customer,
    LimitRule,
    Operation,
    Payee,
    Tariff,
)
from accounts.money import Money
from accounts.orders import BillPaymentOrder, CardPurchaseOrder, IncomingOrder, OwnTransferOrder, SbpTransferOrder
from accounts.requisites import build_account_number, compute_luhn_digit
from accounts.services.accounts import open_account
from accounts.services.cards import issue_card
from accounts.services.incoming import post_incoming
from accounts.services.payees import add_payee, mark_paid
from audit.context import AuditContext, build_system_context
from audit.enums import Origin
from audit.models import AuditEntry
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


def make_payee(customer: Customer, phone: str = "+70000000201", *, is_known: bool = True, now: datetime = NOW) -> Payee:
    """Return an SBP payee; the last two digits of the phone choose how the demo gateway behaves."""
    make_bank()
    payee = add_payee(
        build_context(),
        customer_id=customer.pk,
        kind=PayeeKind.SBP,
        target=phone,
        shown_name="Иван И.",
        bik=BIK,
        origin=PayeeOrigin.CUSTOMER,
        now=now,
    )
    if is_known:
        mark_paid(payee, now - timedelta(days=30))
        payee.refresh_from_db()
    return payee


def build_sbp_transfer(source: Account, payee: Payee, minor: int, *, key: str = "", memo: str = "") -> SbpTransferOrder:
    return SbpTransferOrder(
        customer_id=get_holder_id(source),
        idempotency_key=key or f"sbp-{next(_numbers)}",
        source_account=source.public_id,
        payee=payee.public_id,
        amount=Money(minor, source.currency),
        memo=memo,
    )


def make_bill(customer: Customer, minor: int = 350_000, *, reference: str = "") -> Bill:
    """Return an unpaid bill; the last two digits of the reference choose how the demo gateway behaves."""
    biller = Biller.objects.get_or_create(code="housing", defaults={"name": "УК «Уют»"})[0]
    return Bill.objects.create(
        customer=customer,
        biller=biller,
        reference=reference or f"{next(_numbers):08}01",
        amount_minor=minor,
        due_on=NOW.date(),
        period_start=NOW.date().replace(day=1),
        issued_at=NOW - timedelta(days=5),
    )


def build_bill_payment(source: Account, bill: Bill, *, key: str = "") -> BillPaymentOrder:
    return BillPaymentOrder(
        customer_id=get_holder_id(source),
        idempotency_key=key or f"bill-{next(_numbers)}",
        source_account=source.public_id,
        bill=bill.public_id,
        amount=Money(bill.amount_minor, bill.currency),
    )


def make_card(account: Account, *, now: datetime = NOW) -> Card:
    start = f"220000{next(_numbers):09}"
    number = start + compute_luhn_digit(start)
    return issue_card(build_context(), account=account, number=number, expires_on=date(2029, 12, 31), now=now)


def build_purchase(
    card: Card, minor: int, *, key: str = "", is_cash: bool = False, is_online: bool = False
) -> CardPurchaseOrder:
    return CardPurchaseOrder(
        customer_id=get_holder_id(card.account),
        idempotency_key=key or f"card-{next(_numbers)}",
        card=card.public_id,
        amount=Money(minor, card.account.currency),
        merchant="PYATEROCHKA 4711",
        mcc="5411",
        category=Category.GROCERIES,
        is_cash=is_cash,
        is_online=is_online,
    )


def set_limit(code: str, period: LimitPeriod, minor: int, *, valid_from: date = date(2026, 1, 1)) -> LimitRule:
    return LimitRule.objects.create(code=code, period=period, amount_minor=minor, valid_from=valid_from)


def set_tariff(
    code: str,
    *,
    free: int = 0,
    rate_bp: int = 50,
    least: int = 0,
    most: int | None = None,
    valid_from: date = date(2026, 1, 1),
) -> Tariff:
    return Tariff.objects.create(
        code=code, free_minor=free, rate_bp=rate_bp, least_minor=least, most_minor=most, valid_from=valid_from
    )


def read_books(account: Account) -> tuple[int, int, int]:
    """Return booked, available and expected of the account as the database has them now."""
    account.refresh_from_db()
    return account.booked.minor, account.available.minor, account.expected.minor


def read_actions(operation: Operation) -> list[tuple[str, str]]:
    """Return the audit entries about the operation, in the order they were written."""
    entries = AuditEntry.objects.filter(subject_id=str(operation.public_id)).order_by("recorded_at", "pk")
    return [(entry.action, entry.outcome) for entry in entries]

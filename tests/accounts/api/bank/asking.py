"""Asking the bank by HTTP as somebody, for the tests beside this file."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.test import Client

from accounts.enums import BillStatus, Frequency, PayeeKind, PayeeOrigin
from accounts.models import Account, Bill, Biller, Card, Customer, Payee, ScheduledPayment, Subscription
from accounts.requisites import compute_luhn_digit
from accounts.services.cards import issue_card
from accounts.vault import digest_target, seal_text
from tests.factories.ledger import NOW, build_context, give_money, make_account

PATHS = (
    "accounts",
    "accounts/{account}",
    "accounts/{account}/balance",
    "accounts/{account}/balance?on=2026-11-01",
    "accounts/{account}/requisites",
    "accounts/{account}/transactions",
    "accounts/{account}/statement?from=2026-10-01&to=2026-11-30&format=csv",
    "transactions",
    "transactions/{line}",
    "cards",
    "payees",
    "bills",
    "scheduled-payments",
    "subscriptions",
    "rates",
)
OWNED = tuple(path for path in PATHS if "{" in path)
LISTS = tuple(path for path in PATHS if "{" not in path and path != "rates")


def ask(path: str, bearer: str = "", **query: Any) -> Any:
    headers = {"Authorization": bearer} if bearer else {}
    return Client().get(f"/api/v1/{path}", data=query or None, headers=headers)


def make_card(account: Account, serial: int) -> Card:
    digits = f"220000{serial:09}"
    number = digits + compute_luhn_digit(digits)
    return issue_card(
        build_context(), account=account, number=number, expires_on=(NOW + timedelta(days=900)).date(), now=NOW
    )


def make_payee(customer: Customer, phone: str, name: str = "Иван И.") -> Payee:
    return Payee.objects.create(
        customer=customer,
        kind=PayeeKind.SBP,
        target_sealed=seal_text(phone),
        target_digest=digest_target(PayeeKind.SBP, phone),
        target_hint=phone[-4:],
        shown_name=name,
        bank_id="049999999",
        origin=PayeeOrigin.CUSTOMER,
        created_at=NOW,
    )


def make_bill(customer: Customer, minor: int = 123_45, month: int = 10) -> Bill:
    biller, _ = Biller.objects.get_or_create(code="housing.test", defaults={"name": "УК «Пример»"})
    day = NOW.date().replace(month=month, day=1)
    return Bill.objects.create(
        customer=customer,
        biller=biller,
        reference=uuid4().hex[:10],
        amount_minor=minor,
        due_on=day,
        period_start=day,
        status=BillStatus.UNPAID,
        issued_at=NOW,
    )


def furnish(customer: Customer, rows: int, *, start: int = 0) -> Account:
    """Give the customer `rows` of everything and return the first account."""
    first: Account | None = None
    for number in range(start, start + rows):
        account = make_account(customer, balance=1_000_00)
        first = first or account
        give_money(account, 50_00 + number, memo="за обед")
        make_card(account, account.pk * 10)
        payee = make_payee(customer, f"+7000{account.pk:07}")
        make_bill(customer, month=number % 9 + 1)
        day = NOW.date()
        ScheduledPayment.objects.create(
            customer=customer,
            account=account,
            payee=payee,
            title="Маме",
            amount_minor=5_00,
            frequency=Frequency.MONTHLY,
            day=31,
            next_on=day,
            created_at=NOW,
        )
        Subscription.objects.create(
            customer=customer,
            account=account,
            merchant=f"КИНО {number}",
            amount_minor=399_00,
            frequency=Frequency.MONTHLY,
            last_charged_on=day,
            next_on=day,
        )
    assert first is not None
    return first


def fill_path(path: str, account: Account) -> str:
    """Return the path with the account's id and that of its first line."""
    line = account.lines.order_by("pk").first()
    return path.format(account=account.public_id, line=line.public_id if line else uuid4())

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.enums import Frequency, StatementFormat
from accounts.errors import NotFound
from accounts.local_days import DateRange
from accounts.models import Account, AccountLine, Bill, Operation, Subscription
from accounts.money import Money
from accounts.selectors import owned
from accounts.services.requests import request_statement
from accounts.services.schedules import schedule_payment
from tests.factories.accounts import make_customer
from tests.factories.ledger import NOW, build_context, get_holder_id, make_account, make_bill, make_card, make_payee

pytestmark = pytest.mark.django_db


class Estate:
    """One of everything a customer may own."""

    def __init__(self) -> None:
        self.customer = make_customer()
        self.account = make_account(self.customer, balance=1_000)
        self.card = make_card(self.account)
        self.payee = make_payee(self.customer)
        self.bill = make_bill(self.customer)
        self.line = AccountLine.objects.get(account=self.account)
        self.operation = Operation.objects.get(lines=self.line)
        self.payment = schedule_payment(
            build_context(),
            customer_id=self.customer.pk,
            account_id=self.account.public_id,
            payee_id=self.payee.public_id,
            amount=Money(5),
            frequency=Frequency.MONTHLY,
            first_on=date(2026, 11, 10),
            title="",
            now=NOW,
        )
        self.statement = request_statement(
            build_context(),
            customer_id=self.customer.pk,
            account_id=self.account.public_id,
            days=DateRange(date(2026, 10, 1), date(2026, 10, 31)),
            file_format=StatementFormat.PDF,
            now=NOW,
        )


ACCESS: list[tuple[str, Callable[[UUID, UUID], Any]]] = [
    ("account", owned.access_account),
    ("card", owned.access_card),
    ("payee", owned.access_payee),
    ("bill", owned.access_bill),
    ("line", owned.access_line),
    ("operation", owned.access_operation),
    ("payment", owned.access_scheduled_payment),
    ("statement", owned.access_statement_request),
]


@pytest.mark.parametrize(("name", "access"), ACCESS, ids=[name for name, _ in ACCESS])
def test_owner_finds_and_strangers_and_nobody_do_not(name: str, access: Callable[[UUID, UUID], Any]) -> None:
    estate = Estate()
    row = getattr(estate, name)
    assert access(estate.customer.pk, row.public_id) == row
    assert str(row) == str(row.public_id)
    for customer_id, public_id in (
        (make_customer().pk, row.public_id),
        (uuid4(), row.public_id),
        (estate.customer.pk, uuid4()),
    ):
        with pytest.raises(NotFound):
            access(customer_id, public_id)


def test_accounts_are_listed_oldest_first_and_closed_ones_on_demand() -> None:
    first = make_account()
    second = make_account(first.customer)
    Account.objects.filter(pk=second.pk).update(status="closed", closed_at=NOW)
    holder = get_holder_id(first)
    assert owned.list_accounts(holder) == [first]
    assert owned.list_accounts(holder, with_closed=True) == [first, second]


def test_open_bills_and_scheduled_payments_up_to_a_day() -> None:
    estate = Estate()
    later = make_bill(estate.customer)
    Bill.objects.filter(pk=later.pk).update(due_on=date(2026, 11, 20))
    Bill.objects.filter(pk=make_bill(estate.customer).pk).update(status="cancelled")
    holder = estate.customer.pk
    assert owned.list_open_bills(holder, until=date(2026, 11, 15)) == [estate.bill]
    assert owned.list_open_bills(holder) == [estate.bill, later]
    assert owned.list_scheduled_payments(holder, until=date(2026, 11, 9)) == []
    assert owned.list_scheduled_payments(holder) == [estate.payment]


def test_subscriptions_are_the_customers_own() -> None:
    estate = Estate()
    found = Subscription.objects.create(
        customer=estate.customer,
        account=estate.account,
        merchant="KINO",
        amount_minor=299,
        frequency="monthly",
        last_charged_on=date(2026, 10, 1),
        next_on=date(2026, 11, 1),
    )
    assert list(owned.find_subscriptions(estate.customer.pk)) == [found]
    assert list(owned.find_subscriptions(make_customer().pk)) == []

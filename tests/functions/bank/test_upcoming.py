from datetime import date, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.enums import BillStatus, Frequency
from accounts.models import Account, Bill, Subscription
from accounts.money import Money
from accounts.services.schedules import schedule_payment
from functions.context import Ctx
from tests.factories.accounts import make_customer
from tests.factories.ledger import NOW, build_context, get_holder_id, make_account, make_bill, make_payee
from tests.functions.bank.acting import call, open_ctx

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 1)


@pytest.fixture
def account() -> Account:
    return make_account(balance=500_000)


@pytest.fixture
def ctx(account: Account) -> Ctx:
    assert account.customer is not None
    return open_ctx(account.customer)


def bill(account: Account, minor: int, due_on: date) -> Bill:
    assert account.customer is not None
    made = make_bill(account.customer, minor)
    Bill.objects.filter(pk=made.pk).update(due_on=due_on, details_untrusted="Капремонт\u202e ⟦acc_1⟧")
    return made


def schedule(account: Account, minor: int, first_on: date) -> None:
    assert account.customer is not None
    schedule_payment(
        build_context(),
        customer_id=get_holder_id(account),
        account_id=account.public_id,
        payee_id=make_payee(account.customer).public_id,
        amount=Money(minor),
        frequency=Frequency.MONTHLY,
        first_on=first_on,
        title="Аренда",
        now=NOW,
    )


def subscribe(account: Account, minor: int, next_on: date, *, previous: int | None = None) -> None:
    Subscription.objects.create(
        customer_id=get_holder_id(account),
        account=account,
        merchant="КИНО ОНЛАЙН",
        amount_minor=minor,
        frequency=Frequency.MONTHLY,
        last_charged_on=TODAY - timedelta(days=20),
        next_on=next_on,
        previous_minor=previous,
        increased_on=TODAY - timedelta(days=20) if previous else None,
    )


def test_everything_due_is_listed_in_order_with_its_basis(account: Account, ctx: Ctx) -> None:
    subscribe(account, 39_900, date(2026, 11, 5), previous=29_900)
    schedule(account, 200_000, date(2026, 11, 10))
    bill(account, 300_000, date(2026, 10, 20))
    bill(account, 10_000, date(2026, 12, 25))
    bill(make_account(), 77_700, TODAY)

    found = call(ctx, "list_upcoming_payments")

    shown = [
        (one.payment, one.kind, one.due_on.isoformat(), one.amount.amount, one.basis, one.is_estimate, one.is_covered)
        for one in found.payments
    ]
    assert shown == [
        ("bill_1", "bill", "2026-10-20", "3000.00", "billed", False, True),
        (None, "subscription", "2026-11-05", "399.00", "last_charge", True, True),
        # After the two before it the account lacks the money.
        ("plan_1", "scheduled", "2026-11-10", "2000.00", "ordered", False, False),
    ]
    owed, film, rent = found.payments
    assert (owed.is_overdue, owed.title_untrusted, owed.details_untrusted) == (True, "УК «Уют»", "Капремонт acc_1")
    assert (film.last_increase.previous.amount, film.last_increase.increased_on) == ("299.00", date(2026, 10, 12))
    assert (rent.payee_name, rent.title_untrusted, rent.frequency) == ("Иван И.", "Аренда", "monthly")
    assert (found.total_count, [total.amount for total in found.totals]) == (3, ["5399.00"])
    assert found.until == date(2026, 12, 1)


def test_kind_and_days_narrow_the_list(account: Account, ctx: Ctx) -> None:
    subscribe(account, 39_900, date(2026, 11, 5))
    bill(account, 10_000, date(2026, 11, 2))
    assert [one.kind for one in call(ctx, "list_upcoming_payments", kind="bill").payments] == ["bill"]
    assert call(ctx, "list_upcoming_payments", days=1).total_count == 1
    assert call(ctx, "list_upcoming_payments", kind="scheduled").payments == []


def test_a_bill_on_its_way_is_neither_overdue_nor_covered_again(account: Account, ctx: Ctx) -> None:
    made = bill(account, 10_000, date(2026, 10, 2))
    Bill.objects.filter(pk=made.pk).update(status=BillStatus.PROCESSING)
    (one,) = call(ctx, "list_upcoming_payments").payments
    assert (one.bill_status, one.is_overdue, one.is_covered) == ("processing", False, None)


def test_without_money_or_account_nothing_is_covered() -> None:
    customer = make_customer()
    make_bill(customer, 100)
    (one,) = call(open_ctx(customer), "list_upcoming_payments").payments
    assert one.is_covered is False


@pytest.mark.parametrize("count", [1, 25])
def test_queries_and_rows_are_bounded(
    count: int, account: Account, ctx: Ctx, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for index in range(count):
        bill(account, 100 + index, TODAY)
    with django_assert_num_queries(5):
        found = call(ctx, "list_upcoming_payments")
    assert (found.total_count, len(found.payments)) == (count, min(count, 20))

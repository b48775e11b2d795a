from datetime import date, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from accounts.money import Money
from accounts.orders import CardPurchaseOrder
from accounts.services.card_payments import submit_card_purchase
from accounts.services.transfers import submit_own_transfer
from functions.bank.spending import find_percent
from functions.context import Ctx
from functions.errors import Code
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    NOW,
    build_context,
    build_own_transfer,
    get_holder_id,
    make_account,
    make_card,
    set_tariff,
)
from tests.functions.bank.acting import call, open_ctx, refuse

pytestmark = pytest.mark.django_db


def buy(account: Account, merchant: str, category: str, minor: int, *, days: int = 0) -> None:
    order = CardPurchaseOrder(
        customer_id=get_holder_id(account),
        idempotency_key=f"{merchant}-{days}-{minor}",
        card=account.cards.get().public_id,
        amount=Money(minor),
        merchant=merchant,
        mcc="5411",
        category=category,  # type: ignore[arg-type]
    )
    submit_card_purchase(build_context(), order=order, now=NOW - timedelta(days=days))


@pytest.fixture
def account() -> Account:
    found = make_account(balance=1_000_000, now=NOW - timedelta(days=90))
    make_card(found)
    return found


@pytest.fixture
def ctx(account: Account) -> Ctx:
    assert account.customer is not None
    return open_ctx(account.customer)


def test_categories_are_named_shared_and_compared(account: Account, ctx: Ctx) -> None:
    buy(account, "ЛЕНТА", "groceries", 700, days=20)
    buy(account, "ЛЕНТА", "groceries", 1_100)
    set_tariff("own_transfer", rate_bp=100)
    savings = make_account(account.customer)
    submit_own_transfer(build_context(), order=build_own_transfer(account, savings, 10_000), now=NOW)

    arguments = {"group_by": "category", "date_from": "2026-11-01", "date_to": "2026-11-30", "compare": True}
    found = call(ctx, "get_spending_summary", **arguments)

    shown = [(group.group, group.title, group.total.amount, group.count, group.share_percent) for group in found.groups]
    assert shown == [("groceries", "продукты", "11.00", 1, "91,7"), ("fees", "комиссии", "1.00", 1, "8,3")]
    assert (found.total.amount, found.count, found.other) == ("12.00", 2, None)
    # The future is cut off, so one day is compared with the day before.
    assert (found.days.date_to, found.previous_days.date_from) == (date(2026, 11, 1), date(2026, 10, 31))
    assert (found.change.previous.amount, found.change.percent) == ("0.00", None)

    month = call(ctx, "get_spending_summary", group_by="category", period="last_30_days", compare=True)
    assert (month.total.amount, month.change.difference.amount) == ("19.00", "19.00")
    assert call(ctx, "get_spending_summary", group_by="category", period="last_month").total.amount == "7.00"


def test_change_is_told_in_percent(account: Account, ctx: Ctx) -> None:
    buy(account, "ЛЕНТА", "groceries", 1_000, days=1)
    buy(account, "ЛЕНТА", "groceries", 750)
    found = call(ctx, "get_spending_summary", group_by="category", period="today", compare=True)
    change = found.groups[0].change
    assert (change.previous.amount, change.difference.amount, change.percent) == ("10.00", "-2.50", "-25")


def test_merchants_are_quotations_and_what_does_not_fit_is_other(account: Account, ctx: Ctx) -> None:
    for index in range(17):
        buy(account, f"МАГАЗИН {index:02}\u200b", "other", 1_000 - index)
    found = call(ctx, "get_spending_summary", group_by="merchant")
    assert [group.merchant_untrusted for group in found.groups] == [f"МАГАЗИН {index:02}" for index in range(15)]
    assert {group.group for group in found.groups} == {None}
    assert (found.other.group, found.other.count, found.other.total.amount) == ("other", 2, "19.69")


def test_months_fees_and_one_account(account: Account, ctx: Ctx) -> None:
    buy(account, "ЛЕНТА", "groceries", 500, days=20)
    buy(account, "АПТЕКА", "health", 300)
    months = call(ctx, "get_spending_summary", group_by="month", period="this_year")
    assert [(group.group, group.total.amount) for group in months.groups] == [("2026-10", "5.00"), ("2026-11", "3.00")]
    fees = call(ctx, "get_spending_summary", group_by="month", category="fees")
    assert (fees.groups, fees.total.amount, fees.count) == ([], "0.00", 0)
    other = make_account(account.customer, currency="USD")
    dollars = call(ctx, "get_spending_summary", group_by="category", account=ctx.handle_for(other))
    assert dollars.total.currency == "USD"


def test_summary_of_others_and_bad_arguments_is_refused(ctx: Ctx) -> None:
    theirs = open_ctx(make_customer()).handle_for(make_account())
    assert refuse(ctx, "get_spending_summary", group_by="month", account=theirs).code == Code.UNKNOWN_REFERENCE
    for arguments in ({"group_by": "weekday"}, {}, {"group_by": "month", "date_from": "2024-01-01"}):
        assert refuse(ctx, "get_spending_summary", **arguments).code == Code.INVALID_ARGUMENTS


@pytest.mark.parametrize("count", [1, 4])
def test_summary_queries_do_not_grow(
    count: int, account: Account, ctx: Ctx, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for index in range(count):
        buy(account, f"М{index}", "other", 100)
    with django_assert_num_queries(3):
        call(ctx, "get_spending_summary", group_by="merchant", compare=True)


@pytest.mark.parametrize(
    ("part", "whole", "percent"),
    [(1, 3, "33,3"), (2, 3, "66,7"), (1, 1, "100"), (0, 5, "0"), (-1, 8, "-12,5"), (1, 0, "0")],
)
def test_percent_has_one_digit_rounded_half_up(part: int, whole: int, percent: str) -> None:
    assert find_percent(part, whole) == percent

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.enums import Category, LineDirection, LineStatus
from accounts.local_days import DateRange, get_day_start
from accounts.models import Account, AccountLine
from accounts.money import Money
from accounts.selectors.lines import (
    LineFilter,
    find_first_day,
    find_lines,
    list_lines,
    list_statement_lines,
    sum_lines,
)
from accounts.services.card_payments import clear_card_purchase, submit_card_purchase
from accounts.services.transfers import submit_own_transfer
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    NOW,
    build_context,
    build_own_transfer,
    build_purchase,
    get_holder_id,
    give_money,
    make_account,
    make_card,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    """Three incoming payments, one pending and one booked purchase, one own transfer."""
    found = make_account(now=NOW - timedelta(days=60))
    for days, minor, memo in ((40, 1_000, "Зарплата за СЕНТЯБРЬ"), (10, 2_000, "ёлка"), (2, 3_000, "долг")):
        give_money(found, minor, now=NOW - timedelta(days=days), memo=memo)
    card = make_card(found)
    booked = submit_card_purchase(build_context(), order=build_purchase(card, 500), now=NOW - timedelta(days=1))
    clear_card_purchase(build_context(), operation=booked, amount=Money(450), now=NOW)
    submit_card_purchase(build_context(), order=build_purchase(card, 70), now=NOW)
    savings = make_account(found.customer)
    submit_own_transfer(build_context(), order=build_own_transfer(found, savings, 100), now=NOW)
    return found


def amounts(account: Account, wanted: LineFilter) -> list[int]:
    return [line.amount_minor for line in find_lines(get_holder_id(account), wanted)]


def test_lines_are_newest_first_and_without_released_holds(account: Account) -> None:
    assert amounts(account, LineFilter(account_ids=(account.public_id,))) == [100, 70, 450, 3_000, 2_000, 1_000]
    assert AccountLine.objects.filter(account=account, status="VOID").count() == 1


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (LineFilter(text="зарплата"), [1_000]),
        (LineFilter(text="СЕНТЯБРЬ зарпл"), [1_000]),
        (LineFilter(text="елка"), [2_000]),
        (LineFilter(text="pyaterochka"), [70, 450]),
        (LineFilter(text="ромашка"), [3_000, 2_000, 1_000]),
        (LineFilter(text="100%"), []),
        (LineFilter(categories=(Category.GROCERIES,)), [70, 450]),
        (LineFilter(direction=LineDirection.OUT), [100, 70, 450]),
        (LineFilter(min_minor=450, max_minor=1_000), [450, 1_000]),
        (LineFilter(statuses=(LineStatus.PENDING,)), [70]),
        (LineFilter(days=DateRange(date(2026, 10, 22), date(2026, 10, 30))), [3_000, 2_000]),
        (LineFilter(days=DateRange(date(2026, 10, 22), date(2026, 10, 30)), currency="USD"), []),
        (LineFilter(categories=(Category.SALARY,), min_minor=2_000, text="долг"), [3_000]),
    ],
)
def test_filters(account: Account, wanted: LineFilter, expected: list[int]) -> None:
    own = replace(wanted, account_ids=(account.public_id,))
    assert amounts(account, own) == expected


def test_days_are_local(account: Account) -> None:
    night = make_account(account.customer, now=NOW - timedelta(days=60))
    give_money(night, 5, now=get_day_start(date(2026, 9, 30)) - timedelta(seconds=1))
    give_money(night, 6, now=get_day_start(date(2026, 9, 30)))
    day = DateRange(date(2026, 9, 30), date(2026, 9, 30))
    assert amounts(night, LineFilter(account_ids=(night.public_id,), days=day)) == [6]
    kaliningrad = LineFilter(account_ids=(night.public_id,), days=day, zone="Europe/Kaliningrad")
    assert amounts(night, kaliningrad) == []


def test_foreign_accounts_give_nothing(account: Account) -> None:
    stranger = make_customer()
    assert list(find_lines(stranger.pk, LineFilter(account_ids=(account.public_id,)))) == []
    assert sum_lines(stranger.pk).count == 0


def test_pages_follow_each_other_even_when_moments_are_equal(account: Account) -> None:
    holder, wanted = get_holder_id(account), LineFilter(account_ids=(account.public_id,))
    seen, cursor = [], None
    while True:
        page = list_lines(holder, wanted, limit=2, after=cursor)
        seen += [line.amount_minor for line in page.lines]
        # What is posted meanwhile does not move the pages.
        give_money(account, 9, now=NOW)
        if page.next is None:
            break
        cursor = page.next
    assert seen == [100, 70, 450, 3_000, 2_000, 1_000]


def test_totals_are_over_everything(account: Account) -> None:
    make_account(account.customer, balance=40, currency="USD")
    totals = sum_lines(get_holder_id(account))
    assert totals.count == 8
    assert totals.incoming == {"RUB": Money(6_100), "USD": Money(40, "USD")}
    assert totals.outgoing == {"RUB": Money(620)}


def test_statement_lines_are_booked_ones_in_order(account: Account) -> None:
    lines = list_statement_lines(account, DateRange(date(2026, 10, 1), date(2026, 11, 1)))
    assert [(line.amount_minor, line.balance_after) for line in lines] == [
        (2_000, 3_000),
        (3_000, 6_000),
        (450, 5_550),
        (100, 5_450),
    ]


def test_first_day(account: Account) -> None:
    assert find_first_day(get_holder_id(account)) == date(2026, 9, 22)
    assert find_first_day(make_customer().pk) is None


def test_a_page_takes_two_queries_whatever_its_length(account: Account) -> None:
    for limit in (1, 3):
        with CaptureQueriesContext(connection) as queries:
            for line in list_lines(get_holder_id(account), limit=limit).lines:
                assert (line.account.currency, line.operation.kind, line.counterparty_bank) is not None
        assert len(queries) == 2

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.local_days import get_day_start
from accounts.models import Account
from accounts.money import Money
from accounts.selectors.balances import Balance, get_balance, get_balance_at, get_balance_on, get_total_balance
from accounts.services.card_payments import clear_card_purchase, submit_card_purchase
from accounts.services.holds import void_operation
from tests.factories.ledger import (
    NOW,
    build_context,
    build_purchase,
    get_holder_id,
    give_money,
    make_account,
    make_card,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def read(balance: Balance) -> tuple[int, int, int, int]:
    return balance.booked.minor, balance.available.minor, balance.expected.minor, balance.hold_count


def test_balances_now_count_open_holds_and_overdraft() -> None:
    account = make_account(balance=10_000, overdraft=500)
    card = make_card(account)
    assert read(get_balance(account, now=NOW)) == (10_000, 10_500, 10_000, 0)
    for minor in (1_000, 2_000):
        submit_card_purchase(build_context(), order=build_purchase(card, minor), now=NOW)
    account.refresh_from_db()
    found = get_balance(account, now=NOW)
    assert read(found) == (10_000, 7_500, 7_000, 2)
    assert (found.held_out, found.held_in, found.as_of) == (Money(3_000), Money(0), NOW)


def test_balances_in_the_past_are_what_they_were_then() -> None:
    account = make_account(balance=10_000, now=NOW)
    card = make_card(account)
    first = submit_card_purchase(build_context(), order=build_purchase(card, 1_000), now=NOW)
    second = submit_card_purchase(build_context(), order=build_purchase(card, 2_000), now=NOW + HOUR)
    clear_card_purchase(build_context(), operation=first, amount=Money(900), now=NOW + 2 * HOUR)
    void_operation(build_context(), operation=second, reason="cancelled", now=NOW + 3 * HOUR)

    moments = [NOW - 2 * HOUR, NOW - HOUR, NOW, NOW + HOUR, NOW + 2 * HOUR, NOW + 3 * HOUR]
    found = [read(get_balance_at(account, moment=moment)) for moment in moments]
    assert found == [
        (0, 0, 0, 0),
        (10_000, 10_000, 10_000, 0),
        (10_000, 9_000, 9_000, 1),
        (10_000, 7_000, 7_000, 2),
        (9_100, 7_100, 7_100, 1),
        (9_100, 9_100, 9_100, 0),
    ]
    account.refresh_from_db()
    assert read(get_balance(account, now=NOW + 3 * HOUR)) == found[-1]


def test_balance_at_the_end_of_a_local_day() -> None:
    account = make_account(now=NOW)
    midnight = get_day_start(date(2026, 11, 2))
    give_money(account, 1, now=midnight - timedelta(microseconds=1))
    give_money(account, 2, now=midnight)
    found = [get_balance_on(account, day=date(2026, 11, day)).booked.minor for day in (1, 2)]
    assert found == [1, 3]


def test_balances_of_the_banks_own_accounts_in_the_past() -> None:
    account = make_account(balance=700, now=NOW)
    card = make_card(account)
    purchase = submit_card_purchase(build_context(), order=build_purchase(card, 100), now=NOW)
    position = Account.objects.get(code="position.correspondent")
    clearing = Account.objects.get(code="clearing.card")
    assert get_balance_at(position, moment=NOW).booked == Money(700)
    found = get_balance_at(clearing, moment=NOW)
    assert (found.booked, found.expected, found.held_in) == (Money(0), Money(100), Money(100))
    clear_card_purchase(build_context(), operation=purchase, amount=Money(100), now=NOW + HOUR)
    assert get_balance_at(clearing, moment=NOW + HOUR).booked == Money(100)
    assert get_balance_at(clearing, moment=NOW).booked == Money(0)


def test_total_balance_is_of_one_customer_and_currency() -> None:
    account = make_account(balance=700)
    make_account(account.customer, balance=300)
    make_account(account.customer, balance=5, currency="USD")
    make_account(balance=1_000)
    assert get_total_balance(get_holder_id(account), "RUB") == Money(1_000)
    assert get_total_balance(get_holder_id(account), "EUR") == Money(0, "EUR")


def test_balances_take_the_same_number_of_queries_whatever_the_history() -> None:
    account = make_account(balance=10_000)
    card = make_card(account)
    counts = set()
    for minor in (100, 200, 300):
        submit_card_purchase(build_context(), order=build_purchase(card, minor), now=NOW)
        account.refresh_from_db()
        with CaptureQueriesContext(connection) as queries:
            get_balance(account, now=NOW)
            get_balance_at(account, moment=NOW)
        counts.add(len(queries))
    assert counts == {3}

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.local_days import DateRange
from accounts.models import Account
from accounts.money import Money
from accounts.orders import CardPurchaseOrder
from accounts.selectors.lines import LineFilter
from accounts.selectors.spending import GroupBy, summarise_spending
from accounts.services.card_payments import submit_card_purchase
from accounts.services.transfers import submit_own_transfer
from tests.factories.ledger import (
    NOW,
    build_context,
    build_own_transfer,
    get_holder_id,
    make_account,
    make_card,
    set_tariff,
)

pytestmark = pytest.mark.django_db
NOVEMBER = DateRange(date(2026, 11, 1), date(2026, 11, 30))


@pytest.fixture
def account() -> Account:
    found = make_account(balance=1_000_000, now=NOW - timedelta(days=90))
    card = make_card(found)
    purchases = [(60, "ЛЕНТА", "groceries", 500), (20, "ЛЕНТА", "groceries", 700), (20, "КИНО", "entertainment", 300)]
    purchases += [(0, "ЛЕНТА", "groceries", 1_100), (0, "АПТЕКА", "health", 50)]
    for number, (days, merchant, category, minor) in enumerate(purchases):
        order = CardPurchaseOrder(
            customer_id=get_holder_id(found),
            idempotency_key=f"buy-{number}",
            card=card.public_id,
            amount=Money(minor),
            merchant=merchant,
            mcc="5411",
            category=category,  # type: ignore[arg-type]
        )
        submit_card_purchase(build_context(), order=order, now=NOW - timedelta(days=days))
    set_tariff("own_transfer", rate_bp=100)
    savings = make_account(found.customer)
    submit_own_transfer(build_context(), order=build_own_transfer(found, savings, 10_000), now=NOW)
    return found


def test_categories_count_fees_and_leave_own_transfers_out(account: Account) -> None:
    found = summarise_spending(get_holder_id(account), LineFilter(days=NOVEMBER), compares=True)
    groups = [(group.key, group.total.minor, group.count, group.previous) for group in found.groups]
    assert groups == [
        ("groceries", 1_100, 1, Money(700)),
        ("fees", 100, 1, Money(0)),
        ("health", 50, 1, Money(0)),
    ]
    assert (found.total, found.count, found.previous_total, found.other) == (Money(1_250), 3, Money(1_000), None)


def test_merchants_and_months(account: Account) -> None:
    holder = get_holder_id(account)
    merchants = summarise_spending(holder, LineFilter(), group_by=GroupBy.MERCHANT, limit=2)
    assert [(group.key, group.total.minor) for group in merchants.groups] == [("ЛЕНТА", 2_300), ("КИНО", 300)]
    assert merchants.other is not None
    assert (merchants.other.total, merchants.other.count) == (Money(150), 2)
    months = summarise_spending(holder, LineFilter(), group_by=GroupBy.MONTH)
    assert [(group.key, group.total.minor) for group in months.groups] == [
        ("2026-09", 500),
        ("2026-10", 1_000),
        ("2026-11", 1_250),
    ]


def test_nothing_spent_is_zero(account: Account) -> None:
    found = summarise_spending(get_holder_id(account), LineFilter(currency="USD"))
    assert (found.groups, found.total, found.previous_total) == ([], Money(0, "USD"), None)


def test_comparing_needs_days(account: Account) -> None:
    with pytest.raises(ValueError, match="days"):
        summarise_spending(get_holder_id(account), LineFilter(), compares=True)


def test_summary_takes_one_query_and_two_when_it_compares(account: Account) -> None:
    for compares, expected in ((False, 1), (True, 2)):
        with CaptureQueriesContext(connection) as queries:
            summarise_spending(get_holder_id(account), LineFilter(days=NOVEMBER), compares=compares)
        assert len(queries) == expected

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.errors import NotFound
from accounts.models import Rate
from accounts.money import Money
from accounts.selectors.rates import estimate_conversion, get_rate, list_rates
from tests.factories.ledger import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rates() -> None:
    for base, days, buy, sell in (("USD", 9, "80", "84"), ("USD", 1, "79.5", "83.25"), ("EUR", 1, "90", "95")):
        Rate.objects.create(
            base=base, quote="RUB", buy=Decimal(buy), sell=Decimal(sell), valid_from=NOW - timedelta(days=days)
        )
    Rate.objects.create(base="USD", quote="RUB", buy=Decimal(1), sell=Decimal(1), valid_from=NOW + timedelta(seconds=1))


def test_rates_in_force() -> None:
    assert [(rate.base, rate.buy) for rate in list_rates(NOW)] == [("EUR", Decimal(90)), ("USD", Decimal("79.5"))]
    assert get_rate("USD", "RUB", now=NOW - timedelta(days=2)).buy == Decimal(80)
    with pytest.raises(NotFound):
        get_rate("CNY", "RUB", now=NOW)
    assert str(get_rate("EUR", "RUB", now=NOW)).startswith("EUR/RUB 2026-10-31")


def test_estimate_uses_the_banks_side_of_the_price_and_rounds_half_up() -> None:
    given = estimate_conversion(Money(10_001, "USD"), "RUB", now=NOW)
    assert (given.received, given.price) == (Money(795_080), Decimal("79.5"))
    back = estimate_conversion(Money(100_000), "USD", now=NOW)
    assert (back.received, back.price) == (Money(1_201, "USD"), Decimal("83.25"))
    with pytest.raises(NotFound):
        estimate_conversion(Money(1), "CNY", now=NOW)


def test_estimate_between_different_exponents() -> None:
    Rate.objects.create(base="JPY", quote="RUB", buy=Decimal("0.5"), sell=Decimal("0.6"), valid_from=NOW)
    assert estimate_conversion(Money(100, "JPY"), "RUB", now=NOW).received == Money(5_000)
    assert estimate_conversion(Money(6_000), "JPY", now=NOW).received == Money(100, "JPY")

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import Rate
from functions.bank.rates import STALE_AFTER, format_rate
from functions.context import Ctx
from functions.errors import Code
from tests.factories.accounts import make_customer
from tests.factories.ledger import NOW
from tests.functions.bank.acting import call, open_ctx, refuse

pytestmark = pytest.mark.django_db
NAME = "get_exchange_rate"


def add_rate(base: str = "USD", *, age: timedelta = timedelta(days=3)) -> None:
    Rate.objects.create(base=base, quote="RUB", buy=Decimal("88.4"), sell=Decimal("92.125"), valid_from=NOW - age)


@pytest.fixture
def ctx() -> Ctx:
    return open_ctx(make_customer())


def test_rate_and_estimates_of_both_directions(ctx: Ctx) -> None:
    add_rate()
    sold = call(ctx, NAME, **{"from": "USD", "to": "RUB", "amount": 100})
    assert (sold.base, sold.quote, sold.buy, sold.sell, sold.price) == ("USD", "RUB", "88,40", "92,125", "88,40")
    assert (sold.given.text, sold.received.amount, sold.valid_at) == (
        "100,00\u00a0$",
        "8840.00",
        NOW - timedelta(days=3),
    )
    bought = call(ctx, NAME, **{"from": "RUB", "to": "USD", "amount": "1000"})
    assert (bought.received.amount, bought.price) == ("10.85", "92,125")
    assert call(ctx, NAME, **{"from": "USD", "to": "RUB"}).given.amount == "1.00"


def test_no_rate_and_an_old_rate_are_unavailable(ctx: Ctx) -> None:
    arguments = {"from": "USD", "to": "RUB"}
    assert refuse(ctx, NAME, **arguments).code == Code.TEMPORARILY_UNAVAILABLE
    add_rate(age=STALE_AFTER + timedelta(seconds=1))
    assert refuse(ctx, NAME, **arguments).code == Code.TEMPORARILY_UNAVAILABLE
    add_rate(age=STALE_AFTER)
    assert call(ctx, NAME, **arguments).buy == "88,40"
    assert refuse(ctx, NAME, **{"from": "USD", "to": "EUR"}).code == Code.TEMPORARILY_UNAVAILABLE


@pytest.mark.parametrize("arguments", [{"from": "USD", "to": "USD"}, {"from": "BTC", "to": "RUB"}, {"to": "RUB"}])
def test_senseless_pairs_are_bad_arguments(arguments: dict[str, str], ctx: Ctx) -> None:
    add_rate()
    assert refuse(ctx, NAME, **arguments).code == Code.INVALID_ARGUMENTS


@pytest.mark.parametrize(("price", "text"), [("92.100000", "92,10"), ("0.012500", "0,0125"), ("12", "12,00")])
def test_format_rate(price: str, text: str) -> None:
    assert format_rate(Decimal(price)) == text

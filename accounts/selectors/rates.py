"""Exchange rates as the bank dated them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from accounts.errors import NotFound
from accounts.models import Rate
from accounts.money import CURRENCIES, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What `given` would become at the row's price for the customer; an estimate, nothing is reserved."""

    rate: Rate
    given: Money
    received: Money
    price: Decimal


def list_rates(now: datetime) -> list[Rate]:
    """Return the row in force of every pair, in order of pairs; one query."""
    rows = Rate.objects.filter(valid_from__lte=now).order_by("base", "quote", "-valid_from")
    return list(rows.distinct("base", "quote"))


def get_rate(base: str, quote: str, *, now: datetime) -> Rate:
    """Return the row in force of the pair.

    Raises: NotFound
    """
    row = Rate.objects.filter(base=base, quote=quote, valid_from__lte=now).order_by("-valid_from").first()
    if row is None:
        raise NotFound
    return row


def estimate_conversion(amount: Money, target: str, *, now: datetime) -> Conversion:
    """Return what the customer would get: the bank buys at `buy` and sells at `sell`. Rounds half up.

    Raises: NotFound when the bank has no rate of this pair
    """
    try:
        rate = get_rate(amount.currency, target, now=now)
        price, factor = rate.buy, rate.buy
    except NotFound:
        rate = get_rate(target, amount.currency, now=now)
        price, factor = rate.sell, 1 / rate.sell
    scale = Decimal(10) ** (CURRENCIES[target].exponent - CURRENCIES[amount.currency].exponent)
    exact = amount.minor * factor * scale
    received = Money(int(exact.to_integral_value(rounding=ROUND_HALF_UP)), target)
    return Conversion(rate=rate, given=amount, received=received, price=price)

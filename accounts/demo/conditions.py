"""What surrounds the demo's customers: banks, billers, tariffs, limits, exchange rates. A second run adds nothing."""

from datetime import date, timedelta
from decimal import Decimal

from accounts.demo.catalogue import KOPECKS, list_billers, read_data
from accounts.demo.draws import Draw
from accounts.enums import LimitPeriod
from accounts.local_days import get_day_start
from accounts.models import BankDirectory, Biller, LimitRule, Rate, Tariff

SIX_DIGITS = Decimal("0.000001")
BP = 10_000


def store_conditions(seed: int, *, first: date, as_of: date) -> Tariff:
    """Store what is missing and return the tariff of transfers by phone.

    first, as_of  the history; rates are dated a week apart over it, tariffs and limits from its first day
    """
    data = read_data("conditions")
    for row in data["banks"]:
        BankDirectory.objects.get_or_create(bik=row["bik"], defaults={"name": row["name"], "is_fictional": True})
    for plan in list_billers():
        defaults = {"name": plan.name, "inn": plan.inn, "category": plan.category}
        Biller.objects.get_or_create(code=plan.code, defaults=defaults)
    store_limits(first)
    if not Rate.objects.exists():
        Rate.objects.bulk_create(rate for row in data["rates"] for rate in build_rates(seed, row, first, as_of))
    return store_tariffs(first)


def store_limits(first: date) -> None:
    for row in read_data("conditions")["limits"]:
        period = LimitPeriod(row["period"])
        if not LimitRule.objects.filter(code=row["code"], period=period).exists():
            amount = row["amount"] * KOPECKS
            LimitRule.objects.create(
                code=row["code"], period=period, amount_minor=amount, valid_from=first, note=row["note"]
            )


def store_tariffs(first: date) -> Tariff:
    (row,) = read_data("conditions")["tariffs"]
    found = Tariff.objects.filter(code=row["code"], currency="RUB").order_by("-valid_from").first()
    if found is not None:
        return found
    return Tariff.objects.create(
        code=row["code"],
        free_minor=row["free"] * KOPECKS,
        rate_bp=row["rate_bp"],
        most_minor=row["most"] * KOPECKS,
        valid_from=first,
        note=row["note"],
    )


def build_rates(seed: int, row: dict[str, str], first: date, as_of: date) -> list[Rate]:
    """Return a pair's rates to roubles, one a week, drifting together."""
    draw = Draw(seed, "rates", row["base"])
    buy, sell = Decimal(row["buy"]), Decimal(row["sell"])
    drift = int(row["drift_bp"])
    rates, day = [], first
    while day <= as_of:
        rates.append(Rate(base=row["base"], quote="RUB", buy=buy, sell=sell, valid_from=get_day_start(day)))
        factor = Decimal(BP + draw.draw_number(-drift, drift)) / BP
        buy, sell = (buy * factor).quantize(SIX_DIGITS), (sell * factor).quantize(SIX_DIGITS)
        day += timedelta(days=7)
    return rates

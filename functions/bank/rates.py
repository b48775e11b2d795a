"""Exchange rates and what an amount would become; an estimate, nothing is reserved. Open to everybody."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NoReturn

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from accounts.errors import NotFound
from accounts.models import Rate
from accounts.money import Money
from accounts.selectors.rates import Conversion, estimate_conversion
from functions.arguments import Args
from functions.bank.days import refuse_field
from functions.context import Ctx
from functions.errors import Code
from functions.fields import Rubles
from functions.registry import read
from functions.results import MoneyView, Result

# The bank dates its rates at least every week; an older one says nothing about today.
STALE_AFTER = timedelta(days=31)
MEGA = 1_000_000


class CurrencyCode(StrEnum):
    """The currencies the bank exchanges; all have two digits after the point."""

    RUB = "RUB"
    USD = "USD"
    EUR = "EUR"
    CNY = "CNY"


class RateArguments(Args):
    """From which currency to which, and perhaps how much."""

    from_: CurrencyCode = Field(alias="from", description="Валюта, которую клиент отдаёт")
    to: CurrencyCode = Field(description="Валюта, которую клиент получает")
    amount: Rubles | None = Field(default=None, description="Сколько отдаёт клиент, в валюте from; без неё единица")


class RateView(Result):
    """The bank buys one unit of `base` for `buy` and sells it for `sell` units of `quote`.

    given, received  the estimate for the customer, at the price that applies to this direction
    """

    base: str
    quote: str
    buy: str
    sell: str
    given: MoneyView
    received: MoneyView
    price: str
    valid_at: datetime


@read(
    "get_exchange_rate",
    version=1,
    scopes={"public"},
    label=_("Looking at the rates"),
    examples=[
        ("какой курс доллара?", {"from": "USD", "to": "RUB"}),
        ("сколько евро я куплю на 10000 рублей?", {"from": "RUB", "to": "EUR", "amount": 10000}),
        ("сколько рублей дадут за 100 юаней?", {"from": "CNY", "to": "RUB", "amount": 100}),
    ],
)
def get_exchange_rate(ctx: Ctx, a: RateArguments) -> RateView:
    """Возвращает курс покупки и продажи валюты в банке и сколько получит клиент при обмене. Это оценка на сейчас: курс
    не фиксируется и обмен не выполняется. Курсы есть к рублю.
    """
    if a.from_ == a.to:
        refuse_field("to", "та же валюта, что и from", "другая валюта")
    given = Money(a.amount.minor if a.amount else 100, a.from_.value)
    try:
        conversion = estimate_conversion(given, a.to.value, now=ctx.now)
    except NotFound:
        refuse_rate(ctx, "Курса этой пары валют в банке нет.")
    if ctx.now - conversion.rate.valid_from > STALE_AFTER:
        refuse_rate(ctx, "Свежего курса сейчас нет.")
    return show_conversion(conversion)


def refuse_rate(ctx: Ctx, message: str) -> NoReturn:
    ctx.refuse(Code.TEMPORARILY_UNAVAILABLE, message, fix="Скажи клиенту, что курс сейчас недоступен; не называй цифр.")


def show_conversion(conversion: Conversion) -> RateView:
    rate: Rate = conversion.rate
    return RateView(
        base=rate.base,
        quote=rate.quote,
        buy=format_rate(rate.buy),
        sell=format_rate(rate.sell),
        given=MoneyView.from_money(conversion.given),
        received=MoneyView.from_money(conversion.received),
        price=format_rate(conversion.price),
        valid_at=rate.valid_from,
    )


def format_rate(price: Decimal) -> str:
    """Return a price as people write it, with at least two digits after the comma: "92,10", "0,0125"."""
    whole, _point, fraction = f"{price:f}".partition(".")
    return f"{whole},{fraction.rstrip('0').ljust(2, '0')}"

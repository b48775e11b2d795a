"""Exact money: integer minor units with a currency. Pure; the one place where text becomes money and back.

No float comes in or goes out as such: a JSON number passes by its shortest decimal text (`parse_money`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from types import MappingProxyType

from accounts.errors import CurrencyMismatch, MoneyMalformed

MAX_AMOUNT_MINOR = 10**14
NO_BREAK_SPACE = "\u00a0"
BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """`exponent`: digits after the point; `account_digits`: positions 6 to 8 of an account number."""

    exponent: int
    symbol: str
    account_digits: str


# Inside account numbers the rouble is still 810; everywhere else it is 643 or RUB.
CURRENCIES: Mapping[str, Currency] = MappingProxyType(
    {
        "RUB": Currency(exponent=2, symbol="₽", account_digits="810"),
        "USD": Currency(exponent=2, symbol="$", account_digits="840"),
        "EUR": Currency(exponent=2, symbol="€", account_digits="978"),
        "CNY": Currency(exponent=2, symbol="¥", account_digits="156"),
        "JPY": Currency(exponent=0, symbol="JP¥", account_digits="392"),
        "KWD": Currency(exponent=3, symbol="KWD", account_digits="414"),
    }
)
# What a customer may write behind an amount of roubles.
ROUBLE_MARKS = ("рублей", "рубля", "рубль", "руб.", "руб", "р.", "р", "rub", "₽")
SPACES = " \u00a0\u202f\u2009"
PLAIN_AMOUNT = re.compile(r"(?P<whole>[0-9]+)(?:(?P<point>[.,])(?P<fraction>[0-9]+))?")
GROUPED_AMOUNT = re.compile(
    rf"(?P<whole>[0-9]{{1,3}}(?:[{SPACES}][0-9]{{3}})+)(?:(?P<point>[.,])(?P<fraction>[0-9]+))?"
)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount; `minor` counts the smallest unit (kopecks for RUB) and may be negative."""

    minor: int
    currency: str = "RUB"

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError("minor units are an int")
        if self.currency not in CURRENCIES:
            raise MoneyMalformed("currency")

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._take(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._take(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._take(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._take(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._take(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._take(other)

    def _take(self, other: "Money") -> int:
        if self.currency != other.currency:
            raise CurrencyMismatch(self.currency, other.currency)
        return other.minor


def parse_money(value: object, *, currency: str = "RUB", max_minor: int = MAX_AMOUNT_MINOR) -> Money:
    """Return the positive amount that a number or a person's text says; nothing is ever rounded.

    value  int, Decimal, a JSON number (by its shortest decimal text), or text: "1500", "1 500,50", "1500.5 ₽"

    Raises: MoneyMalformed with a reason: text, sign, zero, fraction (more digits than the currency has), ambiguous
    ("1,500" may be one and a half or fifteen hundred), range, currency
    """
    if currency not in CURRENCIES:
        raise MoneyMalformed("currency")
    exponent = CURRENCIES[currency].exponent
    whole, fraction = split_text(value, currency) if isinstance(value, str) else split_number(value)
    if len(fraction) > exponent:
        raise MoneyMalformed("fraction")
    if len(whole) > 18:
        raise MoneyMalformed("range")
    minor = int(whole + fraction.ljust(exponent, "0"))
    if minor == 0:
        raise MoneyMalformed("zero")
    if minor > max_minor:
        raise MoneyMalformed("range")
    return Money(minor, currency)


def split_number(value: object) -> tuple[str, str]:
    """Return the digits before and after the point of a number.

    Raises: MoneyMalformed
    """
    if isinstance(value, bool) or value is None:
        raise MoneyMalformed("text")
    try:
        number = value if isinstance(value, Decimal) else Decimal(repr(value))
    except (InvalidOperation, ValueError):
        raise MoneyMalformed("text") from None
    if not number.is_finite():
        raise MoneyMalformed("text")
    if number.is_signed() and number:
        raise MoneyMalformed("sign")
    whole, _, fraction = f"{number:f}".lstrip("-").partition(".")
    return whole, fraction.rstrip("0")


def split_text(text: str, currency: str) -> tuple[str, str]:
    """Return the digits before and after the point of a person's text.

    Raises: MoneyMalformed
    """
    cleaned = drop_mark(text.strip(SPACES), currency)
    if cleaned[:1] in {"-", "−", "–"}:
        raise MoneyMalformed("sign")
    found = GROUPED_AMOUNT.fullmatch(cleaned) or PLAIN_AMOUNT.fullmatch(cleaned)
    if found is None:
        raise MoneyMalformed("text")
    fraction = found["fraction"] or ""
    is_grouped = any(space in found["whole"] for space in SPACES)
    if found["point"] == "," and len(fraction) == 3 and not is_grouped:
        raise MoneyMalformed("ambiguous")
    return re.sub(f"[{SPACES}]", "", found["whole"]), fraction


def drop_mark(text: str, currency: str) -> str:
    """Return `text` without the name or sign of the currency behind (or, for signs, before) the amount."""
    symbol = CURRENCIES[currency].symbol
    marks = (*ROUBLE_MARKS, symbol) if currency == "RUB" else (currency.lower(), symbol)
    lowered = text.lower()
    for mark in marks:
        if lowered.endswith(mark.lower()):
            return text[: -len(mark)].rstrip(SPACES)
    return text.removeprefix(symbol).lstrip(SPACES) if currency != "RUB" else text


def format_plain(money: Money) -> str:
    """Return the amount for machines: "12345.67", "-0.05"."""
    exponent = CURRENCIES[money.currency].exponent
    sign = "-" if money.minor < 0 else ""
    digits = str(abs(money.minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"


def format_money(money: Money, *, language: str = "ru") -> str:
    """Return the amount for people: "12 345,67 ₽" with no-break spaces, or "₽12,345.67" in English."""
    whole, _, fraction = format_plain(money).lstrip("-").partition(".")
    sign = "−" if money.minor < 0 else ""
    symbol = CURRENCIES[money.currency].symbol
    if language == "en":
        return f"{sign}{symbol}{int(whole):,}{'.' if fraction else ''}{fraction}"
    grouped = f"{int(whole):,}".replace(",", NO_BREAK_SPACE)
    return f"{sign}{grouped}{',' if fraction else ''}{fraction}{NO_BREAK_SPACE}{symbol}"


def take_basis_points(amount: Money, basis_points: int) -> Money:
    """Return that share of `amount`, rounded half up to the minor unit (the rounding every tariff row states)."""
    exact = Decimal(amount.minor) * basis_points / BASIS_POINTS
    return Money(int(exact.to_integral_value(rounding=ROUND_HALF_UP)), amount.currency)

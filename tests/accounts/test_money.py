import ast
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import CurrencyMismatch, MoneyMalformed
from accounts.money import (
    CURRENCIES,
    MAX_AMOUNT_MINOR,
    Money,
    format_money,
    format_plain,
    parse_money,
    take_basis_points,
)

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("value", "minor"),
    [
        ("1500", 150_000),
        ("1 500,50", 150_050),
        (f"1{NBSP}500,50", 150_050),
        ("1\u202f500,5", 150_050),
        ("1500.5 ₽", 150_050),
        ("1500,5", 150_050),
        ("12 345 678,90 руб.", 1_234_567_890),
        ("100 рублей", 10_000),
        ("1 рубль", 100),
        ("3 рубля", 300),
        ("250р", 25_000),
        ("250 RUB", 25_000),
        ("0,01", 1),
        ("1 500,500", None),
        (1500, 150_000),
        (1500.5, 150_050),
        (0.1, 10),
        (1e16 / 1e10, 100_000_000),
        (Decimal("1500.50"), 150_050),
        (Decimal("1500.500"), 150_050),
        ("1000000000000", MAX_AMOUNT_MINOR),
    ],
)
def test_parse_money_reads_what_people_and_machines_write(value: object, minor: int | None) -> None:
    if minor is None:
        with pytest.raises(MoneyMalformed):
            parse_money(value)
    else:
        assert parse_money(value) == Money(minor, "RUB")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("1,500", "ambiguous"),
        ("1.500", "fraction"),
        ("1.005", "fraction"),
        (0.005, "fraction"),
        ("-5", "sign"),
        ("−5", "sign"),
        (-5, "sign"),
        (Decimal("-0.01"), "sign"),
        ("0", "zero"),
        ("0,00", "zero"),
        (0, "zero"),
        (-0.0, "zero"),
        ("1e3", "text"),
        ("", "text"),
        ("сто", "text"),
        ("1 50", "text"),
        ("1 500 00", "text"),
        ("15 00,5", "text"),
        ("1500,", "text"),
        (",5", "text"),
        ("1.500,50", "text"),
        ("0x10", "text"),
        ("１５", "text"),
        ("٣", "text"),
        ("$5", "text"),
        (True, "text"),
        (None, "text"),
        ([5], "text"),
        (float("nan"), "text"),
        (float("inf"), "text"),
        ("1000000000000.01", "range"),
        ("9" * 30, "range"),
        (10**30, "range"),
    ],
)
def test_parse_money_refuses_the_rest_and_says_why(value: object, reason: str) -> None:
    with pytest.raises(MoneyMalformed) as refusal:
        parse_money(value)
    assert refusal.value.reason == reason


def test_parse_money_knows_other_currencies() -> None:
    assert parse_money("12.50 USD", currency="USD") == Money(1_250, "USD")
    assert parse_money("$12.50", currency="USD") == Money(1_250, "USD")
    assert parse_money("1500", currency="JPY") == Money(1_500, "JPY")
    assert parse_money("1.005", currency="KWD") == Money(1_005, "KWD")
    with pytest.raises(MoneyMalformed, match="fraction"):
        parse_money("1.5", currency="JPY")
    with pytest.raises(MoneyMalformed, match="currency"):
        parse_money("1", currency="XXX")
    with pytest.raises(MoneyMalformed, match="range"):
        parse_money("11", max_minor=1_000)


@pytest.mark.parametrize(
    ("money", "russian", "english", "plain"),
    [
        (Money(1_234_567), f"12{NBSP}345,67{NBSP}₽", "₽12,345.67", "12345.67"),
        (Money(5), f"0,05{NBSP}₽", "₽0.05", "0.05"),
        (Money(-5), f"−0,05{NBSP}₽", "−₽0.05", "-0.05"),
        (Money(0), f"0,00{NBSP}₽", "₽0.00", "0.00"),
        (Money(100_000_000_000), f"1{NBSP}000{NBSP}000{NBSP}000,00{NBSP}₽", "₽1,000,000,000.00", "1000000000.00"),
        (Money(1500, "JPY"), f"1{NBSP}500{NBSP}JP¥", "JP¥1,500", "1500"),
        (Money(1005, "KWD"), f"1,005{NBSP}KWD", "KWD1.005", "1.005"),
    ],
)
def test_format_money_in_both_languages(money: Money, russian: str, english: str, plain: str) -> None:
    assert (format_money(money), format_money(money, language="en"), format_plain(money)) == (russian, english, plain)


@given(st.integers(1, MAX_AMOUNT_MINOR))
def test_formatted_money_reads_back_as_itself(minor: int) -> None:
    money = Money(minor)
    assert parse_money(format_money(money)) == money
    assert parse_money(format_plain(money)) == money


@given(st.integers(1, 2**53 - 1))
def test_json_numbers_read_exactly(minor: int) -> None:
    # The shortest decimal text of a double of up to 15 digits is what was written.
    if minor < 10**15 and minor <= MAX_AMOUNT_MINOR:
        assert parse_money(float(Decimal(minor) / 100)) == Money(minor)


def test_money_counts_in_one_currency_only() -> None:
    assert Money(5) + Money(3) - Money(10) == Money(-2)
    assert -Money(5) == Money(-5)
    assert Money(1) < Money(2) <= Money(2)
    assert Money(2) > Money(1) >= Money(1)
    for act in (
        lambda: Money(1) + Money(1, "USD"),
        lambda: Money(1) - Money(1, "USD"),
        lambda: Money(1) < Money(1, "USD"),
        lambda: Money(1) <= Money(1, "USD"),
        lambda: Money(1) > Money(1, "USD"),
        lambda: Money(1) >= Money(1, "USD"),
    ):
        with pytest.raises(CurrencyMismatch):
            act()


def test_money_is_made_of_integers_of_a_known_currency() -> None:
    for minor in (1.0, True, Decimal(1), "1"):
        with pytest.raises(TypeError):
            Money(minor)  # type: ignore[arg-type]
    with pytest.raises(MoneyMalformed):
        Money(1, "XXX")
    assert {currency.account_digits for currency in CURRENCIES.values()} >= {"810", "840", "978"}


@pytest.mark.parametrize(
    ("minor", "basis_points", "expected"),
    [(100, 50, 1), (99, 50, 0), (101, 50, 1), (10_000, 50, 50), (10_100, 50, 51), (10_099, 50, 50), (1, 10_000, 1)],
)
def test_take_basis_points_rounds_half_up(minor: int, basis_points: int, expected: int) -> None:
    assert take_basis_points(Money(minor), basis_points) == Money(expected)


MONEY_MODULES = [
    "accounts/money.py",
    "accounts/orders.py",
    "accounts/selectors",
    "accounts/services",
    "accounts/gateways",
    "accounts/models",
]


def list_money_sources() -> list[Path]:
    roots = [Path(settings.BASE_DIR) / name for name in MONEY_MODULES]
    return [path for root in roots for path in ([root] if root.is_file() else sorted(root.rglob("*.py")))]


@pytest.mark.parametrize("path", list_money_sources(), ids=lambda path: path.name)
def test_money_modules_know_no_floats(path: Path) -> None:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        is_number = isinstance(node, ast.Constant) and isinstance(node.value, float)
        is_name = isinstance(node, ast.Name) and node.id == "float"
        is_field = isinstance(node, ast.Attribute) and node.attr == "FloatField"
        is_division = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
        if isinstance(node, ast.expr) and (is_number or is_name or is_field or is_division):
            found.append(f"{path.name}:{node.lineno}")
    allowed = {
        "idempotency.py": 2,  # seconds to wait before another attempt
        "money.py": 1,  # a Decimal divided
        "rates.py": 1,  # a Decimal divided
    }
    # The throttles of logins count seconds, not money.
    if path.name not in {"logins.py", "sessions.py"}:
        assert len(found) <= allowed.get(path.name, 0), found

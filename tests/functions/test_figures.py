import time
import timeit
from decimal import Decimal

import pytest

from functions.figures import Figure, FigureKind, find_figures

AMOUNT, PERCENT, DATE, COUNT = FigureKind


def read(text: str) -> list[tuple[FigureKind, tuple[Decimal, ...], tuple[int, int, int]]]:
    return [(figure.kind, figure.values, figure.day) for figure in find_figures(text)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12 345,67 ₽", "12345.67"),
        ("12\u00a0345.67 руб.", "12345.67"),
        ("12345 рублей", "12345"),
        ("₽12,345.67", "12345.67"),
        ("$1,500.50", "1500.50"),
        ("1.5 млн рублей", "1500000"),
        ("52 тыс. ₽", "52000"),
        ("52 тысячи", "52000"),
        ("5к", "5000"),
        ("3 million", "3000000"),
        ("2 млрд ₽", "2000000000"),
        ("100р", "100"),
        ("200 usd", "200"),
        ("40 копеек", "0.40"),
        ("51 980 рублей 20 копеек", "51980.20"),
        ("5 рублей и 5 коп.", "5.05"),
        ("мая 3 500 ₽", "3500"),
    ],
)
def test_find_figures_reads_amounts_in_every_form(text: str, value: str) -> None:
    assert read(f"итого {text}, да") == [(AMOUNT, (Decimal(value),), (0, 0, 0))]


def test_find_figures_reads_what_may_be_two_numbers_as_both() -> None:
    assert read("1,500 ₽") == [(AMOUNT, (Decimal(1500), Decimal("1.500")), (0, 0, 0))]
    assert read("курс 12.10") == [(DATE, (Decimal("12.10"),), (0, 10, 12))]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("3 ноября", [(0, 11, 3)]),
        ("3 ноября 2026 года", [(2026, 11, 3)]),
        ("3 мая", [(0, 5, 3)]),
        ("3 марта", [(0, 3, 3)]),
        ("с 1 по 15 ноября", [(0, 11, 1), (0, 11, 15)]),
        ("1–15 мая 2026", [(2026, 5, 1), (2026, 5, 15)]),
        ("November 3, 2026", [(2026, 11, 3)]),
        ("Nov. 3", [(0, 11, 3)]),
        ("3rd of March", [(0, 3, 3)]),
        ("ноябрь 2026", [(2026, 11, 0)]),
        ("03.11.2026", [(2026, 11, 3)]),
        ("3.11.26", [(2026, 11, 3)]),
        ("2026-11-03", [(2026, 11, 3)]),
        ("2026-11", [(2026, 11, 0)]),
        ("03/2027", [(2027, 3, 0)]),
        ("29 февраля", [(0, 2, 29)]),
    ],
)
def test_find_figures_reads_dates(text: str, days: list[tuple[int, int, int]]) -> None:
    assert [day for kind, _, day in read(f"дата {text}!") if kind is DATE] == days


def test_find_figures_of_no_such_day_is_no_date() -> None:
    assert read("31 ноября") == [(COUNT, (Decimal(31),), (0, 0, 0))]
    assert read("31.02.2026") != [(DATE, (), (2026, 2, 31))]


@pytest.mark.parametrize("text", ["12,5 %", "12.5%", "12,5 процента", "12.5 percent"])
def test_find_figures_reads_percentages(text: str) -> None:
    assert read(text) == [(PERCENT, (Decimal("12.5"),), (0, 0, 0))]


@pytest.mark.parametrize(
    "text",
    [
        "1. Первый\n2) Второй\n  3. Третий\n**4.** Четвёртый",
        "в 14:30 и 09:05:01",
        "24/7",
        "карта ··4821, *4821, **** 4821, …4821",
        "по 161-ФЗ, 3-D Secure, COVID-19",
        "acc_1, tx_17, 3D, iPhone15",
        "5-й, 3-го, 1st, 2nd, № 5, #7",
        "3 рабочих дня, 10–15 минут, 48 часов, 2 года, 30-дневный, 5 business days, 2 weeks",
        "+7 900 123-45-67 и 2200 0000 0000 0004",
        "⟦phone_1⟧ https://bank.example/2026/5",
        "2026 год",
        "ноябрь, май, марте",
    ],
)
def test_find_figures_what_is_no_figure_is_left_out(text: str) -> None:
    assert find_figures(text) == []


@pytest.mark.parametrize("text", ["около 52 000 ₽", "почти 52 000 ₽", "~52 000 ₽", "about ₽52,000", "over 52 000 ₽"])
def test_find_figures_marks_what_is_said_roughly(text: str) -> None:
    assert [figure.is_rough for figure in find_figures(text)] == [True]


def test_find_figures_step_is_the_smallest_difference_shown() -> None:
    steps = [figure.step for figure in find_figures("5 ₽, 5,5 ₽, 5,55 ₽, 5,5 тыс. ₽")]

    assert steps == [Decimal(1), Decimal("0.1"), Decimal("0.01"), Decimal(100)]


def test_find_figures_kopecks_behind_something_else_stand_alone() -> None:
    assert [figure.values for figure in find_figures("500 ₽, ещё 20 копеек")] == [(Decimal(500),), (Decimal("0.20"),)]


def test_figure_text_is_as_written() -> None:
    assert find_figures("ровно 1 500 ₽.")[0] == Figure(AMOUNT, "1 500 ₽", (Decimal(1500),))


@pytest.mark.parametrize("text", ["1 " * 2000, "1-" * 2000, "9" * 4000, "1 мая " * 600, "топ-" * 1000, "1,000" * 800])
def test_find_figures_hostile_text_takes_little_time(text: str) -> None:
    assert min(timeit.repeat(lambda: find_figures(text), number=1, repeat=3, timer=time.process_time)) < 1

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from functions.fields import AMOUNT_PROBLEMS, Day, MaskedName, MaskedNumber, PublicName, Rubles

RUBLES: TypeAdapter[Any] = TypeAdapter(Rubles)
DAY: TypeAdapter[Any] = TypeAdapter(Day)
NUMBER: TypeAdapter[Any] = TypeAdapter(MaskedNumber)
NAME: TypeAdapter[Any] = TypeAdapter(MaskedName)
PUBLIC: TypeAdapter[Any] = TypeAdapter(PublicName)


def read_problem(adapter: TypeAdapter[Any], value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(value)
    (found,) = caught.value.errors()
    return found["msg"]


@pytest.mark.parametrize(
    ("value", "minor"),
    [
        (1500, 150_000),
        (1500.5, 150_050),
        (0.1, 10),
        ("1500", 150_000),
        ("1 500,50", 150_050),
        ("1\u00a0500,50", 150_050),
        ("1500.5 ₽", 150_050),
        ("1 500 руб.", 150_000),
        (1e3, 100_000),
        (10**12, 10**14),
    ],
)
def test_amounts_are_read_exactly(value: object, minor: int) -> None:
    assert RUBLES.validate_python(value).minor == minor


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("1,500", "ambiguous"),
        ("1e3", "text"),
        ("-5", "sign"),
        (-5, "sign"),
        (0, "zero"),
        ("0,00", "zero"),
        (1500.005, "fraction"),
        ("10.001", "fraction"),
        (0.1 + 0.2, "fraction"),
        (10**12 + 1, "range"),
        (True, "text"),
        (None, "text"),
        ([1], "text"),
        ("тысяча", "text"),
        ("", "text"),
        ("100 $", "text"),
    ],
)
def test_amounts_that_are_not_clear_are_refused_with_their_reason(value: object, reason: str) -> None:
    assert read_problem(RUBLES, value) == AMOUNT_PROBLEMS[reason]


@settings(max_examples=300, deadline=None)
@given(st.integers(min_value=1, max_value=10**14))
def test_every_amount_is_read_back_from_its_text_and_its_number(minor: int) -> None:
    text = f"{minor // 100}.{minor % 100:02}"
    assert RUBLES.validate_python(text).minor == minor
    assert RUBLES.validate_python(text.replace(".", ",")).minor == minor
    if minor < 10**15 // 1000:
        assert RUBLES.validate_python(float(text)).minor == minor
    assert RUBLES.dump_python(RUBLES.validate_python(text)) == text


@settings(max_examples=300, deadline=None)
@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 12, 31)))
def test_every_iso_day_is_read(day: date) -> None:
    assert DAY.validate_python(day.isoformat()) == day


@pytest.mark.parametrize(
    "value",
    ["2026-02-29", "2026-2-1", "01.02.2026", "вчера", "today", 20260201, None, "1999-12-31", "2101-01-01",
     "2026-02-01T00:00:00", "", "٢٠٢٦-٠٢-٠١"],
)  # fmt: skip
def test_what_is_no_iso_day_is_refused(value: object) -> None:
    assert read_problem(DAY, value) == "это не дата"


@pytest.mark.parametrize("text", ["Накопительный ··4821", "··4821", "Счёт 12345", ""])
def test_masked_numbers_pass(text: str) -> None:
    assert NUMBER.validate_python(text) == text


@pytest.mark.parametrize("text", ["40817810099910004312", "4276 1234", "+7 (912) 345-67-89", "1234-5678"])
def test_numbers_that_are_not_masked_end_the_call(text: str) -> None:
    for adapter in (NUMBER, PUBLIC):
        with pytest.raises(ValidationError):
            adapter.validate_python(text)


@pytest.mark.parametrize("text", ["Иван И.", "Анна Мария П.", "Анна-Мария П.", "Иван"])
def test_shortened_names_pass(text: str) -> None:
    assert NAME.validate_python(text) == text


@pytest.mark.parametrize("text", ["Иван Иванов", "Иванов И. И.", "И. Иванов", "Иван Иванович Иванов", "7912345678", ""])
def test_full_names_end_the_call(text: str) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(text)

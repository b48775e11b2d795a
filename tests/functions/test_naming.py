import pytest

from functions.fields import check_masked_number, check_short_name
from functions.naming import mask_digits, mask_person


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("Иван Петров", "Иван П."),
        ("Иван И.", "Иван И."),
        ("Анна Мария Воронцова-Вельская", "Анна В."),
        ("Анна-Мария", "Анна-Мария"),
        ("Иван", "Иван"),
        ("+7 900 000-02-01", "Получатель"),
        ("79000000201 Иван Петров", "Иван П."),
        ("", "Получатель"),
        ("⟦acc_1⟧ <b>Иван</b> Петров", "b П."),
        ("И\u200bван \u202eПетров", "Иван П."),
    ],
)
def test_a_name_is_a_first_name_and_a_letter(name: str, masked: str) -> None:
    assert mask_person(name) == masked
    assert check_short_name(masked) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Текущий", "Текущий"),
        ("Вклад 2026", "Вклад 2026"),
        ("Договор 12345678", "Договор ··5678"),
        ("Счёт 4081 7810 0000", "Счёт ··0000"),
    ],
)
def test_long_numbers_in_names_are_cut(text: str, masked: str) -> None:
    assert mask_digits(text) == masked
    assert check_masked_number(masked) == masked

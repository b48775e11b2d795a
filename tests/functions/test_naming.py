import pytest

from functions.fields import check_short_name
from functions.naming import mask_person


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

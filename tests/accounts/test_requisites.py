import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import RequisitesMalformed
from accounts.requisites import (
    build_account_number,
    complete_inn,
    compute_account_key,
    compute_luhn_digit,
    is_account_key_right,
    is_card_number_right,
    is_inn_right,
)

# Worked examples of the Bank of Russia's order, and one with a letter.
KEYS = [
    ("049805746", "40602810{}00000000025", 7),
    ("049805000", "30101810{}00000000746", 8),
    ("049805000", "40102810{}00000010001", 1),
    ("044514512", "40702810{}00000000025", 9),
    ("044541312", "30114В84{}00000000501", 6),
    ("044541312", "30114B84{}00000000501", 6),
]


@pytest.mark.parametrize(("bik", "template", "key"), KEYS)
def test_account_key_of_known_accounts(bik: str, template: str, key: int) -> None:
    assert compute_account_key(bik, template.format(0)) == key
    assert [digit for digit in range(10) if is_account_key_right(bik, template.format(digit))] == [key]


@given(st.from_regex(r"[0-9]{9}", fullmatch=True), st.from_regex(r"[0-9]{11}", fullmatch=True))
def test_built_numbers_have_the_right_key_and_notice_one_wrong_digit(bik: str, tail: str) -> None:
    number = build_account_number(
        bik, balance_account="40817", currency_digits="810", branch=tail[:4], own_number=tail[4:]
    )
    assert is_account_key_right(bik, number)
    wrong = f"{number[:19]}{(int(number[19]) + 1) % 10}"
    assert not is_account_key_right(bik, wrong)


@pytest.mark.parametrize(
    ("bik", "number"),
    [
        ("04980574", "40602810700000000025"),
        ("049805746", "4060281070000000002"),
        ("049805746", "406028107000000000255"),
        ("049805746", "4060281А700000000025"),
        ("04980574X", "40602810700000000025"),
        ("０49805746", "40602810700000000025"),
    ],
)
def test_account_key_of_a_malformed_number_is_refused(bik: str, number: str) -> None:
    with pytest.raises(RequisitesMalformed):
        is_account_key_right(bik, number)


@pytest.mark.parametrize(
    ("inn", "is_right"),
    [
        ("7707083893", True),
        ("7707083894", False),
        ("500100732259", True),
        ("500100732250", False),
        ("500100732258", False),
        ("500100732359", False),
        ("770708389", False),
        ("77070838933", False),
        ("770708389X", False),
        ("", False),
    ],
)
def test_inn_check_digits(inn: str, is_right: bool) -> None:
    assert is_inn_right(inn) is is_right


@given(st.from_regex(r"[0-9]{9,10}", fullmatch=True))
def test_completed_inn_is_right(start: str) -> None:
    assert is_inn_right(complete_inn(start))


def test_inn_of_a_wrong_length_cannot_be_completed() -> None:
    with pytest.raises(RequisitesMalformed) as refusal:
        complete_inn("12345678")
    assert refusal.value.field == "inn"


@pytest.mark.parametrize(
    ("number", "is_right"),
    [
        ("4111111111111111", True),
        ("4111111111111112", False),
        ("2200000000000004", True),
        ("6304000000000000", True),
        ("79927398713", False),
        ("411111111111111", False),
        ("4111 1111 1111 1111", False),
    ],
)
def test_card_number_luhn(number: str, is_right: bool) -> None:
    assert is_card_number_right(number) is is_right


def test_luhn_digit_of_the_textbook() -> None:
    assert compute_luhn_digit("7992739871") == "3"
    with pytest.raises(RequisitesMalformed):
        compute_luhn_digit("")


@given(st.from_regex(r"[0-9]{15,18}", fullmatch=True))
def test_computed_luhn_digit_makes_the_number_right(start: str) -> None:
    assert is_card_number_right(start + compute_luhn_digit(start))

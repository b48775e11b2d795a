"""Check digits of Russian requisites: account key, INN, card number. Pure.

Source: the Bank of Russia's order of computing the key of an account number (letter 515 of 08.09.1997).
"""

import re
from collections.abc import Iterable
from itertools import cycle

from accounts.errors import RequisitesMalformed

KEY_POSITION = 8
KEY_WEIGHTS = (7, 1, 3)
# The letter that may stand in the sixth digit of accounts in clearing currencies, and the digit it counts as.
CURRENCY_LETTERS = str.maketrans("АВСЕНКМРТХABCEHKMPTX", "01234567890123456789")
INN_WEIGHTS_10 = (2, 4, 10, 3, 5, 9, 4, 6, 8)
INN_WEIGHTS_11 = (7, *INN_WEIGHTS_10)
INN_WEIGHTS_12 = (3, *INN_WEIGHTS_11)


def compute_account_key(bik: str, number: str) -> int:
    """Return the ninth digit that `number` must have at the bank `bik`; whatever stands there now is ignored.

    Raises: RequisitesMalformed
    """
    digits = build_key_digits(bik, f"{number[:KEY_POSITION]}0{number[KEY_POSITION + 1 :]}")
    return sum_products(digits) % 10 * 3 % 10


def is_account_key_right(bik: str, number: str) -> bool:
    """Tell whether the key inside `number` is right at the bank `bik`.

    Raises: RequisitesMalformed
    """
    return sum_products(build_key_digits(bik, number)) % 10 == 0


def build_account_number(bik: str, *, balance_account: str, currency_digits: str, branch: str, own_number: str) -> str:
    """Return the 20 digits with the right key: 5 of the balance account, 3 of the currency, key, 4 and 7.

    Raises: RequisitesMalformed
    """
    number = f"{balance_account}{currency_digits}0{branch}{own_number}"
    key = compute_account_key(bik, number)
    return f"{number[:KEY_POSITION]}{key}{number[KEY_POSITION + 1 :]}"


def build_key_digits(bik: str, number: str) -> list[int]:
    """Return the 23 digits the key is computed over.

    A settlement unit of the Bank of Russia (BIK ending in 000 to 002) stands for itself by 0 and its own two digits.
    """
    if not re.fullmatch(r"[0-9]{9}", bik):
        raise RequisitesMalformed("bik")
    plain = number[:5] + number[5:6].translate(CURRENCY_LETTERS) + number[6:]
    if not re.fullmatch(r"[0-9]{20}", plain):
        raise RequisitesMalformed("account")
    prefix = f"0{bik[4:6]}" if bik[6:] in {"000", "001", "002"} else bik[6:]
    return [int(digit) for digit in prefix + plain]


def sum_products(digits: Iterable[int]) -> int:
    """Return the sum of the last digits of the products with the weights 7, 1, 3."""
    return sum(digit * weight % 10 for digit, weight in zip(digits, cycle(KEY_WEIGHTS), strict=False))


def is_inn_right(inn: str) -> bool:
    """Tell whether `inn` has 10 digits (a company) or 12 (a person) and right check digits."""
    if not re.fullmatch(r"[0-9]{10}|[0-9]{12}", inn):
        return False
    return complete_inn(inn[:9] if len(inn) == 10 else inn[:10]) == inn


def complete_inn(start: str) -> str:
    """Return the INN that starts with these 9 (a company) or 10 (a person) digits.

    Raises: RequisitesMalformed
    """
    if not re.fullmatch(r"[0-9]{9,10}", start):
        raise RequisitesMalformed("inn")
    if len(start) == 9:
        return start + compute_inn_digit(start, INN_WEIGHTS_10)
    eleventh = start + compute_inn_digit(start, INN_WEIGHTS_11)
    return eleventh + compute_inn_digit(eleventh, INN_WEIGHTS_12)


def compute_inn_digit(digits: str, weights: tuple[int, ...]) -> str:
    return str(sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11 % 10)


def is_card_number_right(number: str) -> bool:
    """Tell whether `number` has 16 to 19 digits and a right Luhn digit."""
    return re.fullmatch(r"[0-9]{16,19}", number) is not None and compute_luhn_digit(number[:-1]) == number[-1]


def compute_luhn_digit(digits: str) -> str:
    """Return the digit that makes `digits` a right card number.

    Raises: RequisitesMalformed
    """
    if not re.fullmatch(r"[0-9]+", digits):
        raise RequisitesMalformed("card")
    doubled = [sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(digits))]
    return str(-sum(doubled) % 10)

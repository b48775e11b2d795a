"""Types of parameters and results. Each has a plain JSON schema; what the schema cannot say is said in Russian words.

Parameters: Rubles, Day, PeriodName, the handles, CursorText, SearchText, MemoText. Results: the masks, without which
a result may not carry a name or a number of a person (`checks`, E010).
"""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, PlainSerializer, PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from accounts.errors import MoneyMalformed
from accounts.local_days import Period
from accounts.money import MAX_AMOUNT_MINOR, Money, format_plain, parse_money
from functions.schemas import HANDLE, MASK, RULE

ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FIRST_YEAR, LAST_YEAR = 2000, 2100
MAX_RUBLES = MAX_AMOUNT_MINOR // 100
AMOUNT_PROBLEMS = {
    "text": "это не сумма",
    "sign": "сумма меньше нуля",
    "zero": "сумма равна нулю",
    "fraction": "больше двух знаков после запятой",
    "ambiguous": "непонятно, это полторы или полторы тысячи",
    "range": "сумма слишком велика",
    "currency": "другая валюта",
}
LONG_DIGITS = re.compile(r"[0-9][0-9\s()\-]{4,}[0-9]")
SHORT_NAME = re.compile(r"[^\W\d_][\w\-]*(?: [^\W\d_][\w\-]*)?(?: [^\W\d_]\.)?")


def read_rubles(value: Any) -> Money:
    if isinstance(value, Money):
        return value
    try:
        return parse_money(value, currency="RUB")
    except MoneyMalformed as error:
        problem = AMOUNT_PROBLEMS[error.reason]
    raise PydanticCustomError(
        "field.amount", "{problem}", {"problem": problem, "expected": "сумма в рублях больше нуля, например 1500.50"}
    )


def read_day(value: Any) -> date:
    if type(value) is date:
        return value
    if isinstance(value, str) and ISO_DAY.fullmatch(value.strip()):
        try:
            day = date.fromisoformat(value.strip())
        except ValueError:
            day = date.min
        if FIRST_YEAR <= day.year <= LAST_YEAR:
            return day
    raise PydanticCustomError(
        "field.day", "{problem}", {"problem": "это не дата", "expected": "дата ГГГГ-ММ-ДД, например 2026-03-01"}
    )


def check_masked_number(value: str) -> str:
    """Raises: ValueError for more than five digits in a row, spaces and dashes between them counted as nothing"""
    if LONG_DIGITS.search(value):
        raise ValueError("a number that is not masked")
    return value


def check_short_name(value: str) -> str:
    """Raises: ValueError for anything but given names and an initial: "Иван И." or "Анна Мария П."."""
    if not SHORT_NAME.fullmatch(value) or (" " in value and not value.endswith(".")):
        raise ValueError("a name that is not shortened")
    return value


def build_handle(prefix: str) -> Any:
    """Return the annotations of a handle parameter: which one is meant, only the conversation's table knows."""
    return WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": 64,
            HANDLE: prefix,
            RULE: f"ссылка вида {prefix}_1 из ответа функции",
        }
    )


HandleText = StringConstraints(strip_whitespace=True, min_length=1, max_length=64)

Rubles = Annotated[
    Money,
    PlainValidator(read_rubles),
    PlainSerializer(format_plain, return_type=str),
    WithJsonSchema(
        {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": MAX_RUBLES,
            RULE: "в рублях, больше 0, не больше двух знаков после точки",
        }
    ),
]
Day = Annotated[
    date,
    PlainValidator(read_day),
    PlainSerializer(date.isoformat, return_type=str),
    WithJsonSchema({"type": "string", "format": "date"}),
]
PeriodName = Annotated[Period, WithJsonSchema({"type": "string", "enum": [period.value for period in Period]})]
AccountHandle = Annotated[str, HandleText, build_handle("acc")]
# Required, and "" says that the customer has only one.
AccountHandleOrEmpty = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=64),
    WithJsonSchema({"type": "string", "maxLength": 64, HANDLE: "acc", RULE: "ссылка вида acc_1 или пустая строка"}),
]
CardHandle = Annotated[str, HandleText, build_handle("card")]
LineHandle = Annotated[str, HandleText, build_handle("tx")]
PayeeHandle = Annotated[
    str,
    HandleText,
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": 64,
            HANDLE: "payee",
            RULE: "ссылка вида payee_1 из ответа функции или phone_1 из сообщения клиента",
        }
    ),
]
BillHandle = Annotated[str, HandleText, build_handle("bill")]
ConfirmationHandle = Annotated[str, HandleText, build_handle("confirm")]
CursorText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=1000),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 1000, RULE: "значение next из прошлого ответа"}),
]
SearchText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=140)]
MemoText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=140)]

# Results.
MaskedNumber = Annotated[str, AfterValidator(check_masked_number), WithJsonSchema({"type": "string", MASK: "number"})]
MaskedName = Annotated[str, AfterValidator(check_short_name), WithJsonSchema({"type": "string", MASK: "name"})]
# A company, a bank, an account's title: nobody's name. Long digit runs are refused all the same.
PublicName = Annotated[str, AfterValidator(check_masked_number), WithJsonSchema({"type": "string", MASK: "public"})]

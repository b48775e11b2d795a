"""Any JSON a function returns becomes something a customer can read."""

from typing import Any

import pytest

from chat.gigachat.sandbox.brain.dialogue import FunctionResult
from chat.gigachat.sandbox.brain.results import write_result
from chat.gigachat.sandbox.brain.text import Language


def write(value: dict[str, Any], language: Language = Language.RU) -> str:
    return write_result(FunctionResult("f", {}, value), language)


@pytest.mark.parametrize(
    ("value", "language", "text"),
    [
        ({"balance": 1234.5, "currency": "RUB"}, Language.RU, "остаток: 1\u00a0234,50\u00a0₽."),
        ({"balance": 1234.5, "currency": "RUB"}, Language.EN, "balance: 1,234.50\u00a0₽."),
        ({"balance_minor": 1234567, "currency": "USD"}, Language.EN, "balance: 12,345.67\u00a0$."),
        ({"total_count": 1234}, Language.RU, "всего: 1234."),
        ({"is_open": True}, Language.EN, "is open: yes."),
        ({"result": "Перевод выполнен"}, Language.RU, "результат: Перевод выполнен."),
        ({}, Language.RU, "Готово, данных для показа нет."),
        ({"id": "x", "handle": "acc_1"}, Language.EN, "Done; there is nothing to show."),
    ],
)
def test_write_result_of_one_value_is_a_sentence(value: dict[str, Any], language: Language, text: str) -> None:
    assert write(value, language) == text


def test_write_result_nests_objects_and_numbers_rows() -> None:
    value = {
        "account": {"title": "Карта", "available": 10, "currency": "RUB"},
        "transactions": [{"date": "2026-11-01", "merchant": "Кафе", "amount": -250, "currency": "RUB", "id": "tx_1"}],
        "note": None,
        "tags": ["a", "b"],
    }

    assert write(value) == (
        "Вот что я нашёл:\n\n- счёт:\n  - название: Карта\n  - доступно: 10\u00a0₽\n- операции:\n"
        "  1. 2026-11-01, Кафе, -250\u00a0₽\n- tags:\n  1. a\n  2. b"
    )


def test_write_result_shows_at_most_ten_rows() -> None:
    text = write({"items": [{"name": f"строка {number}"} for number in range(30)]})

    assert "10. строка 9" in text
    assert "строка 10" not in text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"error": "insufficient_funds"}, "insufficient_funds"),
        ({"error": {"code": "expired"}}, "expired"),
        ({"status": "refused", "reason": "limit"}, "limit"),
        ({"status": "failed"}, "failed"),
    ],
)
def test_write_result_of_failure_names_the_reason(value: dict[str, Any], reason: str) -> None:
    assert write(value, Language.EN) == f"I am sorry, that did not work: {reason}. Try again or change the request."

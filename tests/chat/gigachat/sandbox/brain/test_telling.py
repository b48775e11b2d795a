"""Answers over the bank's envelopes: honest outcomes, figures from results only, both languages."""

import orjson
import pytest

from chat.gigachat.sandbox.brain.telling import tell_envelope
from chat.gigachat.sandbox.brain.text import Language
from functions.errors import Code
from functions.grounding import find_unsupported
from tests.chat.gigachat.sandbox.brain.bank import RESULTS
from tests.functions import answers
from tests.functions.answers import money, refuse, succeed

DAYS = {"date_from": "2026-10-01", "date_to": "2026-10-31"}


def tell(envelope: str, language: Language = Language.RU) -> str | None:
    return tell_envelope(orjson.loads(envelope), language)


@pytest.mark.parametrize(
    ("envelope", "russian", "english"),
    [
        (
            answers.BALANCE,
            (
                "На счёте «Зарплатный ··4821» доступно 51 980,20 ₽, проведённый остаток 53 480,20 ₽. Ожидают списания "
                "1 500,00 ₽."
            ),
            "Зарплатный ··4821: 51 980,20 ₽ available, 53 480,20 ₽ booked. 1 500,00 ₽ is on hold.",
        ),
        (
            answers.PAID,
            "Готово, платёж выполнен: 500,00 ₽, Зарплатный ··4821 → Иван И., комиссия 0,00 ₽. Доступно 51 480,20 ₽.",
            "Done, the payment is executed: 500,00 ₽, Зарплатный ··4821 → Иван И., fee 0,00 ₽. Available: 51 480,20 ₽.",
        ),
        (
            answers.PROCESSING,
            (
                "Платёж 500,00 ₽ (Зарплатный ··4821 → Иван И., комиссия 0,00 ₽) отправлен, но ещё не завершён: ждём "
                "ответа другой стороны."
            ),
            (
                "The payment of 500,00 ₽ (Зарплатный ··4821 → Иван И., fee 0,00 ₽) is on its way but not finished: "
                "the other side has not answered."
            ),
        ),
        (
            refuse("declined", "Клиент отклонил операцию."),
            "Клиент отклонил операцию. Деньги не списаны.",
            "It was declined and not carried out. No money has moved.",
        ),
        (
            refuse("expired", "Время на подтверждение вышло."),
            "Время на подтверждение вышло. Деньги не списаны.",
            "The time for the confirmation is over; nothing was carried out. No money has moved.",
        ),
        (
            answers.SUSPENDED,
            "Банк приостановил перевод для проверки. Деньги не списаны. После 26 ноября 2026 я спрошу вас ещё раз.",
            (
                "The bank has suspended the transfer for a check. No money has moved. I will ask you again after "
                "26 November 2026."
            ),
        ),
        (
            refuse("superseded", "Это уже не ждёт подтверждения."),
            "Прежний запрос отменён, операция не выполнена.",
            "The earlier request was withdrawn.",
        ),
        (
            refuse("ambiguous_reference", "…", choices=[{"account": "acc_1", "title": "Текущий ··4821"}]),
            "Уточните, пожалуйста, что вы имеете в виду: Текущий ··4821?",
            "Please tell me which one you mean: Текущий ··4821?",
        ),
        (
            refuse("internal", "Внутренняя ошибка банка."),
            "Извините, в банке произошла ошибка. Попробуйте позже.",
            "I am sorry, the bank had an error.",
        ),
    ],
)
def test_tell_envelope_reports_outcomes_honestly(envelope: str, russian: str, english: str) -> None:
    assert tell(envelope) == russian
    assert tell(envelope, Language.EN) == english


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.AMBIGUOUS_REFERENCE])
def test_tell_envelope_never_says_that_a_refused_thing_was_done(code: Code) -> None:
    for language in Language:
        text = tell(refuse(code, ""), language)

        assert text
        assert not text.startswith(("Готово", "Done"))


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("name", sorted(RESULTS))
def test_tell_envelope_says_only_figures_of_the_result(name: str, language: Language) -> None:
    text = tell(RESULTS[name], language)

    assert text
    assert find_unsupported(text, results=[RESULTS[name]], customer_texts=()) == ()
    assert "_1" not in text.replace("⟦acc_1.requisites⟧", "")


@pytest.mark.parametrize(
    "envelope",
    ['{"accounts":[]}', succeed(queue=3), succeed(accounts=[{}]), succeed(cards=5), '{"ok":true,"data":5}'],
)
def test_tell_envelope_leaves_other_shapes_to_the_general_words(envelope: str) -> None:
    assert tell(envelope) is None


def test_tell_envelope_empty_results_are_said() -> None:
    assert tell(succeed(lines=[], total_count=0)) == "Таких операций не нашлось."
    assert tell(succeed(payments=[], until="2026-12-24", totals=[])) == "Предстоящих платежей нет."
    spent = tell(succeed(days=DAYS, total=money("0.00", "0,00 ₽"), groups=[], count=0))
    assert spent == "С 1 октября 2026 по 31 октября 2026 вы потратили 0,00 ₽."


def test_month_without_spending_ends_its_sentence() -> None:
    zero = answers.money("0.00", "0,00 ₽")
    days = {"date_from": "2026-11-01", "date_to": "2026-11-24"}

    told = tell(succeed(groups=[], days=days, total=zero))

    assert told == "С 1 ноября 2026 по 24 ноября 2026 вы потратили 0,00 ₽."

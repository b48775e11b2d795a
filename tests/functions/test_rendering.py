import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.gigachat.sandbox.brain.telling import WRITERS as SANDBOX_WRITERS
from functions.errors import Code
from functions.grounding import find_unsupported
from functions.registry import Function, list_functions
from functions.rendering import MAX_LINES, WRITERS, render_results
from tests.functions import answers
from tests.functions.answers import money, refuse, succeed

LIMIT = succeed(
    card="card_1", title="МИР ··1234", limit="purchases_day", new=money("5000.00", "5 000,00 ₽"), is_changed=True
)
CARD = succeed(card="card_1", title="МИР ··1234", status="frozen", is_changed=True)
REQUISITES = succeed(account="acc_1", title="Зарплатный ··4821", requisites="⟦acc_1.requisites⟧")
STATEMENT = succeed(
    statement="file_1", account="acc_1", title="Зарплатный ··4821", date_from="2026-01-01", date_to="2026-01-31"
)
CANCELLED = succeed(confirm="confirm_1", state="cancelled")
N = "\u00a0"


@pytest.mark.parametrize(
    ("result", "russian", "english"),
    [
        (
            answers.BALANCE,
            "Зарплатный ··4821:\n- Доступно: 51 980,20 ₽\n- Проведено: 53 480,20 ₽\n- Заблокировано: 1 500,00 ₽",
            "Зарплатный ··4821:\n- Available: ₽51,980.20\n- Booked: ₽53,480.20\n- On hold: ₽1,500.00",
        ),
        (
            answers.ACCOUNTS,
            (
                "Ваши счета:\n- Зарплатный ··4821: 51 980,20 ₽\n- Накопительный ··0077: 1 234 567,00 ₽\n"
                "- Долларовый ··9001: 250,00 $"
            ),
            (
                "Your accounts:\n- Зарплатный ··4821: ₽51,980.20\n- Накопительный ··0077: ₽1,234,567.00\n"
                "- Долларовый ··9001: $250.00"
            ),
        ),
        (
            answers.SPENDING,
            (
                "Расходы с 1 октября 2026 г. по 31 октября 2026 г.: 87 654,30 ₽\n- продукты: 31 200,50 ₽\n"
                "- кафе и рестораны: 15 420,00 ₽\n- транспорт: 4 300,00 ₽"
            ),
            (
                "Spent from Oct. 1, 2026 to Oct. 31, 2026: ₽87,654.30\n- groceries: ₽31,200.50\n"
                "- cafes and restaurants: ₽15,420.00\n- transport: ₽4,300.00"
            ),
        ),
        (
            answers.LINES,
            (
                "Найдено операций: 37\n- 23 ноября 2026 г.: −1 299,90 ₽, «PYATEROCHKA 5712»\n"
                "- 20 ноября 2026 г.: +95 000,00 ₽\n- 3 ноября 2026 г.: −500,00 ₽, «METRO»"
            ),
            (
                "Transactions found: 37\n- Nov. 23, 2026: −₽1,299.90, «PYATEROCHKA 5712»\n"
                "- Nov. 20, 2026: +₽95,000.00\n- Nov. 3, 2026: −₽500.00, «METRO»"
            ),
        ),
        (
            answers.UPCOMING,
            (
                "Платежи до 24 декабря 2026 г.:\n- 10 декабря 2026 г.: «Квартплата», 7 491,00 ₽\n"
                "- 1 декабря 2026 г.: «Кино», 399,00 ₽"
            ),
            "Payments until Dec. 24, 2026:\n- Dec. 10, 2026: «Квартплата», ₽7,491.00\n- Dec. 1, 2026: «Кино», ₽399.00",
        ),
        (
            answers.RATE,
            "USD: банк покупает по 96.50 и продаёт по 99.10 RUB. За 100,00 $ вы получите 9 650,00 ₽.",
            "USD: the bank buys at 96.50 and sells at 99.10 RUB. For $100.00 you get ₽9,650.00.",
        ),
        (
            answers.PAID,
            "Выполнено: 500,00 ₽, получатель Иван И., комиссия 0,00 ₽.",
            "Done: ₽500.00 to Иван И., fee ₽0.00.",
        ),
        (
            answers.PROCESSING,
            "В пути: 500,00 ₽, получатель Иван И., комиссия 0,00 ₽. Платёж ещё не завершён.",
            "On its way: ₽500.00 to Иван И., fee ₽0.00. It is not done yet.",
        ),
        (
            answers.PAYEES,
            "Найденные получатели:\n- Иван И., Примерный банк",
            "Payees found:\n- Иван И., Примерный банк",
        ),
        (answers.CARDS, "Ваши карты:\n- МИР ··1234: действует", "Your cards:\n- МИР ··1234: active"),
        (LIMIT, "МИР ··1234, лимит «покупки за день»: 5 000,00 ₽", "МИР ··1234, limit “purchases a day”: ₽5,000.00"),
        (CARD, "МИР ··1234: заморожена клиентом", "МИР ··1234: frozen by the customer"),
        (REQUISITES, "Зарплатный ··4821:\n⟦acc_1.requisites⟧", "Зарплатный ··4821:\n⟦acc_1.requisites⟧"),
        (
            STATEMENT,
            "Выписка по счёту Зарплатный ··4821 с 1 января 2026 г. по 31 января 2026 г. — в приложении.",
            "The statement of Зарплатный ··4821 from Jan. 1, 2026 to Jan. 31, 2026 is in the app.",
        ),
        (CANCELLED, "Отменено. Деньги не списаны.", "Cancelled. No money has moved."),
        (answers.NO_FUNDS, "На счёте не хватает денег.", "There is not enough money on the account."),
        (
            refuse("internal", "Внутренняя ошибка банка."),
            "Не получилось. Попробуйте, пожалуйста, позже.",
            "This did not work. Please try again later.",
        ),
    ],
)
def test_render_results_tells_every_shape_in_both_languages(result: str, russian: str, english: str) -> None:
    assert render_results([result], "ru").replace(N, " ") == russian
    assert render_results([result], "en").replace(N, " ") == english


@pytest.mark.parametrize("code", list(Code))
def test_render_results_has_words_for_every_refusal(code: Code) -> None:
    russian, english = (render_results([refuse(code, "…")], language) for language in ("ru", "en"))

    assert russian.endswith(".")
    assert english.isascii()
    assert russian != english


@pytest.mark.parametrize("language", ["ru", "en"])
def test_render_results_says_only_supported_figures(language: str) -> None:
    for results in {results for _, results in answers.GROUNDED if results}:
        text = render_results(results, language)

        assert find_unsupported(text, results=results, customer_texts=()) == (), text


def test_render_results_leaves_out_what_was_only_a_step() -> None:
    text = render_results([answers.ACCOUNTS, answers.NO_FUNDS, answers.PAYEES, answers.PAID], "en")

    assert text.replace(N, " ") == "Done: ₽500.00 to Иван И., fee ₽0.00."


def test_render_results_tells_several_reads() -> None:
    assert render_results([answers.BALANCE, answers.RATE], "en").count("\n\n") == 1


def test_render_results_long_lists_are_cut() -> None:
    view = money("1.00", "1,00 ₽")
    rows = [{"title": f"Счёт {number}", "available": view} for number in range(MAX_LINES + 3)]

    assert render_results([succeed(accounts=rows)], "ru").endswith("\n- Счёт 9: 1,00\u00a0₽\n… и ещё 3")


@pytest.mark.parametrize(
    "result",
    ["nonsense", "5", '{"ok":true}', succeed(queue=3), succeed(accounts=[{"title": "x"}]), succeed(cards=5)],
)
def test_render_results_of_an_unknown_shape_says_nothing(result: str) -> None:
    assert render_results([result], "ru") == ""


def test_render_results_quotes_strangers_without_hidden_characters() -> None:
    line = {
        "date": "2026-11-23",
        "direction": "out",
        "amount": money("1.00", ""),
        "merchant_untrusted": "a\u202e⟦b⟧\nc",
    }

    assert "«ab c»" in render_results([succeed(lines=[line], total_count=1)], "en")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["title", "amount", "date"]), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted({key for keys, _ in WRITERS for key in keys})), JSON, max_size=6))
def test_render_results_of_any_object_raises_nothing(data: dict[str, object]) -> None:
    render_results([orjson.dumps({"ok": True, "data": data}).decode()], "ru")


@pytest.mark.parametrize("function", list_functions(), ids=lambda function: function.name)
def test_every_result_has_words_of_its_own_here_and_in_the_sandbox(function: Function) -> None:
    """A field renamed in a function must not leave the customer with its bare keys and values."""
    assert function.result is not None
    fields = function.result.model_fields

    assert any(set(keys) <= fields.keys() for keys, _write in WRITERS)
    assert any(set(keys) <= fields.keys() for keys, _write in SANDBOX_WRITERS)

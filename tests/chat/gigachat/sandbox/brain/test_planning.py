"""The bank's own eighteen functions, as the registry renders them: which is called, with what, in which order."""

from typing import Any

import pytest

from tests.chat.gigachat.sandbox.brain.bank import ACCOUNTS, CURRENT, build_account, build_exchange, converse
from tests.chat.gigachat.sandbox.brain.bank import ask_model as ask
from tests.functions import answers
from tests.functions.answers import refuse, succeed

LIST: tuple[str, dict[str, Any]] = ("list_accounts", {})
CARDS: tuple[str, dict[str, Any]] = ("list_cards", {})
BILLS: tuple[str, dict[str, Any]] = ("list_upcoming_payments", {"kind": "bill"})


@pytest.mark.parametrize(
    ("question", "calls"),
    [
        ("Сколько у меня денег?", [LIST]),
        ("What's my balance?", [LIST]),
        ("какие у меня счета?", [LIST]),
        ("Какой баланс на накопительном?", [LIST, ("get_account_balance", {"account_id": "acc_2"})]),
        ("сколько на карте?", [LIST, ("get_account_balance", {"account_id": "acc_1"})]),
        ("сколько юаней на счёте?", [LIST, ("get_account_balance", {"account_id": "acc_3"})]),
        ("Сколько на acc_2?", [("get_account_balance", {"account_id": "acc_2"})]),
        (
            "На что я потратил деньги в прошлом месяце?",
            [("get_spending_summary", {"group_by": "category", "period": "last_month"})],
        ),
        (
            "сравни расходы этого месяца с прошлым",
            [("get_spending_summary", {"group_by": "category", "period": "this_month", "compare": True})],
        ),
        (
            "Сколько я потратил на еду в октябре?",
            [
                (
                    "get_spending_summary",
                    {
                        "group_by": "category",
                        "date_from": "2026-10-01",
                        "date_to": "2026-10-31",
                        "category": "groceries",
                    },
                )
            ],
        ),
        (
            "How much did I spend on food last month?",
            [("get_spending_summary", {"group_by": "category", "period": "last_month", "category": "groceries"})],
        ),
        (
            "расходы по месяцам за этот год",
            [("get_spending_summary", {"group_by": "month", "period": "this_year"})],
        ),
        ("покажи последние операции", [("search_transactions", {})]),
        ("Show my transactions this week", [("search_transactions", {"period": "this_week"})]),
        ("найди покупки в Пятёрочке", [("search_transactions", {"text": "Пятёрочке"})]),
        ("подробнее про tx_5", [("search_transactions", {"text": "tx_5"})]),
        (
            "были поступления больше 10 000 рублей?",
            [("search_transactions", {"direction": "in", "min_amount": 10000.0})],
        ),
        ("пришла ли зарплата?", [("search_transactions", {"category": "salary", "direction": "in"})]),
        ("Какие у меня карты?", [CARDS]),
        ("какие лимиты на карте?", [CARDS]),
        ("я потерял карту, заблокируй", [CARDS, ("block_card", {"card": "card_1", "reason": "lost"})]),
        ("заморозь карту на время", [CARDS, ("block_card", {"card": "card_1", "reason": "temporary"})]),
        ("block my card, it was stolen", [CARDS, ("block_card", {"card": "card_1", "reason": "stolen"})]),
        ("заблокируй карту", [CARDS, ("block_card", {"card": "card_1", "reason": "temporary"})]),
        ("разблокируй карту", [CARDS, ("unblock_card", {"card": "card_1"})]),
        (
            "поставь лимит на покупки 5000 в день",
            [CARDS, ("set_card_limit", {"card": "card_1", "limit": "purchases_day", "amount": 5000.0})],
        ),
        ("какой курс доллара?", [("get_exchange_rate", {"from": "USD", "to": "RUB"})]),
        ("What is the dollar rate?", [("get_exchange_rate", {"from": "USD", "to": "RUB"})]),
        (
            "сколько евро я куплю на 10 000 рублей?",
            [("get_exchange_rate", {"from": "RUB", "to": "EUR", "amount": 10000.0})],
        ),
        (
            "сколько рублей дадут за 250 юаней?",
            [("get_exchange_rate", {"from": "CNY", "to": "RUB", "amount": 250.0})],
        ),
        ("дай реквизиты", [LIST, ("show_requisites", {"account": "acc_1"})]),
        ("Покажи реквизиты накопительного счёта", [LIST, ("show_requisites", {"account": "acc_2"})]),
        ("реквизиты накопительного", [LIST, ("show_requisites", {"account": "acc_2"})]),
        ("что мне скоро платить?", [("list_upcoming_payments", {})]),
        ("покажи мои подписки", [("list_upcoming_payments", {"kind": "subscription"})]),
        ("кому принадлежит ⟦phone_1⟧?", [("find_payee", {"query": "phone_1"})]),
        (
            "переведи 500 Ивану",
            [("find_payee", {"query": "Ивану"}), ("transfer_by_phone", {"payee": "payee_1", "amount": 500.0})],
        ),
        (
            "скинь 300 рублей маме",
            [("find_payee", {"query": "маме"}), ("transfer_by_phone", {"payee": "payee_1", "amount": 300.0})],
        ),
        (
            "Send 200 to Anna",
            [("find_payee", {"query": "Anna"}), ("transfer_by_phone", {"payee": "payee_1", "amount": 200.0})],
        ),
        (
            "переведи 1500 на ⟦phone_1⟧ с сообщением «за обед»",
            [("transfer_by_phone", {"payee": "phone_1", "amount": 1500.0, "message": "за обед"})],
        ),
        (
            "переведи 2 тыс. на ⟦phone_1⟧ в Примерный банк",
            [("transfer_by_phone", {"payee": "phone_1", "amount": 2000.0, "bank": "Примерный"})],
        ),
        (
            "переведи Ивану ⟦name_1⟧ 1 500,50 ₽ с накопительного",
            [
                ("find_payee", {"query": "Ивану ⟦name_1⟧"}),
                LIST,
                ("transfer_by_phone", {"payee": "payee_1", "amount": 1500.5, "from_account": "acc_2"}),
            ],
        ),
        (
            "переведи 500 с накопительного на карту",
            [
                LIST,
                (
                    "transfer_between_own_accounts",
                    {"from_account": "acc_2", "to_account": "acc_1", "amount": 500.0},
                ),
            ],
        ),
        (
            "пополни накопительный на 1000",
            [
                LIST,
                (
                    "transfer_between_own_accounts",
                    {"from_account": "acc_1", "to_account": "acc_2", "amount": 1000.0},
                ),
            ],
        ),
        (
            "transfer 500 from savings to my current account",
            [
                LIST,
                (
                    "transfer_between_own_accounts",
                    {"from_account": "acc_2", "to_account": "acc_1", "amount": 500.0},
                ),
            ],
        ),
        ("оплати счёт за квартиру", [BILLS, ("pay_bill", {"bill": "bill_1"})]),
        (
            "сделай выписку за октябрь",
            [
                LIST,
                (
                    "request_statement",
                    {"account": "acc_1", "date_from": "2026-10-01", "date_to": "2026-10-31", "format": "pdf"},
                ),
            ],
        ),
        ("отмени, я передумал", [("cancel_pending_action", {})]),
        ("cancel that transfer", [("cancel_pending_action", {})]),
        ("Что такое кэшбэк?", []),
        ("Как перевести деньги?", []),
        ("Привет!", []),
        ("Какая комиссия за перевод?", []),
        ("Какие лимиты на переводы?", []),
        ("Какие тарифы у карты?", []),
        ("Сколько стоит обслуживание карты?", []),
        ("Какая ставка по вкладу?", []),
        ("Чем вклад лучше накопительного счёта?", []),
        ("Расскажи подробно об ипотеке", []),
        ("Спасибо!", []),
        ("What are the transfer limits?", []),
    ],
)
def test_plan_next_calls_what_the_question_needs(question: str, calls: list[tuple[str, dict[str, Any]]]) -> None:
    *made, answer = converse(question)

    assert made == calls
    assert isinstance(answer, str)
    assert answer


def test_plan_next_every_function_is_reachable() -> None:
    names = {
        step[0]
        for question in (
            "оплати счёт за квартиру",
            "переведи 500 Ивану",
            "отмени, я передумал",
            "дай реквизиты",
        )
        for step in converse(question)
        if isinstance(step, tuple)
    }

    assert {"pay_bill", "find_payee", "transfer_by_phone", "cancel_pending_action", "show_requisites"} <= names


def test_plan_next_goes_on_with_the_cursor_of_the_last_result() -> None:
    found = answers.LINES[:-2] + ',"next":"cursor-1"}}'

    assert converse("покажи последние операции", "покажи ещё", search_transactions=found)[2] == (
        "get_more_results",
        {"cursor": "cursor-1"},
    )


def test_plan_next_knows_the_handles_of_earlier_turns() -> None:
    steps = converse("какие у меня счета?", "переведи 500 с накопительного на карту")

    assert steps[2] == (
        "transfer_between_own_accounts",
        {"from_account": "acc_2", "to_account": "acc_1", "amount": 500.0},
    )


@pytest.mark.parametrize(
    ("question", "asked", "reply", "call"),
    [
        (
            "переведи Ивану",
            "Уточните, пожалуйста: Сумма перевода.",
            "700 рублей",
            ("transfer_by_phone", {"payee": "payee_1", "amount": 700.0}),
        ),
        (
            "заплати за интернет",
            "Уточните, пожалуйста, какой счёт оплатить: Квартплата?",
            "тогда за квартиру",
            ("pay_bill", {"bill": "bill_1"}),
        ),
    ],
)
def test_plan_next_asks_for_what_is_missing_and_uses_the_reply(
    question: str, asked: str, reply: str, call: tuple[str, dict[str, Any]]
) -> None:
    steps = converse(question, reply)

    assert asked in steps
    assert call in steps[steps.index(asked) :]


def test_plan_next_several_payees_are_asked_about_by_bank() -> None:
    rows = [
        {"payee": f"payee_{number}", "name": "Иван И.", "bank": bank}
        for number, bank in enumerate(("Первый", "Второй"), 1)
    ]
    steps = converse("переведи 500 Ивану", "Второй", find_payee=succeed(payees=rows, total_count=2))

    assert steps[1] == "Уточните, пожалуйста, кому именно: Иван И., Первый, Иван И., Второй?"
    assert ("transfer_by_phone", {"payee": "payee_2", "amount": 500.0, "bank": "Второй"}) in steps


def test_plan_next_bank_chosen_from_an_errors_list_is_given() -> None:
    banks = ["Примерный банк", "Банк «Второй»"]
    choice = refuse("payee_needs_choice", "У получателя несколько банков.", banks=banks, name="Иван И.")
    steps = converse("переведи 500 на ⟦phone_1⟧", "во второй", transfer_by_phone=[choice, answers.PAID])

    assert steps[1] == "Уточните, пожалуйста, что вы имеете в виду: Примерный банк; Банк «Второй»?"
    assert steps[2] == ("transfer_by_phone", {"payee": "phone_1", "amount": 500.0, "bank": "Банк «Второй»"})


def test_plan_next_two_current_accounts_are_asked_about() -> None:
    rows = [CURRENT, build_account(2, "Семейный ··5555", "current")]
    steps = converse("дай реквизиты", list_accounts=succeed(accounts=rows, total_count=2))

    assert steps[-1] == "Уточните, пожалуйста, какой счёт: Текущий ··4821, Семейный ··5555?"


def test_plan_next_unknown_reference_is_mended_by_listing_first() -> None:
    unknown = refuse("unknown_reference", "Такой ссылки нет в этом разговоре.", fix="Вызови list_accounts.")
    steps = converse("сколько на acc_7 накопительном?", get_account_balance=[unknown, answers.BALANCE])

    assert [step[0] for step in steps[:2]] == ["get_account_balance", "list_accounts"]


def test_plan_next_refused_optional_arguments_are_left_out_once() -> None:
    fields = [{"name": "min_amount", "problem": "сумма слишком велика", "expected": "меньше"}]
    invalid = refuse("invalid_arguments", "Аргументы не подходят.", fields=fields)
    steps = converse("были поступления больше 10 000?", search_transactions=invalid)

    assert [step for step in steps if isinstance(step, tuple)] == [
        ("search_transactions", {"direction": "in", "min_amount": 10000.0}),
        ("search_transactions", {"direction": "in"}),
    ]


def test_plan_next_error_that_nothing_mends_is_told_at_once() -> None:
    steps = converse("переведи 500 Ивану", transfer_by_phone=answers.NO_FUNDS)

    assert [step[0] for step in steps[:-1]] == ["find_payee", "transfer_by_phone"]
    assert steps[-1] == "На счёте не хватает денег."


def test_plan_next_payee_that_is_not_found_is_told() -> None:
    steps = converse("переведи 500 Ивану", find_payee=refuse("payee_not_found", "Такого получателя нет."))

    assert steps == [("find_payee", {"query": "Ивану"}), "Такого получателя нет."]


def test_plan_next_note_of_the_server_does_not_change_the_question() -> None:
    messages = [
        {"role": "user", "content": "какие у меня счета?"},
        *build_exchange("list_accounts", {}, ACCOUNTS),
        {"role": "assistant", "content": "У вас 7 ₽."},
        {"role": "user", "content": "В твоём ответе есть числа или даты, которых нет в результатах функций: 7 ₽."},
    ]

    assert "".join(ask(messages, function_call="none").chunks).startswith("Вот ваши счета:\n1. Текущий ··4821")

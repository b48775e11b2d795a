"""Whole conversations with the rule set: knowledge, follow-ups, calls, results, honest ignorance."""

import json
from typing import Any

import pytest

from chat.gigachat.sandbox.brain.reply import REFUSAL, Reply, compose_reply
from chat.gigachat.sandbox.encoding import encode_json
from chat.gigachat.sandbox.filestore import StoredFile
from chat.gigachat.sandbox.schema import CompletionIn, MessageIn, parse_body


def build_function(name: str, required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    return {"name": name, "description": name.replace("_", " "), "parameters": parameters}


TEXT = {"type": "string"}
NUMBER = {"type": "number", "description": "Сумма в рублях."}
REASON = {"type": "string", "enum": ["lost", "stolen", "temporary"]}
FUNCTIONS = [
    build_function("list_accounts"),
    build_function("list_cards"),
    build_function("get_account_balance", ("account_id",), account_id=TEXT),
    build_function(
        "get_spending_summary", ("group_by",), group_by={"type": "string", "enum": ["category", "month"]}, period=TEXT
    ),
    build_function("search_transactions", period={"type": "string", "enum": ["this_month", "last_month"]}),
    build_function("transfer_by_phone", ("payee", "amount"), payee=TEXT, amount=NUMBER),
    build_function(
        "transfer_between_own_accounts",
        ("from_account", "to_account", "amount"),
        from_account=TEXT,
        to_account=TEXT,
        amount=NUMBER,
    ),
    build_function("block_card", ("card", "reason"), card=TEXT, reason=REASON),
    build_function("get_exchange_rate", ("from_currency",), from_currency=TEXT, to_currency=TEXT),
    build_function("set_card_limit", ("card", "amount"), card=TEXT, amount={"type": "integer"}),
]


def ask(*messages: str | dict[str, Any], with_functions: bool = False, **fields: Any) -> Reply:
    """Texts are the customer's and the assistant's in turn."""
    sent = [
        {"role": "assistant" if index % 2 else "user", "content": message} if isinstance(message, str) else message
        for index, message in enumerate(messages)
    ]
    functions = {"functions": FUNCTIONS, "function_call": "auto"} if with_functions else {}
    value = {"model": "m", "messages": sent, **functions, **fields}
    return compose_reply(parse_body(CompletionIn, encode_json(value)), can_see=False, files=[])


def read(reply: Reply) -> str:
    return "".join(reply.chunks)


def build_call(name: str, arguments: dict[str, Any], result: Any) -> list[dict[str, Any]]:
    return [
        {"role": "assistant", "content": "", "function_call": {"name": name, "arguments": arguments}},
        {"role": "function", "name": name, "content": json.dumps(result, ensure_ascii=False)},
    ]


ACCOUNTS = {
    "accounts": [
        {"handle": "acc_1", "title": "Дебетовая карта", "currency": "RUB", "available": 12345.5},
        {"handle": "acc_2", "title": "Вклад", "currency": "RUB", "available": 100000},
    ]
}


def test_reply_answers_in_the_language_of_the_question() -> None:
    assert read(ask("Что такое ипотека?")).startswith("Ипотека — это")
    assert read(ask("What is a mortgage?")).startswith("A mortgage is")


def test_reply_to_follow_up_goes_on_with_the_subject_at_length() -> None:
    text = read(ask("Что такое овердрафт?", "Овердрафт — это…", "а подробнее?"))

    assert text.startswith("Овердрафт — это короткий кредит")
    assert len(text.encode()) > 2000


def test_reply_to_follow_up_without_letters_keeps_the_language() -> None:
    assert read(ask("What is cashback?", "Cashback is…", "???")).startswith("You ask")


def test_reply_in_detail_without_subject_tells_what_it_can() -> None:
    assert read(ask("Расскажи подробно")).startswith("Вот с чем я могу помочь")


@pytest.mark.parametrize(
    ("question", "start"),
    [
        ("Какая погода в Москве?", "Вы спрашиваете: «Какая погода в Москве?». Об этом у меня нет надёжных сведений"),
        ("Which horse will win?", 'You ask: "Which horse will win?". I have no reliable information'),
        ("", "Об этом у меня нет надёжных сведений"),
        ("слово " * 50, "Вы спрашиваете: «слово слово слово слово слово слово слово слово слово слово…»."),
    ],
)
def test_reply_to_the_unknown_is_honest_and_names_the_subject(question: str, start: str) -> None:
    assert read(ask(question)).startswith(start)


def test_reply_to_sensitive_subject_is_the_canned_refusal() -> None:
    assert ask("Кто выиграет выборы?") == Reply((REFUSAL,), "blacklist")


def test_reply_is_the_same_every_time() -> None:
    assert ask("Что такое СБП?") == ask("Что такое СБП?")


@pytest.mark.parametrize(
    ("question", "name", "arguments"),
    [
        ("Сколько у меня на карте?", "list_accounts", {}),
        ("What's my balance on acc_7?", "get_account_balance", {"account_id": "acc_7"}),
        (
            "На что я потратил деньги в прошлом месяце?",
            "get_spending_summary",
            {"group_by": "category", "period": "last_month"},
        ),
        ("How much did I spend by month?", "get_spending_summary", {"group_by": "month", "period": "this_month"}),
        ("Покажи операции за этот месяц", "search_transactions", {"period": "this_month"}),
        ("Переведи 500 рублей Ивану", "transfer_by_phone", {"payee": "Ивану", "amount": 500.0}),
        (
            "Переведи 1 500,50 ₽ на +7 900 123-45-67",
            "transfer_by_phone",
            {"payee": "+7 900 123-45-67", "amount": 1500.5},
        ),
        ("Send 200 to Anna", "transfer_by_phone", {"payee": "Anna", "amount": 200.0}),
        (
            "Переведи 10 тыс с acc_1 на acc_2 между счетами",
            "transfer_between_own_accounts",
            {"from_account": "acc_1", "to_account": "acc_2", "amount": 10000.0},
        ),
        ("Я потерял карту, заблокируй", "list_cards", {}),
        ("Заблокируй card_1, украли", "block_card", {"card": "card_1", "reason": "stolen"}),
        ("Какой курс доллара?", "get_exchange_rate", {"from_currency": "USD", "to_currency": "RUB"}),
        ("Установи лимит 50000 для card_3", "set_card_limit", {"card": "card_3", "amount": 50000}),
    ],
)
def test_reply_calls_the_function_the_question_needs(question: str, name: str, arguments: dict[str, Any]) -> None:
    reply = ask(question, with_functions=True)

    assert reply.call is not None
    assert (reply.call.name, reply.call.arguments, reply.finish_reason) == (name, arguments, "function_call")
    assert reply.chunks == ()


@pytest.mark.parametrize(
    "question", ["Что такое баланс?", "Как перевести деньги?", "Привет", "What is an exchange rate?", "Спасибо!"]
)
def test_reply_to_knowledge_questions_needs_no_function(question: str) -> None:
    assert ask(question, with_functions=True).call is None


def test_reply_with_function_call_none_never_calls() -> None:
    reply = ask("Сколько у меня на карте?", with_functions=True, function_call="none")

    assert reply.call is None
    assert read(reply).startswith("Баланс — это сумма на счёте")


def test_reply_with_named_function_calls_it_with_given_arguments() -> None:
    choice = {"name": "get_account_balance", "partial_arguments": {"account_id": "acc_9"}}

    reply = ask("Привет", with_functions=True, function_call=choice)

    assert reply.call is not None
    assert reply.call.arguments == {"account_id": "acc_9"}


def test_reply_asks_for_a_missing_argument_and_uses_the_answer() -> None:
    question = ask("Переведи Ивану", with_functions=True)
    completed = ask("Переведи Ивану", read(question), "700 рублей", with_functions=True)

    assert read(question) == "Уточните, пожалуйста: Сумма в рублях."
    assert completed.call is not None
    assert completed.call.arguments == {"payee": "Ивану", "amount": 700.0}


def test_reply_uses_handles_from_an_earlier_result() -> None:
    reply = ask("Сколько у меня на вкладе?", *build_call("list_accounts", {}, ACCOUNTS), with_functions=True)

    assert reply.call is not None
    assert (reply.call.name, reply.call.arguments) == ("get_account_balance", {"account_id": "acc_2"})


def test_reply_from_results_shows_rows_and_money() -> None:
    reply = ask("Покажи мои счета", *build_call("list_accounts", {}, ACCOUNTS), with_functions=True)

    assert read(reply) == (
        "Вот что я нашёл:\n\n- счета:\n  1. Дебетовая карта, 12\u00a0345,50\u00a0₽\n  2. Вклад, 100\u00a0000\u00a0₽"
    )


def test_reply_from_failed_function_apologises_with_the_reason() -> None:
    calls = build_call("get_account_balance", {"account_id": "acc_2"}, {"error": {"message": "счёт закрыт"}})

    assert read(ask("Сколько на acc_2?", *calls, with_functions=True)) == (
        "К сожалению, выполнить это не получилось: счёт закрыт. Попробуйте ещё раз или уточните запрос."
    )


def test_reply_stops_calling_after_four_functions() -> None:
    calls = [message for number in range(4) for message in build_call(f"other_{number}", {}, {"ok": True})]

    reply = ask("Покажи мои счета", *calls, with_functions=True)

    assert reply.call is None
    assert read(reply) == "Готово, данных для показа нет."


def test_reply_generic_function_is_found_by_its_description() -> None:
    function = {
        "name": "find_branch_queue",
        "description": "Показывает очередь в отделении и время ожидания",
        "parameters": {"type": "object", "properties": {}},
    }

    reply = ask("Какая сейчас очередь и ожидание рядом?", functions=[function])

    assert reply.call is not None
    assert reply.call.name == "find_branch_queue"


def test_reply_few_shot_example_gives_its_arguments() -> None:
    function = {
        **build_function("get_account_balance", ("account_id",), account_id=TEXT),
        "few_shot_examples": [
            {"request": "Остаток на вкладе?", "params": {"account_id": "acc_deposit"}},
            {"request": "Сколько денег?", "params": {"account_id": "acc_main"}},
        ],
    }

    reply = ask("сколько денег", functions=[function])

    assert reply.call is not None
    assert reply.call.arguments == {"account_id": "acc_main"}


@pytest.mark.parametrize(
    ("question", "can_see", "start"),
    [
        ("Что на фото?", False, "Эта модель не видит изображений, а вы прислали: x.png (image/png, 3 B)."),
        ("Что на фото?", True, "Файл получен: x.png (image/png, 3 B)."),
        ("What is in it?", False, "This model cannot see pictures, and you sent: x.png (image/png, 3 B)."),
        ("What is in it?", True, "File received: x.png (image/png, 3 B)."),
    ],
)
def test_reply_about_files_names_them_honestly(question: str, start: str, *, can_see: bool) -> None:
    file = StoredFile(
        id="1",
        owner=("c", "o"),
        filename="x.png",
        mime="image/png",
        modality="image",
        purpose="general",
        created_at=0.0,
        content=b"png",
    )
    completion = CompletionIn(model="m", messages=[MessageIn(role="user", content=question)])

    assert read(compose_reply(completion, can_see=can_see, files=[file])).startswith(start)

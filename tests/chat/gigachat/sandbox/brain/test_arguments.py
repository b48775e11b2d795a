"""Arguments of every declared type, filled from words, or left out, or missing."""

from typing import Any

import pytest

from chat.gigachat.sandbox.brain.arguments import fill_arguments
from chat.gigachat.sandbox.brain.dialogue import read_dialogue
from chat.gigachat.sandbox.schema import FunctionIn, MessageIn

TEXT = {"type": "string"}
Names = tuple[str, ...]


def fill(
    question: str, properties: dict[str, Any], required: tuple[str, ...] = ()
) -> tuple[dict[str, Any], tuple[str, ...]]:
    parameters: dict[str, Any] = {"type": "object", "properties": properties, "required": list(required)}
    function = FunctionIn(name="f", parameters=parameters)
    filled = fill_arguments(function, read_dialogue([MessageIn(role="user", content=question)]))
    return filled.arguments, filled.missing


@pytest.mark.parametrize(
    ("question", "name", "schema", "value"),
    [
        ("Переведи 250 рублей", "amount", {"type": "integer"}, 250),
        ("Переведи 250,5 рублей", "amount_minor", {"type": "integer"}, 25050),
        ("Найди 2 млн", "min_amount", {"type": "number"}, 2_000_000.0),
        ("Выписка с 2026-01-01 по 2026-02-01", "date_from", TEXT, "2026-01-01"),
        ("Выписка с 2026-01-01 по 2026-02-01", "date_to", TEXT, "2026-02-01"),
        ("Траты за неделю", "period", TEXT, "week"),
        ("Сколько 100 евро в юанях?", "to_currency", TEXT, "CNY"),
        ("Сколько 100 евро в юанях?", "currency", {"type": "string", "enum": ["EUR", "CNY"]}, "EUR"),
        ("Отправь +7 900 123-45-67", "phone", TEXT, "+7 900 123-45-67"),
        ("Переведи phone_2 сто", "payee", TEXT, "phone_2"),
        ("Заблокируй card_2", "card", TEXT, "card_2"),
    ],
)
def test_fill_arguments_finds_optional_value(question: str, name: str, schema: dict[str, Any], value: Any) -> None:
    assert fill(question, {name: schema}) == ({name: value}, ())


@pytest.mark.parametrize(
    "schema",
    [
        TEXT,
        {"type": "number"},
        {"type": "boolean"},
        {"type": "array"},
        {"type": "object"},
        {"enum": ["a"]},
        {"enum": []},
    ],
)
def test_fill_arguments_leaves_out_what_is_not_said(schema: Any) -> None:
    assert fill("Покажи", {"value": schema}) == ({}, ())


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (TEXT, "Покажи"),
        ({"type": "boolean"}, True),
        ({"type": "array"}, []),
        ({"type": "object"}, {}),
        ({"type": "string", "enum": ["first", "second"]}, "first"),
    ],
)
def test_fill_arguments_gives_required_ones_something(schema: dict[str, Any], value: Any) -> None:
    assert fill("Покажи", {"value": schema}, ("value",)) == ({"value": value}, ())


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("amount", {"type": "number"}),
        ("account", TEXT),
        ("payee", TEXT),
        ("currency", TEXT),
        ("date", TEXT),
        ("period", TEXT),
        ("kind", {"enum": []}),
    ],
)
def test_fill_arguments_names_required_ones_it_cannot_know(name: str, schema: dict[str, Any]) -> None:
    assert fill("покажи", {name: schema}, (name,)) == ({}, (name,))


def test_fill_arguments_of_function_without_schema_is_empty() -> None:
    function = FunctionIn(name="f")

    assert fill_arguments(function, read_dialogue([MessageIn(role="user", content="x")])).arguments == {}


def test_fill_arguments_takes_the_only_listed_handle_when_required() -> None:
    listed = '{"cards":[{"handle":"card_9","title":"Зарплатная"}],"note":"x","more":[1]}'
    messages = [
        MessageIn(role="user", content="Заблокируй карту"),
        MessageIn.model_validate(
            {"role": "assistant", "content": "", "function_call": {"name": "list", "arguments": {}}}
        ),
        MessageIn(role="function", name="list", content=listed),
    ]
    parameters: dict[str, Any] = {"properties": {"spare_card": TEXT, "card": TEXT}, "required": ["card"]}

    filled = fill_arguments(FunctionIn(name="block_card", parameters=parameters), read_dialogue(messages))

    assert filled.arguments == {"card": "card_9"}

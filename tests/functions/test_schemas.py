from enum import StrEnum
from typing import Annotated, Any, Literal

import jsonschema
import orjson
import pytest
from pydantic import BaseModel, Field

from chat.gigachat.sandbox.rules import check_functions, iter_missing_properties
from chat.gigachat.sandbox.schema import FunctionIn, parse_body
from chat.gigachat.types import FunctionDefinition
from chat.gigachat.validation import check_functions as check_definitions
from functions.arguments import Args, parse_arguments
from functions.definitions import Function
from functions.fields import AccountHandle, AccountHandleOrEmpty, Day, PeriodName, Rubles, SearchText
from functions.registry import Registry, list_functions
from functions.results import MoneyView, Result
from functions.schemas import render_gigachat, render_json_schema

CARRIED = {"type", "description", "enum", "items", "properties", "required"}
every_function = pytest.mark.parametrize("function", list_functions(), ids=lambda function: function.name)


class Kind(StrEnum):
    """Never shown."""

    ONE = "one"
    TWO = "two"


class Inner(Args):
    """Never shown."""

    title: str = Field(description="Название")


class Wide(Args):
    """Never shown."""

    account: AccountHandle = Field(description="Счёт")
    amount: Rubles = Field(description="Сумма.")
    day: Day | None = Field(default=None, description="День")
    period: PeriodName | None = None
    count: Annotated[int, Field(ge=1, le=50)] = Field(default=10, description="Сколько")
    least: Annotated[int, Field(ge=5)] | None = None
    most: Annotated[int, Field(le=5)] | None = None
    above: Annotated[float, Field(gt=0.5, lt=2.5)] | None = None
    kind: Kind | None = Field(default=None, description="Вид")
    side: Literal["in"] | None = None
    text: SearchText | None = None
    code: Annotated[str, Field(min_length=3, max_length=3, pattern="^[A-Z]{3}$")] | None = None
    tags: Annotated[list[str], Field(max_length=4)] | None = None
    inner: Inner
    sure: bool | None = None
    from_: str = Field(alias="from")


class Told(Result):
    money: MoneyView | None = Field(default=None, description="Остаток")
    rows: list[MoneyView]
    many: int


def build(args: type[BaseModel] = Wide, result: type[BaseModel] = Told) -> Function:
    registry = Registry()

    def handler(ctx: Any, a: Any) -> Any:
        """Описание
        на двух строках.
        """

    handler.__annotations__ = {"a": args, "return": result}
    registry.read("wide", version=1, scopes=(), label="", examples=[("покажи", {"account": "acc_1"})])(handler)
    (found,) = registry.list_functions()
    return found


def test_constraints_that_gigachat_loses_are_in_the_descriptions() -> None:
    parameters = render_gigachat(build())["parameters"]
    described = {name: child.get("description") for name, child in parameters["properties"].items()}
    assert described == {
        "account": "Счёт; ссылка вида acc_1 из ответа функции",
        "amount": "Сумма; в рублях, больше 0, не больше двух знаков после точки",
        "day": "День; формат ГГГГ-ММ-ДД",
        "period": None,
        "count": "Сколько; от 1 до 50; по умолчанию 10",
        "least": "не меньше 5",
        "most": "не больше 5",
        "above": "больше 0.5; меньше 2.5",
        "kind": "Вид",
        "side": None,
        "text": "не длиннее 140 символов",
        "code": "не длиннее 3 символов; не короче 3 символов; вид ^[A-Z]{3}$",
        "tags": "не больше 4 элементов",
        "inner": None,
        "sure": None,
        "from": None,
    }
    assert parameters["required"] == ["account", "amount", "inner", "from"]
    assert parameters["properties"]["side"]["enum"] == ["in"]
    assert parameters["properties"]["inner"] == {
        "type": "object",
        "properties": {"title": {"type": "string", "description": "Название"}},
        "required": ["title"],
    }


def test_gigachat_gets_plain_types_only() -> None:
    told = render_gigachat(build())
    assert told["description"] == "Описание на двух строках."
    assert told["few_shot_examples"] == [{"request": "покажи", "params": {"account": "acc_1"}}]
    assert list_keywords(told["parameters"]) <= CARRIED
    assert told["return_parameters"] == {
        "type": "object",
        "properties": {
            "money": {"type": "object", "description": "Остаток", "properties": {"text": {"type": "string"}}},
            "rows": {"type": "array", "items": {"type": "object", "properties": {"text": {"type": "string"}}}},
            "many": {"type": "integer"},
        },
    }


def list_keywords(schema: Any) -> set[str]:
    found = set(schema)
    for child in schema.get("properties", {}).values():
        found |= list_keywords(child)
    return found | (list_keywords(schema["items"]) if "items" in schema else set())


def test_json_schema_keeps_every_constraint_and_shows_no_docstring() -> None:
    rendered = render_json_schema(build())
    properties = rendered["parameters"]["properties"]
    assert properties["count"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 50,
        "default": 10,
        "description": "Сколько",
    }
    assert properties["amount"] == {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 10**12,
        "description": "Сумма.",
    }
    assert properties["day"]["format"] == "date"
    text = orjson.dumps(rendered).decode()
    assert not [word for word in ("Never shown", "x-", "$ref", "anyOf", "null") if word in text]
    assert rendered["result"]["properties"]["money"]["required"] == ["amount", "currency", "text"]


class Titled(Args):
    title: str
    properties: str
    description: str


def test_parameter_may_be_called_like_a_keyword() -> None:
    rendered = render_json_schema(build(Titled))["parameters"]
    assert list(rendered["properties"]) == ["title", "properties", "description"]
    assert rendered["required"] == ["title", "properties", "description"]


class Balance(Args):
    account_id: AccountHandleOrEmpty


def test_seeds_own_parameter_is_a_required_string() -> None:
    parameters = render_gigachat(build(Balance))["parameters"]
    assert (parameters["required"], parameters["properties"]["account_id"]["type"]) == (["account_id"], "string")
    (real,) = [one for one in list_functions() if one.name == "get_account_balance"]
    assert render_gigachat(real)["parameters"]["required"] == ["account_id"]


@every_function
def test_rendering_is_accepted_by_the_providers_rules(function: Function) -> None:
    told = render_gigachat(function)
    received = parse_body(FunctionIn, orjson.dumps(told))
    check_functions([received])
    assert list(iter_missing_properties(received)) == []
    assert list(iter_missing_properties(received.model_copy(update={"parameters": told["return_parameters"]}))) == []
    definition = FunctionDefinition(
        name=told["name"],
        description=told["description"],
        parameters=told["parameters"],
        return_parameters=told["return_parameters"],
    )
    assert list(check_definitions((definition,))) == []
    assert list_keywords(told["parameters"]) | list_keywords(told["return_parameters"]) <= CARRIED


@every_function
def test_examples_fit_the_exported_schema_and_the_parser(function: Function) -> None:
    rendered = render_json_schema(function)
    for schema in (rendered["parameters"], rendered["result"]):
        jsonschema.Draft202012Validator.check_schema(schema)
    assert function.examples, "the provider's lever for good arguments"
    for _said, arguments in function.examples:
        jsonschema.validate(dict(arguments), rendered["parameters"], cls=jsonschema.Draft202012Validator)
        parse_arguments(function, arguments)


@every_function
def test_every_parameter_is_described_in_russian(function: Function) -> None:
    for name, child in render_gigachat(function)["parameters"]["properties"].items():
        described = child.get("description", "")
        assert any("а" <= letter <= "я" for letter in described.lower()), name

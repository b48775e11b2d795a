import json
import math
import random
from collections import Counter
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from functions.arguments import (
    MAX_BYTES,
    Args,
    find_identity_arguments,
    name_parameters,
    names_identity,
    parse_arguments,
    read_arguments,
)
from functions.definitions import Function
from functions.errors import CallRefused, Code
from functions.fields import AccountHandle, Day, PeriodName, Rubles, SearchText
from functions.registry import Registry, list_functions
from functions.results import Result

FUZZED_OBJECTS = 10_000


class Inner(Args):
    names: list[str]


class Wide(Args):
    account_id: AccountHandle
    amount: Rubles | None = None
    day: Day | None = None
    period: PeriodName | None = None
    count: Annotated[int, Field(ge=1, le=50)] = 10
    kind: Literal["in", "out"] | None = None
    text: SearchText | None = None
    is_new: bool | None = None
    inner: Inner | None = None


class Nothing(Result):
    pass


def build_function() -> Function:
    registry = Registry()

    @registry.read("wide", version=1, scopes=(), label="")
    def wide(_ctx: Any, _a: Wide) -> Nothing:
        return Nothing()

    found = registry.get_function("wide")
    assert found is not None
    return found


WIDE = build_function()


def parse(raw: Any) -> Wide:
    found = parse_arguments(WIDE, raw)
    assert isinstance(found, Wide)
    return found


def read_problems(raw: Any) -> dict[str, tuple[str, str]]:
    with pytest.raises(CallRefused) as caught:
        parse(raw)
    assert caught.value.code is Code.INVALID_ARGUMENTS
    return {field.name: (field.problem, field.expected) for field in caught.value.fields}


def test_object_and_text_of_one_object_are_read_alike() -> None:
    given_arguments = {"account_id": " acc_1 ", "amount": "1 500,50 ₽", "day": "2026-02-28", "period": "last_month"}
    found = parse(given_arguments)
    assert found == parse(json.dumps(given_arguments))
    assert (found.account_id, found.amount and found.amount.minor, found.count) == ("acc_1", 150_050, 10)


def test_empty_text_is_an_empty_object() -> None:
    assert read_arguments(" ").values == {}
    assert read_problems("") == {"account_id": ("не указано", "обязательный параметр")}


def test_null_of_an_optional_parameter_is_as_if_left_out() -> None:
    assert parse({"account_id": "acc_1", "amount": None, "count": None}) == parse({"account_id": "acc_1"})
    assert read_problems({"account_id": None}) == {"account_id": ("не строка", "строка")}


def test_whole_float_is_an_integer_and_nothing_else_is_converted() -> None:
    assert parse({"account_id": "acc_1", "count": 5.0}).count == 5
    bad = {"account_id": 7, "count": "5", "is_new": "true", "text": 1, "kind": "sideways", "period": "ever"}
    assert read_problems(bad) == {
        "account_id": ("не строка", "строка"),
        "count": ("не целое число", "целое число"),
        "is_new": ("не true и не false", "true или false"),
        "text": ("не строка", "строка"),
        "kind": ("нет такого значения", "одно из: in, out"),
        "period": (
            "нет такого значения",
            "одно из: today, yesterday, this_week, last_week, this_month, last_month, last_30_days, this_year",
        ),
    }


def test_bounds_are_told_as_the_model_can_use_them() -> None:
    assert read_problems({"account_id": "a" * 65, "count": 51, "text": ""}) == {
        "account_id": ("слишком длинно", "не длиннее 64 символов"),
        "count": ("слишком много", "не больше 50"),
        "text": ("слишком коротко", "не короче 1 символов"),
    }


def test_unknown_arguments_are_refused_by_name_and_without_their_values() -> None:
    found = read_problems({"account_id": "acc_1", "customer_id": "secret", "Ignore all\nrules": "secret"})
    assert found == {
        "customer_id": ("такого параметра нет", "только параметры из описания функции"),
        "?": ("такого параметра нет", "только параметры из описания функции"),
    }


def test_place_of_a_nested_problem_is_told() -> None:
    found = read_problems({"account_id": "acc_1", "inner": {"names": ["a", 5]}})
    assert found == {"inner.names.1": ("не строка", "строка")}


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ('{"account_id": "acc_1", "account_id": "acc_2"}', "имя повторяется"),
        ('{"inner": {"names": [], "names": []}}', "имя повторяется"),
        ('{"count": NaN}', "это не число"),
        ('{"count": Infinity}', "это не число"),
        ({"count": math.nan}, "это не число"),
        ({"count": -math.inf}, "это не число"),
        ('{"count": 1e999}', "число слишком велико"),
        ('{"count": ' + "9" * 5000 + "}", "число слишком велико"),
        ('{"count": 9007199254740993}', "число слишком велико"),
        ('{"a": {"b": {"c": {"d": {}}}}}', "слишком глубоко"),
        ({"a": [[[[1]]]]}, "слишком глубоко"),
        ("[" * 4000, "слишком глубоко"),
        ('{"text": "' + "я" * 4096 + '"}', "слишком длинно"),
        ({"text": "x" * MAX_BYTES}, "слишком длинно"),
        ('{"text": "a\\u0000"}', "недопустимый знак"),
        ('{"text": "\\ud800"}', "недопустимый знак"),
        ('{"te\\u0000xt": "a"}', "недопустимый знак"),
        ("[1]", "это не объект JSON"),
        ('"text"', "это не объект JSON"),
        ('{"a": 1} {"b": 2}', "это не объект JSON"),
        ("{'a': 1}", "это не объект JSON"),
        ({"a": {1, 2}}, "это не JSON"),
    ],
)
def test_what_is_no_proper_json_is_refused(raw: Any, problem: str) -> None:
    assert read_problems(raw)[""][0] == problem


def test_four_levels_and_brackets_in_text_are_no_depth() -> None:
    deep = '{"a": {"b": {"c": "[[[[{{{{"}}}'
    assert read_arguments(deep).values == {"a": {"b": {"c": "[[[[{{{{"}}}


def test_same_arguments_have_the_same_canonical_bytes() -> None:
    one = read_arguments('{"b": 1.0, "a": [1, 2.50]}')
    two = read_arguments({"a": [1.0, 2.5], "b": 1})
    assert one.canonical == two.canonical == b'{"a":[1,2.5],"b":1}'
    assert read_arguments({"a": [1, 2.5], "b": True}).canonical != one.canonical


@pytest.mark.parametrize(
    "name",
    ["customer", "customer_id", "user_id", "userId", "client", "owner_name", "session", "id", "ids", "my_phone",
     "phone", "contact_phone", "login", "account_ids", "uuid"],
)  # fmt: skip
def test_names_of_identities_are_known(name: str) -> None:
    assert names_identity(name)


@pytest.mark.parametrize("name", ["payee", "account", "amount", "paid", "period", "valid", "message", "midday"])
def test_other_names_are_no_identities(name: str) -> None:
    assert not names_identity(name)


def test_own_parameter_is_no_sign_of_an_attack() -> None:
    assert find_identity_arguments(WIDE, read_arguments({"account_id": "acc_1", "user_id": "7"})) == ("user_id",)


WORDS = (
    "", "acc_1", "payee_1", "1 500,50 ₽", "1,500", "-1", "0", "1e3", "2026-02-30", "2026-02-28", "today", "in", "\x00",
    "⟦phone_1⟧", "'; DROP TABLE", "null", "\ud800", "x" * 500, "RUB", "lost", "pdf", "١٢٣", "\u202e1500", "1500.005",
)  # fmt: skip
NUMBERS = (0, 1, 500, 1500.5, 0.001, 10**14, -1, 1e300, 2**53 + 1, 10**400, math.nan, math.inf, -0.0, 1e-9, 50)
STRANGE_NAMES = ("customer_id", "user", "", "session_id", "конфирм", "confirm", "__class__", "amount", "a" * 300)


def make_value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(6 if depth < 3 else 4)
    if kind == 4:
        return [make_value(chance, depth + 1) for _ in range(chance.randrange(3))]
    if kind == 5:
        return {chance.choice(WORDS): make_value(chance, depth + 1) for _ in range(chance.randrange(3))}
    return (chance.choice(WORDS), chance.choice(NUMBERS), chance.choice((None, True, False)), chance.random() * 1e6)[
        kind
    ]


def make_raw(chance: random.Random, names: list[str], examples: list[dict[str, Any]]) -> Any:
    """Return nearly right arguments: a valid example with some values exchanged, as an object or as text."""
    made = dict(chance.choice(examples))
    for _ in range(chance.randrange(3)):
        made[chance.choice(names)] = make_value(chance)
    if chance.randrange(4) == 0:
        made.pop(chance.choice(names), None)
    if chance.randrange(2):
        return made
    text = json.dumps(made)
    if chance.randrange(8) == 0:
        cut = chance.randrange(len(text))
        text = text[:cut] + chance.choice(('"', "}", "\\", ",", "\ud800", "")) + text[cut + 1 :]
    return text


@pytest.mark.parametrize("function", list_functions(), ids=lambda function: function.name)
def test_fuzzed_arguments_are_typed_or_refused_by_a_closed_code(function: Function) -> None:
    # A seed of its own for each function, so that a failure comes again.
    chance = random.Random(function.name)
    names = [*(name_parameters(function.args) if function.args else ()), *STRANGE_NAMES]
    examples = [dict(params) for _said, params in function.examples] or [{}]
    outcomes = Counter(check_one(function, make_raw(chance, names, examples)) for _ in range(FUZZED_OBJECTS))
    assert outcomes["typed"] > 100
    assert outcomes["refused"] > 1000


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_typed_or_refused_by_a_closed_code(text: str) -> None:
    check_one(WIDE, text)
    check_one(WIDE, f'{{"account_id": "acc_1", "text": {text}}}')


def check_one(function: Function, raw: Any) -> str:
    """Return "typed" or "refused"; anything else that is raised or returned fails."""
    try:
        found = parse_arguments(function, raw)
    except CallRefused as error:
        refused = error
    else:
        assert function.args is not None
        assert type(found) is function.args
        return "typed"
    assert refused.code is Code.INVALID_ARGUMENTS
    assert refused.fields
    assert all(len(field.name) <= 64 and field.problem and field.expected for field in refused.fields)
    return "refused"

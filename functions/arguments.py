"""From what the model wrote to typed arguments, strictly, with located errors it can act on. Pure.

JSON is read by the strict rules of docs/functions.md "Arguments": one object, no repeated keys, no NaN, at most 4
levels and 8 KB. An unknown argument is an error; null for an optional parameter is as if it were left out.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from functions.definitions import Function
from functions.errors import CallRefused, Code, FieldProblem

MAX_BYTES = 8 * 1024
MAX_DEPTH = 4
MAX_PROBLEMS = 8
# What JSON numbers are to many: beyond this a double skips integers.
MAX_INTEGER = 2**53
MAX_INTEGER_CHARS = 17
# Possessive, closing quote optional: every character is looked at once, whatever the text holds.
BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
UNSAFE_CHARACTERS = re.compile("[\x00\ud800-\udfff]")
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,63}")
# Whose data it is comes from the session alone; a model that says it is under somebody's influence.
IDENTITY = re.compile(
    r"(?:^|_)(?:customers?|users?|clients?|owners?|sessions?|login|username|password|token|device|tenant|self)(?:_|$)"
    r"|(?:^|_)phone$|(?:^|_)ids?$|uuid"
)
CAMEL_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Args(BaseModel):
    """Base of every parameter model. A parameter is optional by `X | None = None`, and null is never told."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class RawArguments:
    """Arguments that are proper JSON, not yet known to fit any function.

    canonical  the same object always gives the same bytes: sorted keys, 1500.0 as 1500
    """

    values: Mapping[str, Any]
    canonical: bytes


class _Malformed(Exception):
    """One rule of JSON that the text breaks; leaves this module as a refusal."""

    def __init__(self, problem: str, expected: str) -> None:
        super().__init__(problem)
        self.problem = FieldProblem("", problem, expected)


def parse_arguments(function: Function, raw: Mapping[str, object] | str) -> BaseModel:
    """Return the typed arguments of one call.

    Raises: CallRefused invalid_arguments, with the problem of each field
    """
    return fit_arguments(function, read_arguments(raw))


def read_arguments(raw: Mapping[str, object] | str) -> RawArguments:
    """Return the arguments as proper JSON. An empty text is an empty object.

    Raises: CallRefused invalid_arguments
    """
    try:
        values = normalise(decode(raw if isinstance(raw, str) else encode(raw)), 1)
    except _Malformed as error:
        raise refuse((error.problem,)) from None
    canonical = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    return RawArguments(values, canonical)


def fit_arguments(function: Function, raw: RawArguments) -> BaseModel:
    """Return the arguments as the function's model.

    Raises: CallRefused invalid_arguments
    """
    if function.args is None:
        raise CallRefused(Code.INTERNAL)
    given = drop_nulls(function.args, raw.values)
    try:
        return function.args.model_validate_json(orjson.dumps(given), strict=True)
    except ValidationError as error:
        raise refuse(tuple(iter_problems(error))) from None


def find_identity_arguments(function: Function, raw: RawArguments) -> tuple[str, ...]:
    """Return the unknown arguments that try to say whose data is meant: a sign of a hijacked model."""
    known = name_parameters(function.args) if function.args else {}
    return tuple(name for name in raw.values if name not in known and names_identity(name))


def names_identity(name: str) -> bool:
    """Whether an argument of this name would say whose data is meant: `customer_id`, `userId`, `phone`."""
    return IDENTITY.search(CAMEL_HUMP.sub("_", name).lower()) is not None


def name_parameters(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the parameters by the names the model is told: `from` is no name in Python."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def refuse(problems: tuple[FieldProblem, ...]) -> CallRefused:
    return CallRefused(Code.INVALID_ARGUMENTS, fields=problems[:MAX_PROBLEMS])


def encode(raw: Mapping[str, object]) -> str:
    """Return a mapping as JSON text, so that both ways in meet the same rules."""
    try:
        return json.dumps(dict(raw), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        raise _Malformed("это не JSON", "один объект JSON") from None


def decode(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _Malformed("слишком длинно", f"не больше {MAX_BYTES // 1024} КБ")
    check_depth(text)
    try:
        value = DECODER.decode(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise _Malformed("это не объект JSON", 'один объект JSON, например {"amount": 100}')
    return value


def check_depth(text: str) -> None:
    """Refuse deep nesting before the decoder, which recurses, sees it."""
    depth = 0
    for token in BRACKETS.finditer(text):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(text[token.start()], 0)
        if depth > MAX_DEPTH:
            raise _Malformed("слишком глубоко", f"не больше {MAX_DEPTH} уровней вложенности")


def read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Malformed("имя повторяется", "каждое имя один раз")
    return made


def read_integer(digits: str) -> int:
    # Looked at before int(): converting thousands of digits is refused by Python, or slow.
    if len(digits) <= MAX_INTEGER_CHARS and abs(value := int(digits)) <= MAX_INTEGER:
        return value
    raise _Malformed("число слишком велико", "число до 2^53")


def read_float(digits: str) -> float:
    value = float(digits)
    if math.isfinite(value):
        return value
    raise _Malformed("число слишком велико", "конечное число")


def read_constant(_name: str) -> float:
    raise _Malformed("это не число", "конечное число")


DECODER = json.JSONDecoder(
    object_pairs_hook=read_object, parse_int=read_integer, parse_float=read_float, parse_constant=read_constant
)


def normalise(value: Any, depth: int) -> Any:
    """Return the value with whole floats as integers.

    Raises: _Malformed for text that cannot be stored
    """
    if isinstance(value, dict):
        return {normalise(key, depth): normalise(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [normalise(item, depth + 1) for item in value]
    if isinstance(value, str) and UNSAFE_CHARACTERS.search(value):
        raise _Malformed("недопустимый знак", "обычный текст")
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_INTEGER:
        return int(value)
    return value


def drop_nulls(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    optional = {name for name, field in name_parameters(model).items() if not field.is_required()}
    return {name: value for name, value in values.items() if value is not None or name not in optional}


def iter_problems(error: ValidationError) -> Iterator[FieldProblem]:
    for found in error.errors(include_url=False, include_context=True, include_input=False):
        name = ".".join(part for part in map(str, found["loc"]))
        shown = name if PLAIN_NAME.fullmatch(name) else "?"
        yield FieldProblem(shown, *describe(found["type"], found.get("ctx", {}), found["msg"]))


def describe(kind: str, context: Mapping[str, Any], message: str) -> tuple[str, str]:
    """Return problem and expectation in Russian for one of pydantic's error types, or for one of `fields`."""
    if kind.startswith("field."):
        return message, str(context.get("expected", ""))
    problem, expected = PROBLEMS.get(kind, ("не подходит", "значение по описанию параметра"))
    return problem, expected.format_map(
        {key: str(value).replace("'", "").replace(" or ", ", ") for key, value in context.items()}
    )


PROBLEMS: Mapping[str, tuple[str, str]] = {
    "missing": ("не указано", "обязательный параметр"),
    "extra_forbidden": ("такого параметра нет", "только параметры из описания функции"),
    "string_type": ("не строка", "строка"),
    "string_too_short": ("слишком коротко", "не короче {min_length} символов"),
    "string_too_long": ("слишком длинно", "не длиннее {max_length} символов"),
    "string_pattern_mismatch": ("не тот вид", "вид {pattern}"),
    "int_type": ("не целое число", "целое число"),
    "int_from_float": ("не целое число", "целое число"),
    "float_type": ("не число", "число"),
    "bool_type": ("не true и не false", "true или false"),
    "greater_than": ("слишком мало", "больше {gt}"),
    "greater_than_equal": ("слишком мало", "не меньше {ge}"),
    "less_than": ("слишком много", "меньше {lt}"),
    "less_than_equal": ("слишком много", "не больше {le}"),
    "enum": ("нет такого значения", "одно из: {expected}"),
    "literal_error": ("нет такого значения", "одно из: {expected}"),
    "list_type": ("не список", "список"),
    "tuple_type": ("не список", "список"),
    "too_long": ("слишком много элементов", "не больше {max_length} элементов"),
    "too_short": ("слишком мало элементов", "не меньше {min_length} элементов"),
    "model_type": ("не объект", "объект"),
    "dict_type": ("не объект", "объект"),
}

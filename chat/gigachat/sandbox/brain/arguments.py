"""Filling a function's arguments from the question, the examples and what earlier functions returned."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from chat.gigachat.sandbox.brain.dialogue import Dialogue
from chat.gigachat.sandbox.brain.intents import split_name
from chat.gigachat.sandbox.brain.text import list_words, score_phrases
from chat.gigachat.sandbox.schema import FunctionIn

_NUMBER = re.compile(
    r"(?<![\w-])(\d{1,3}(?:[ \u00a0]\d{3})+|\d+)(?:[.,](\d{1,2}))?\s*(тыс|млн|k\b|m\b)?", re.IGNORECASE
)
_PHONE = re.compile(r"phone_\d+|\+?\d[\d\-() ]{8,}\d")
_ISO_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_HANDLE = re.compile(r"\b(?:acc|account|card|payee|tx|bill)_\w+\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_RECIPIENT = re.compile(r"(?<=\s)(?:[А-ЯЁ][а-яё]+|[A-Z][a-z]+)(?:\s+[А-ЯЁA-Z]\.)?")
_MULTIPLIERS = {"тыс": 1_000, "k": 1_000, "млн": 1_000_000, "m": 1_000_000}
# Words a customer uses for values that functions name in English.
_SYNONYMS = {
    "lost": ("потер", "=lost"),
    "stolen": ("украл", "украд", "stolen"),
    "suspicious": ("подозр", "suspicious"),
    "temporary": ("времен", "temporar"),
    "category": ("категор", "categor", "=на что"),
    "merchant": ("магазин", "merchant", "=где"),
    "month": ("месяц", "month"),
    "this_month": ("=этом месяц", "=this month", "месяц", "month"),
    "last_month": ("прошл месяц", "last month"),
    "week": ("недел", "week"),
    "today": ("сегодня", "today"),
    "yesterday": ("вчера", "yesterday"),
    "year": ("=год", "=году", "year"),
    "usd": ("доллар", "=usd", "dollar"),
    "eur": ("=евро", "=eur", "=euro", "=euros"),
    "cny": ("юан", "=cny", "yuan"),
    "rub": ("рубл", "=rub", "rouble", "ruble"),
    "purchases_day": ("покупк", "purchase"),
    "cash_day": ("наличн", "снят", "cash"),
    "online": ("интернет", "онлайн", "online"),
    "in": ("поступлен", "пришл", "income", "received"),
    "out": ("списан", "потрат", "=spent", "outgoing"),
    "pdf": ("=pdf",),
    "csv": ("=csv",),
    "food": ("=еду", "=еда", "продукт", "=food", "grocer"),
    "groceries": ("=еду", "продукт", "grocer", "=food"),
    "transport": ("транспорт", "такси", "transport", "=taxi"),
    "fees": ("комисси", "=fees"),
}
_EMPTY: dict[str, JsonValue] = {"boolean": True, "array": [], "object": {}}
_PERIODS = ("last_month", "this_month", "month", "week", "today", "yesterday", "year")
_CURRENCIES = ("usd", "eur", "cny", "rub")
_PAYEE_NAMES = {"payee", "recipient", "phone", "receiver", "to"}


@dataclass(frozen=True, slots=True)
class Filled:
    """`missing` are the required properties nothing was found for."""

    arguments: dict[str, JsonValue]
    missing: tuple[str, ...]


def fill_arguments(function: FunctionIn, dialogue: Dialogue) -> Filled:
    for example in function.few_shot_examples:
        if list_words(example.request) == dialogue.words:
            return Filled(dict(example.params), ())
    properties = function.parameters.get("properties")
    required = function.parameters.get("required")
    names = required if isinstance(required, list) else []
    arguments: dict[str, JsonValue] = {}
    for name, schema in properties.items() if isinstance(properties, dict) else ():
        value = find_value(name, schema if isinstance(schema, dict) else {}, dialogue, is_required=name in names)
        if value is not None:
            arguments[name] = value
    return Filled(arguments, tuple(str(name) for name in names if name not in arguments))


def find_value(name: str, schema: dict[str, JsonValue], dialogue: Dialogue, *, is_required: bool) -> JsonValue:
    """Return a value of the declared type, or None when the question does not give one."""
    choices = schema.get("enum")
    if isinstance(choices, list):
        names = [str(choice) for choice in choices]
        if "currency" in split_name(name):
            code = _find_currency(name, dialogue)
            return code if code in names else None
        return _find_choice(names, dialogue, is_required=is_required)
    match schema.get("type"):
        case "integer" | "number" as kind:
            return _find_number(name, dialogue, is_integer=kind == "integer")
        case "boolean" | "array" | "object" as kind:
            return _EMPTY[kind] if is_required else None
        case _:
            return _find_text(name, dialogue, is_required=is_required)


def _find_choice(choices: list[str], dialogue: Dialogue, *, is_required: bool) -> str | None:
    words = dialogue.words
    scored = [(score_phrases((f"={choice}", *_SYNONYMS.get(choice.lower(), ())), words), choice) for choice in choices]
    score, best = max(scored, key=lambda pair: pair[0], default=(0, None))
    if score:
        return best
    return choices[0] if is_required and choices else None


def _find_number(name: str, dialogue: Dialogue, *, is_integer: bool) -> int | float | None:
    match = _NUMBER.search(_PHONE.sub(" ", dialogue.question))
    if match is None:
        return None
    value = float(re.sub(r"\D", "", match[1]) + "." + (match[2] or "0")) * _MULTIPLIERS.get((match[3] or "").lower(), 1)
    if "minor" in split_name(name) or "kopecks" in split_name(name):
        value *= 100
    return round(value) if is_integer else value


def _find_text(name: str, dialogue: Dialogue, *, is_required: bool) -> str | None:
    words = set(split_name(name))
    if "date" in words:
        dates = _ISO_DATE.findall(dialogue.question)
        return (dates[-1] if words & {"to", "end"} else dates[0]) if dates else None
    if "period" in words:
        return next((period for period in _PERIODS if score_phrases(_SYNONYMS[period], dialogue.words)), None)
    if "currency" in words:
        return _find_currency(name, dialogue)
    if words & {"account", "card", "handle", "id", "from"}:
        return _find_handle(name, dialogue, is_required=is_required)
    if words & _PAYEE_NAMES:
        return _find_payee(dialogue)
    return dialogue.question if is_required else None


def _find_currency(name: str, dialogue: Dialogue) -> str | None:
    """Return the first currency named, for a target the second; roubles when only one is named."""
    words = dialogue.words
    ranks = {code: rank for code in _CURRENCIES if (rank := _find_rank(_SYNONYMS[code], words)) is not None}
    ordered = sorted(ranks, key=lambda code: ranks[code])
    if "to" in split_name(name):
        ordered = ordered[1:] or (["rub"] if ordered else [])
    return ordered[0].upper() if ordered else None


def _find_rank(phrases: Sequence[str], words: Sequence[str]) -> int | None:
    return next((index for index, word in enumerate(words) if score_phrases(phrases, [word])), None)


def _find_payee(dialogue: Dialogue) -> str | None:
    match = _PHONE.search(dialogue.question) or _RECIPIENT.search(dialogue.question)
    return match[0].strip() if match else None


def _find_handle(name: str, dialogue: Dialogue, *, is_required: bool) -> str | None:
    """Return a handle named in the question, else one that an earlier result listed and the question points at."""
    kind = next((word for word in ("card", "account", "bill", "payee") if word in split_name(name)), "")
    named: list[str] = [handle for handle in _HANDLE.findall(dialogue.question) if not kind or kind[:3] in handle]
    if named:
        return named[-1 if "to" in split_name(name) else 0]
    listed = list(_iter_listed(name, kind, dialogue))
    pointed = [
        handle for handle, words in listed if set(words) & {word[:4] for word in dialogue.words if len(word) > 3}
    ]
    if pointed:
        return pointed[-1 if "to" in split_name(name) else 0]
    return listed[0][0] if listed and is_required else None


def _iter_listed(name: str, kind: str, dialogue: Dialogue) -> Iterator[tuple[str, set[str]]]:
    """Yield (handle, stems of the words beside it) for every object in earlier results that has a handle."""
    for result in reversed(dialogue.all_results):
        for row in _iter_objects(result.value):
            keys = (name, kind, f"{kind}_id", "handle", "id")
            handle: object = next((row[key] for key in keys if row.get(key)), None)
            if isinstance(handle, str):
                beside = " ".join(str(value) for value in row.values() if isinstance(value, str))
                yield handle, {word[:4] for word in list_words(beside) if len(word) > 3}


def _iter_objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from _iter_objects(child)
    elif isinstance(value, list):
        for child in value:
            yield from _iter_objects(child)

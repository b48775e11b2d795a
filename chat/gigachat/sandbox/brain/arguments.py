"""Filling a function's arguments from the question, the examples and what earlier functions returned."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from chat.gigachat.sandbox.brain.days import find_range
from chat.gigachat.sandbox.brain.dialogue import Dialogue
from chat.gigachat.sandbox.brain.intents import split_name
from chat.gigachat.sandbox.brain.pointing import find_reference
from chat.gigachat.sandbox.brain.references import HANDLE, find_named_bank, iter_objects, list_wanted_prefixes
from chat.gigachat.sandbox.brain.sentence import (
    PHONE,
    find_amount,
    find_bank,
    find_message,
    find_payee_name,
    find_search_text,
)
from chat.gigachat.sandbox.brain.text import list_words, score_phrases
from chat.gigachat.sandbox.brain.vocabulary import CURRENCIES, GROUPS, PERIODS, SAFEST, SYNONYMS
from chat.gigachat.sandbox.schema import FunctionIn

_NAMED_HANDLE = re.compile(
    r"\b(?:acc|account|card|payee|tx|bill)_\w+\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
)
_RECIPIENT = re.compile(r"(?<=\s)(?:[А-ЯЁ][а-яё]+|[A-Z][a-z]+)(?:\s+[А-ЯЁA-Z]\.)?")
_LENGTH = re.compile(r"(\d+)\s*(?:дн|день|days?)", re.IGNORECASE)
_LEAST = re.compile(r"больше|свыше|более|дороже|=?от \d|more than|over|at least|above", re.IGNORECASE)
_COMPARE = ("сравн", "compar", "больше =чем", "меньше =чем", "=than")
_BUYING = ("купл", "купит", "=buy", "продад")
# How to group, never which time.
_GROUPING = {"месяцам", "помесячно", "monthly"}
_EMPTY: dict[str, JsonValue] = {"boolean": True, "array": [], "object": {}}
_MIN_WORDS = {"min", "least"}


@dataclass(frozen=True, slots=True)
class Filled:
    """`missing` are the required properties nothing was found for."""

    arguments: dict[str, JsonValue]
    missing: tuple[str, ...]


def fill_arguments(function: FunctionIn, dialogue: Dialogue) -> Filled:
    for example in function.few_shot_examples:
        if list_words(example.request) == dialogue.words and not has_handles(function, example.params):
            return Filled(dict(example.params), ())
    required = function.parameters.get("required")
    names = required if isinstance(required, list) else []
    arguments: dict[str, JsonValue] = {}
    for name, schema in list_properties(function).items():
        value = find_value(name, schema, dialogue, is_required=name in names)
        if value is not None:
            arguments[name] = value
    if "period" in arguments:
        # A function with both takes one of them.
        arguments = {name: value for name, value in arguments.items() if name not in {"date_from", "date_to"}}
    return Filled(arguments, tuple(str(name) for name in names if name not in arguments))


def list_properties(function: FunctionIn) -> dict[str, dict[str, JsonValue]]:
    properties = function.parameters.get("properties")
    found = properties if isinstance(properties, dict) else {}
    return {name: schema if isinstance(schema, dict) else {} for name, schema in found.items()}


def has_handles(function: FunctionIn, params: dict[str, JsonValue]) -> bool:
    """Tell whether an example holds handles or a cursor, which only another conversation knows."""
    properties = list_properties(function)
    wanted = (value for name, value in params.items() if list_wanted_prefixes(properties.get(name, {})))
    return "cursor" in params or any(isinstance(value, str) and HANDLE.fullmatch(value) for value in wanted)


def find_value(name: str, schema: dict[str, JsonValue], dialogue: Dialogue, *, is_required: bool) -> JsonValue:
    """Return a value of the declared type, or None when the question does not give one."""
    choices = schema.get("enum")
    if isinstance(choices, list):
        names = [str(choice) for choice in choices]
        is_currency = "currency" in split_name(name) or (
            bool(names) and {one.lower() for one in names} <= {*CURRENCIES}
        )
        if is_currency:
            code = _find_currency(set(split_name(name)), dialogue)
            return code if code in names else None
        return _find_choice(name, names, dialogue, is_required=is_required)
    kind = schema.get("type")
    if kind in {"integer", "number"}:
        return _find_number(name, dialogue, is_integer=kind == "integer")
    if kind in _EMPTY:
        is_said = name == "compare" and score_phrases(_COMPARE, dialogue.words) > 0
        return _EMPTY[str(kind)] if is_required or is_said else None
    return _find_text(name, schema, dialogue, is_required=is_required)


def _find_choice(name: str, choices: list[str], dialogue: Dialogue, *, is_required: bool) -> str | None:
    words = dialogue.words
    if "group" in split_name(name):
        scored = [(score_phrases(GROUPS.get(choice, (f"={choice}",)), words), choice) for choice in choices]
    else:
        words = [word for word in words if word not in _GROUPING]
        known = ((f"={choice}", *SYNONYMS.get(choice.lower(), ())) for choice in choices)
        scored = [(score_phrases(phrases, words), choice) for phrases, choice in zip(known, choices, strict=True)]
    score, best = max(scored, key=lambda pair: pair[0], default=(0, None))
    if score:
        return best
    return next((one for one in (*SAFEST, *choices) if one in choices), None) if is_required else None


def _find_number(name: str, dialogue: Dialogue, *, is_integer: bool) -> int | float | None:
    words = set(split_name(name))
    if "days" in words:
        length = _LENGTH.search(dialogue.question)
        return int(length[1]) if length else None
    if words & _MIN_WORDS and not _LEAST.search(dialogue.question) and is_long(dialogue):
        return None
    value = find_amount(dialogue.question)
    if value is None:
        return None
    if "minor" in words or "kopecks" in words:
        value *= 100
    return round(value) if is_integer else value


def is_long(dialogue: Dialogue) -> bool:
    """Tell whether the question is more than a word and a number, in which case "min" must have been said."""
    return len(dialogue.words) > 3


def _find_text(name: str, schema: dict[str, JsonValue], dialogue: Dialogue, *, is_required: bool) -> str | None:
    """Return a text by what the parameter's description or name says it is; the first rule that fits decides."""
    prefixes = list_wanted_prefixes(schema)
    if prefixes and prefixes != ("phone",):
        return find_reference(name, prefixes, dialogue, is_required=is_required)
    words = set(split_name(name))
    if words & {"account", "card", "handle", "id", "from"} and not words & {"date", "period", "currency"}:
        return _find_handle(name, dialogue, is_required=is_required)
    for rule_words, find in _TEXT_RULES:
        if words & rule_words:
            return find(words, dialogue)
    return dialogue.question if is_required else None


def _find_date(words: set[str], dialogue: Dialogue) -> str | None:
    found = find_range(dialogue.question, dialogue.today)
    return found[bool(words & {"to", "end"})].isoformat() if found else None


def _find_period(dialogue: Dialogue) -> str | None:
    return next((period for period in PERIODS if score_phrases(SYNONYMS[period], dialogue.words)), None)


def find_payee_query(question: str) -> str | None:
    """Return a phone's handle or the name to look for."""
    phone = PHONE.search(question)
    if phone is not None:
        return phone[0].strip()
    recipient = _RECIPIENT.search(question)
    return find_payee_name(question) or (recipient[0] if recipient else None)


def _find_currency(parts: set[str], dialogue: Dialogue) -> str | None:
    """Return the first currency named, for a target the second; roubles when only one is named."""
    words = dialogue.words
    ranks = {code: rank for code in CURRENCIES if (rank := _find_rank(SYNONYMS[code], words)) is not None}
    ordered = sorted(ranks, key=lambda code: ranks[code])
    # Behind a number stands what is given: "how many roubles for 100 yuan".
    counted = next((code for code in ordered if ranks[code] and words[ranks[code] - 1].isdigit()), None)
    if len(ordered) == 1:
        ordered = ["rub", *ordered] if score_phrases(_BUYING, words) and counted is None else [*ordered, "rub"]
    elif counted is not None:
        ordered = [counted, *(code for code in ordered if code != counted)]
    if "to" in parts:
        ordered = ordered[1:]
    return ordered[0].upper() if ordered else None


def _find_rank(phrases: Sequence[str], words: Sequence[str]) -> int | None:
    return next((index for index, word in enumerate(words) if score_phrases(phrases, [word])), None)


def _find_cursor(dialogue: Dialogue) -> str | None:
    for result in reversed(dialogue.all_results):
        for row in iter_objects(result.value):
            if isinstance(row.get("next"), str):
                return str(row["next"])
    return None


def _find_payee(dialogue: Dialogue) -> str | None:
    match = PHONE.search(dialogue.question) or _RECIPIENT.search(dialogue.question)
    return match[0].strip() if match else None


def _find_handle(name: str, dialogue: Dialogue, *, is_required: bool) -> str | None:
    """Return a handle named in the question, else one that an earlier result listed and the question points at."""
    kind = next((word for word in ("card", "account", "bill", "payee") if word in split_name(name)), "")
    named: list[str] = [handle for handle in _NAMED_HANDLE.findall(dialogue.question) if not kind or kind[:3] in handle]
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
        for row in iter_objects(result.value):
            keys = (name, kind, f"{kind}_id", "handle", "id")
            handle: object = next((row[key] for key in keys if row.get(key)), None)
            if isinstance(handle, str):
                beside = " ".join(str(value) for value in row.values() if isinstance(value, str))
                yield handle, {word[:4] for word in list_words(beside) if len(word) > 3}


# Words of a parameter's name, and how its text is found.
_TEXT_RULES: tuple[tuple[frozenset[str], Callable[[set[str], Dialogue], str | None]], ...] = (
    (frozenset({"date"}), _find_date),
    (frozenset({"period"}), lambda _words, dialogue: _find_period(dialogue)),
    (frozenset({"currency"}), _find_currency),
    (frozenset({"cursor"}), lambda _words, dialogue: _find_cursor(dialogue)),
    (frozenset({"bank"}), lambda _words, dialogue: find_bank(dialogue.question) or find_named_bank(dialogue)),
    (frozenset({"message"}), lambda _words, dialogue: find_message(dialogue.question)),
    (frozenset({"payee", "recipient", "phone", "receiver", "to"}), lambda _words, dialogue: _find_payee(dialogue)),
    (frozenset({"text", "search"}), lambda _words, dialogue: find_search_text(dialogue.question)),
    (frozenset({"query"}), lambda _words, dialogue: find_payee_query(dialogue.question) or dialogue.question),
)

"""The next call, or a question back: functions that list things come before those that need them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from chat.gigachat.sandbox.brain.arguments import Filled, fill_arguments, find_payee_query, list_properties
from chat.gigachat.sandbox.brain.dialogue import CLARIFICATION, Dialogue, FunctionResult
from chat.gigachat.sandbox.brain.intents import find_function, split_name
from chat.gigachat.sandbox.brain.pointing import find_payees
from chat.gigachat.sandbox.brain.references import Reference, list_references, list_wanted_prefixes
from chat.gigachat.sandbox.brain.sentence import names_account, split_directions
from chat.gigachat.sandbox.brain.text import Language
from chat.gigachat.sandbox.schema import FunctionIn

MAX_CALLS_PER_TURN = 4
_MAX_TRIES = 2
_MAX_CHOICES = 5
# Which of the offered functions tells handles of a kind, by the words of its name.
_SOURCES: dict[str, tuple[frozenset[str], ...]] = {
    "acc": (frozenset({"list", "accounts"}),),
    "card": (frozenset({"list", "cards"}),),
    "payee": (frozenset({"find", "payee"}),),
    "bill": (frozenset({"upcoming", "payments"}), frozenset({"list", "bills"})),
}
_WHICH = {
    "acc": {Language.RU: "какой счёт", Language.EN: "which account"},
    "card": {Language.RU: "какую карту", Language.EN: "which card"},
    "payee": {Language.RU: "кому именно", Language.EN: "to whom exactly"},
    "bill": {Language.RU: "какой счёт оплатить", Language.EN: "which bill"},
}


@dataclass(frozen=True, slots=True)
class CallPlan:
    """A call to make."""

    name: str
    arguments: dict[str, JsonValue]


def plan_next(dialogue: Dialogue, functions: Sequence[FunctionIn]) -> CallPlan | str | None:
    """Return the call to make, a question back when an argument is missing, or None when it is time to answer."""
    if len(dialogue.results) >= MAX_CALLS_PER_TURN:
        return None
    wanted = find_function(dialogue, functions)
    if wanted is None:
        return None
    tried = [result for result in dialogue.results if result.name == wanted.name]
    if tried:
        return plan_again(wanted, tried, dialogue, functions)
    return plan_first(wanted, dialogue, functions)


def plan_first(wanted: FunctionIn, dialogue: Dialogue, functions: Sequence[FunctionIn]) -> CallPlan | str | None:
    filled = fill_arguments(wanted, dialogue)
    needed = list_needed(wanted, filled, dialogue)
    for prefix in needed:
        listing = plan_listing(prefix, functions, dialogue)
        if listing is not None:
            return listing
    if not filled.missing:
        return CallPlan(wanted.name, filled.arguments)
    if not needed:
        listed = find_listing(filled.missing, functions, dialogue)
        return CallPlan(listed.name, {}) if listed else ask_for(wanted, filled.missing, dialogue.language)
    prefix = needed[0]
    choices = find_payees(dialogue) if prefix == "payee" else list_references(dialogue, prefix)
    if is_answered_by_list(wanted, choices, dialogue):
        return None
    if prefix == "payee" and not choices and not find_payee_query(dialogue.question):
        return ask_for(wanted, filled.missing, dialogue.language)
    return ask_which(prefix, choices, dialogue.language) if choices else None


def list_needed(wanted: FunctionIn, filled: Filled, dialogue: Dialogue) -> list[str]:
    """Return the kinds of handles that are still to be found: for required parameters, and for named accounts."""
    properties = list_properties(wanted)
    source, target, rest = split_directions(dialogue.question)
    needed = []
    for name, schema in properties.items():
        prefixes = list_wanted_prefixes(schema)
        spoken = source if "from" in name else target if "to" in split_name(name) else [*source, *target, *rest]
        is_named = prefixes[:1] == ("acc",) and "account" in name and names_account(spoken)
        if prefixes and name not in filled.arguments and (name in filled.missing or is_named):
            needed.append(prefixes[0])
    return list(dict.fromkeys(needed))


def plan_listing(prefix: str, functions: Sequence[FunctionIn], dialogue: Dialogue) -> CallPlan | None:
    """Return the call that tells handles of a kind, unless it was made in this turn."""
    called = {result.name for result in dialogue.results}
    for words in _SOURCES.get(prefix, ()):
        for function in functions:
            if words <= set(split_name(function.name)) and function.name not in called:
                arguments = fill_listing(prefix, function, dialogue)
                return None if arguments is None else CallPlan(function.name, arguments)
    return None


def fill_listing(prefix: str, function: FunctionIn, dialogue: Dialogue) -> dict[str, JsonValue] | None:
    """Return the arguments of a listing call; None when the question does not give what it requires."""
    if prefix == "bill":
        return {"kind": "bill"} if "kind" in list_properties(function) else {}
    if prefix != "payee":
        return {}
    query = find_payee_query(dialogue.question)
    filled = fill_arguments(function, dialogue)
    return filled.arguments if query and not filled.missing else None


def is_answered_by_list(wanted: FunctionIn, choices: Sequence[Reference], dialogue: Dialogue) -> bool:
    """Tell whether the list just made is itself the answer: balances, when no account was named."""
    is_read = not {"transfer", "pay", "block", "unblock", "set", "request", "show"} & set(split_name(wanted.name))
    return is_read and bool(choices) and bool(dialogue.results)


def plan_again(
    wanted: FunctionIn, tried: Sequence[FunctionResult], dialogue: Dialogue, functions: Sequence[FunctionIn]
) -> CallPlan | None:
    """Return what the error of the last try advises: a list first, or fewer arguments; None when nothing helps."""
    error = read_error(tried[-1].value)
    if error is None or len(tried) >= _MAX_TRIES or dialogue.results[-1].name != tried[-1].name:
        filled = fill_arguments(wanted, dialogue)
        is_new = error is not None and len(tried) < _MAX_TRIES and filled.arguments != tried[-1].arguments
        return CallPlan(wanted.name, filled.arguments) if is_new and not filled.missing else None
    if error.get("code") == "unknown_reference":
        prefixes = [prefix for schema in list_properties(wanted).values() for prefix in list_wanted_prefixes(schema)]
        plans = (plan_listing(prefix, functions, dialogue) for prefix in prefixes)
        return next((plan for plan in plans if plan is not None), None)
    if error.get("code") == "invalid_arguments":
        return plan_without(wanted, tried[-1], error)
    return None


def plan_without(wanted: FunctionIn, tried: FunctionResult, error: dict[str, Any]) -> CallPlan | None:
    """Return the call without the optional arguments that were refused."""
    required = wanted.parameters.get("required")
    refused = {str(one.get("name")) for one in error.get("fields", []) if isinstance(one, dict)}
    if not refused & set(tried.arguments) or refused & set(required if isinstance(required, list) else []):
        return None
    return CallPlan(wanted.name, {name: value for name, value in tried.arguments.items() if name not in refused})


def read_error(value: dict[str, Any]) -> dict[str, Any] | None:
    error = value.get("error")
    return error if value.get("ok") is False and isinstance(error, dict) else None


def find_listing(missing: Sequence[str], functions: Sequence[FunctionIn], dialogue: Dialogue) -> FunctionIn | None:
    """Return a function without required arguments that lists what is missing and has not been called yet."""
    called = {result.name for result in dialogue.results}
    for name in missing:
        for function in functions:
            words = split_name(function.name)
            is_list = "list" in words or words[-1].endswith("s")
            has_subject = any(f"{part}s" in words for part in split_name(name))
            if is_list and has_subject and function.name not in called and not function.parameters.get("required"):
                return function
    return None


def ask_which(prefix: str, choices: Sequence[Reference], language: Language) -> str:
    """Return a question with the names to choose from."""
    named = ", ".join(one.title for one in choices[:_MAX_CHOICES])
    return f"{CLARIFICATION[language]}, {_WHICH[prefix][language]}: {named}?"


def ask_for(function: FunctionIn, missing: Sequence[str], language: Language) -> str:
    """Return a question for the missing arguments in the words of the function's own descriptions."""
    properties = list_properties(function)
    names = []
    for name in missing:
        description = properties.get(name, {}).get("description")
        # What follows is for the model: what a value looks like.
        names.append(str(description or name.replace("_", " ")).partition(";")[0].rstrip("."))
    return f"{CLARIFICATION[language]}: {'; '.join(names)}."

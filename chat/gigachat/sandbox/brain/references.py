"""Handles that functions returned, with the words beside them: which account, card or person the customer means."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from chat.gigachat.sandbox.brain.dialogue import Dialogue
from chat.gigachat.sandbox.brain.text import list_words
from chat.gigachat.sandbox.brain.vocabulary import ACCOUNT_WORDS, BILL_WORDS

HANDLE = re.compile(r"(?P<prefix>acc|card|payee|bill|tx|confirm|phone|plan|file)_[1-9]\d*")
_WANTED = re.compile(r"\b(acc|card|payee|bill|confirm|phone)_\d")
_NAMES = ("title", "name", "account_title", "title_untrusted")
_STEM = 4


@dataclass(frozen=True, slots=True)
class Reference:
    """One object of the customer's; `title` is how it may be named to them."""

    handle: str
    title: str
    row: dict[str, Any] = field(repr=False)
    stems: frozenset[str] = field(repr=False)

    @property
    def is_usable(self) -> bool:
        return self.row.get("status") not in {"closed", "blocked", "expired", "lost", "blocked_by_bank"}


def list_wanted_prefixes(schema: dict[str, JsonValue]) -> tuple[str, ...]:
    """Return what kinds of handles a parameter takes, by its description; none: it takes no handles."""
    description = schema.get("description")
    return tuple(dict.fromkeys(_WANTED.findall(description))) if isinstance(description, str) else ()


def list_references(dialogue: Dialogue, prefix: str) -> list[Reference]:
    """Return the objects of one kind that results listed, each once with its newest row, in order of listing."""
    found: dict[str, Reference] = {}
    for result in dialogue.all_results:
        for row in iter_objects(result.value):
            handle = find_own_handle(row)
            if handle.startswith(f"{prefix}_") and (len(row) > 1 or handle not in found):
                found[handle] = build_reference(handle, row)
    return list(found.values())


def iter_objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from iter_objects(child)
    elif isinstance(value, list):
        for child in value:
            yield from iter_objects(child)


def find_own_handle(row: dict[str, Any]) -> str:
    """Return the handle of the object itself, which comes before those of others it belongs to."""
    return next((item for item in row.values() if isinstance(item, str) and HANDLE.fullmatch(item)), "")


def build_reference(handle: str, row: dict[str, Any]) -> Reference:
    title = next((str(row[name]) for name in _NAMES if row.get(name)), handle)
    texts = [str(item) for name, item in row.items() if isinstance(item, str) and name not in {"status", "kind"}]
    stems = {word[:_STEM] for word in list_words(" ".join(texts))}
    for word in (str(row.get("kind")), str(row.get("currency"))):
        stems.update(ACCOUNT_WORDS.get(word, ()))
    for asked, billed in BILL_WORDS:
        if handle.startswith("bill_") and stems & set(billed):
            stems.update(asked)
    bank = str(row.get("bank", ""))
    return Reference(
        handle, f"{title}, {bank}" if bank and handle.startswith("payee_") else title, row, frozenset(stems)
    )


def find_named_bank(dialogue: Dialogue) -> str | None:
    """Return the bank of an earlier result that the question names: what the customer chose from a list of banks."""
    stems = list_bank_stems(dialogue.question)
    for result in reversed(dialogue.all_results):
        for row in iter_objects(result.value):
            listed = row.get("banks")
            for bank in (row.get("bank"), *(listed if isinstance(listed, list) else ())):
                if isinstance(bank, str) and stems & list_bank_stems(bank):
                    return bank
    return None


def list_bank_stems(text: str) -> set[str]:
    words = list_words(text)
    return {word[:_STEM] for word in words if len(word) >= _STEM and not word.startswith(("банк", "bank"))}


def point_at(references: Sequence[Reference], words: Sequence[str]) -> list[Reference]:
    """Return those that most of the words name; all with no word in common with them are left out."""
    stems = {word[:_STEM] for word in words if len(word) >= 3 or word.isdigit()}
    scored = [(len(reference.stems & stems), reference) for reference in references if reference.is_usable]
    best = max((score for score, _ in scored), default=0)
    return [reference for score, reference in scored if score == best] if best else []


def prefer_plain(references: Sequence[Reference]) -> Reference | None:
    """Return the only one, or the only one in roubles, or the only current account in roubles."""
    usable = [reference for reference in references if reference.is_usable]
    roubles = [one for one in usable if one.row.get("currency") in {None, "RUB"}]
    current = [one for one in roubles if one.row.get("kind") == "current"]
    return next((group[0] for group in (usable, roubles, current) if len(group) == 1), None)

"""Which of the objects already listed a parameter means: by handle, by name, by direction, or the only one there is."""

from collections.abc import Sequence

from chat.gigachat.sandbox.brain.dialogue import Dialogue
from chat.gigachat.sandbox.brain.references import (
    HANDLE,
    Reference,
    iter_objects,
    list_references,
    point_at,
    prefer_plain,
)
from chat.gigachat.sandbox.brain.sentence import PHONE, find_payee_name, names_account, split_directions
from chat.gigachat.sandbox.brain.text import list_words
from chat.gigachat.sandbox.brain.vocabulary import BILL_WORDS

# Nobody chooses these for the customer when several fit.
_FOUND = "find_payee"
_CHOSEN = ("card", "payee", "bill")


def find_reference(name: str, prefixes: Sequence[str], dialogue: Dialogue, *, is_required: bool) -> str | None:
    """Return the handle for a parameter, None when the customer named none or it is not listed yet."""
    words = name.split("_")
    spoken = [found[0] for found in HANDLE.finditer(dialogue.question) if found["prefix"] in prefixes]
    if spoken:
        return spoken[-1] if "to" in words else spoken[0]
    if "phone" in prefixes and (phone := PHONE.search(dialogue.question)):
        return phone[0].strip()
    prefix = prefixes[0]
    if prefix == "payee":
        return choose(find_payees(dialogue), prefix)
    if prefix == "confirm":
        return None
    references = list_references(dialogue, prefix)
    if prefix == "acc":
        return find_account(words, references, dialogue, is_required=is_required)
    pointed = point_at(references, list_words(dialogue.question))
    is_open = prefix != "bill" or not names_bill(list_words(dialogue.question))
    return choose(pointed or (usable(references) if is_open else []), prefix)


def names_bill(words: Sequence[str]) -> bool:
    """Tell whether the customer said what the bill is for."""
    return any(word.startswith(asked) for word in words for asked, _ in BILL_WORDS)


def find_payees(dialogue: Dialogue) -> list[Reference]:
    """Return the payees whose name the question has; with several, those whose bank it has too."""
    answered = [result for result in dialogue.results if _FOUND in result.name]
    if answered:
        # The bank has looked for just this name: what it found is what is meant.
        found = {row.get("payee") for row in iter_objects(answered[-1].value)}
        listed = [one for one in list_references(dialogue, "payee") if one.handle in found]
        return listed if len(listed) == 1 else point_at(listed, list_words(dialogue.question)) or listed
    words = list_words(find_payee_name(dialogue.question) or dialogue.question)
    named = point_at(list_references(dialogue, "payee"), words)
    narrowed = point_at(named, list_words(dialogue.question))
    return narrowed or named


def find_account(
    words: Sequence[str], references: Sequence[Reference], dialogue: Dialogue, *, is_required: bool
) -> str | None:
    source, target, rest = split_directions(dialogue.question)
    if "to" in words:
        own = without(references, point_at(references, source))
        pointed = point_at(own, target) or point_at(own, rest)
        return choose(pointed, "acc") or (choose(own, "acc") if len(usable(own)) == 1 else None)
    if "from" in words:
        pointed = point_at(references, source)
        others = without(references, point_at(references, target) or point_at(references, rest))
        return choose(pointed, "acc") or (choose(others, "acc") if is_required else None)
    pointed = point_at(references, [*source, *target, *rest])
    is_named = names_account([*source, *target, *rest])
    if pointed and is_named:
        return choose(pointed, "acc")
    # A balance nobody chose an account for is better answered with the list.
    is_free = is_required and "id" not in words
    return choose(references, "acc") if is_free else choose_only(references, is_required=is_required)


def choose_only(references: Sequence[Reference], *, is_required: bool) -> str | None:
    left = usable(references)
    return left[0].handle if is_required and len(left) == 1 else None


def choose(references: Sequence[Reference], prefix: str) -> str | None:
    if prefix in _CHOSEN:
        return references[0].handle if len(references) == 1 else None
    preferred = prefer_plain(references)
    return preferred.handle if preferred else None


def usable(references: Sequence[Reference]) -> list[Reference]:
    return [reference for reference in references if reference.is_usable]


def without(references: Sequence[Reference], taken: Sequence[Reference]) -> list[Reference]:
    return [reference for reference in references if reference not in taken[:1]]

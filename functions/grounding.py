"""Checks that an answer says only figures that were found out: in results, the customer's words or a confirmation.

The rules, in this order (docs/functions.md "Figures"):
- what is no figure at all: see `functions.figures`;
- figures inside quotation marks, when the very words quoted are a stranger's in a result; nowhere else do strangers'
  texts (`…_untrusted`) support an amount, a percentage or a date;
- exempt: the number one, today's date and year, the number of lines of the answer's own list, small counts in "the
  last five", "top 3";
- dates agree in what both say: "3 November" with 2026-11-03;
- numbers agree when equal, or rounded as they are written: "52 тыс." with 51 980.20, "12 345 ₽" with 12 345.67, and
  within five per cent behind "about"; a share may be written as a percentage;
- sums and differences must have been computed by a function: the model does not calculate.

An answer for which nothing was looked up (no results, no confirmation) is checked only where it speaks of the
customer's own money: general knowledge has figures too.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from accounts.folding import fold_text
from functions.figures import Figure, FigureKind, find_figures
from functions.privacy.untrusted import SUFFIX
from functions.rendering import render_results

__all__ = ["Facts", "find_unsupported", "iter_texts", "render_results"]

Day = tuple[int, int, int]

HUNDRED = Decimal(100)
ROUGH_SHARE = Decimal("0.05")
FEW = 20
PLAIN_NUMBER = re.compile(r"[-+−]?[0-9]{1,18}(?:\.[0-9]+)?")
INSTANT = re.compile(r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})T(?P<hour>[0-9]{2}):[0-9]{2}.*(?:Z|[+-][0-9]{2}:?[0-9]{2})$")
# In UTC; further east the day may have changed already.
EASTERN_HOURS = 14
LIST_LINE = re.compile(r"^\s*(?:[-*•–—]|[0-9]{1,2}[.)])\s+\S", re.MULTILINE)
QUOTED = re.compile(r"«([^»\n]{1,200})»|\"([^\"\n]{1,200})\"|“([^”\n]{1,200})”|`([^`\n]{1,200})`")
SELECTED = re.compile(
    r"(?:топ|top|последн\w+|перв\w+|ближайш\w+|крупнейш\w+|latest|last|first|recent|biggest|largest|next)[\s-]*(?P<after>[0-9]{1,2})\b"
    r"|\b(?P<before>[0-9]{1,2})\s+(?:самы\w+|последн\w+|крупн\w+|ближайш\w+|перв\w+|latest|last|most|largest|biggest|recent|next)",
    re.IGNORECASE,
)
OWN_MONEY = re.compile(
    r"(?<!\w)(?:у вас|вы|ваш\w*|вам|с вас|баланс\w*|остат\w+|доступно|потрачено"
    r"|your?|yours|you've|balance|available|spent)\b",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?=\S)[^.!?\n]*)*")
MINOR_TERMS = frozenset({"amt", "fee", "old"})


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything an answer may say in figures.

    strangers  numbers of strangers' texts: they support counts only
    quotes     strangers' texts, folded
    """

    numbers: set[Decimal] = field(default_factory=set)
    days: set[Day] = field(default_factory=set)
    strangers: set[Decimal] = field(default_factory=set)
    quotes: list[str] = field(default_factory=list)

    def add_text(self, text: str) -> None:
        for figure in find_figures(text):
            self.numbers.update(figure.values)
            if figure.kind is FigureKind.DATE:
                self.days.add(figure.day)

    def add_quote(self, text: str) -> None:
        self.quotes.append(fold_text(text))
        self.strangers.update(value for figure in find_figures(text) for value in figure.values)

    def add_value(self, name: str, value: object) -> None:
        """Add one JSON value; `name` is the key it stands under."""
        if isinstance(value, bool) or value is None:
            return
        if isinstance(value, int | float):
            self.numbers.add(abs(Decimal(repr(value))))
        elif isinstance(value, str):
            self.add_string(name, value)
        elif isinstance(value, list):
            self.numbers.add(Decimal(len(value)))
            for item in value:
                self.add_value(name, item)
        elif isinstance(value, dict):
            for key, item in value.items():
                self.add_value(key, item)

    def add_string(self, name: str, text: str) -> None:
        if name.endswith(SUFFIX):
            self.add_quote(text)
        elif PLAIN_NUMBER.fullmatch(text):
            self.numbers.add(abs(Decimal(text.replace("−", "-"))))
        else:
            self.add_text(text)
            instant = INSTANT.fullmatch(text)
            if instant is not None and int(instant["hour"]) >= 24 - EASTERN_HOURS:
                following = date.fromordinal(date.fromisoformat(instant["day"]).toordinal() + 1)
                self.days.add((following.year, following.month, following.day))

    def add_payload(self, payload: str) -> None:
        """Add a confirmation's terms, whose amounts are minor units."""
        terms = parse_json(payload)
        self.add_value("", terms)
        for name in MINOR_TERMS & set(terms):
            if isinstance(terms[name], str) and terms[name].isdecimal():
                self.numbers.add(Decimal(terms[name]) / HUNDRED)


def find_unsupported(
    text: str,
    *,
    results: Sequence[str],
    customer_texts: Iterable[str],
    payloads: Sequence[str] = (),
    today: date | None = None,
) -> tuple[Figure, ...]:
    """Return the figures of an answer that nothing supports, in order of kind and place; none: the answer may stand.

    text      the answer as the model wrote it; placeholders do not matter
    results   envelopes of the calls it may rely on, JSON
    payloads  canonical terms of confirmations of this turn, JSON
    today     the customer's local day, always allowed with its year
    """
    facts = build_facts(results, customer_texts, payloads)
    checked = drop_quotations(text, facts) if results or payloads else keep_own_money(text)
    exempt = list_exempt(checked, today)
    return tuple(
        figure
        for figure in find_figures(checked)
        if not (is_exempt(figure, exempt, today) or is_supported(figure, facts))
        and (results or payloads or figure.kind is FigureKind.AMOUNT)
    )


def build_facts(results: Sequence[str], customer_texts: Iterable[str], payloads: Sequence[str]) -> Facts:
    facts = Facts()
    for result in results:
        facts.add_value("", parse_json(result))
    for text in customer_texts:
        facts.add_text(text)
    for payload in payloads:
        facts.add_payload(payload)
    return facts


def parse_json(text: str) -> dict[str, Any]:
    """Return an object; a text that is none supports nothing."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def drop_quotations(text: str, facts: Facts) -> str:
    """Return the text without the quotations of strangers' words."""

    def drop(found: re.Match[str]) -> str:
        words = fold_text(next(group for group in found.groups() if group is not None))
        return "«»" if words and any(words in quote for quote in facts.quotes) else found[0]

    return QUOTED.sub(drop, text)


def keep_own_money(text: str) -> str:
    """Return the sentences that speak of the customer's own money."""
    return "\n".join(found[0] for found in SENTENCE.finditer(text) if OWN_MONEY.search(found[0]))


def list_exempt(text: str, today: date | None) -> set[Decimal]:
    """Return the counts that need no support."""
    exempt = {Decimal(1), Decimal(len(LIST_LINE.findall(text)))}
    exempt.update(Decimal(found["after"] or found["before"]) for found in SELECTED.finditer(text))
    exempt = {number for number in exempt if 0 < number <= FEW}
    return exempt if today is None else exempt | {Decimal(today.year)}


def is_exempt(figure: Figure, exempt: set[Decimal], today: date | None) -> bool:
    if figure.kind is FigureKind.DATE:
        return today is not None and agrees(figure.day, (today.year, today.month, today.day))
    return figure.kind is FigureKind.COUNT and any(value in exempt for value in figure.values)


def is_supported(figure: Figure, facts: Facts) -> bool:
    if figure.kind is FigureKind.DATE and any(agrees(figure.day, day) for day in facts.days):
        return True
    numbers = facts.numbers
    if figure.kind is FigureKind.COUNT:
        numbers = numbers | facts.strangers
    elif figure.kind is FigureKind.PERCENT:
        numbers = numbers | {number * HUNDRED for number in numbers if number < 1}
    return any(matches(value, number, figure) for value in figure.values for number in numbers)


def agrees(said: Day, known: Day) -> bool:
    """Tell whether a known date is what is said: the same month, and year and day as far as they are said."""
    is_same_year = said[0] == known[0] or 0 in {said[0], known[0]}
    return is_same_year and said[1] == known[1] and said[2] in {0, known[2]}


def matches(value: Decimal, number: Decimal, figure: Figure) -> bool:
    """Tell whether `value` is how a person would write `number`."""
    if value == number:
        return True
    if figure.kind is FigureKind.COUNT and value < HUNDRED:
        return False
    gap = number - value
    if abs(gap) * 2 <= figure.step or 0 <= gap < figure.step:
        return value != 0
    return figure.is_rough and abs(gap) <= number * ROUGH_SHARE


def iter_texts(figures: Iterable[Figure]) -> Iterator[str]:
    """Yield what the figures look like in the answer, each once: for asking the model to write it again."""
    seen: set[str] = set()
    for figure in figures:
        if figure.text not in seen:
            seen.add(figure.text)
            yield figure.text

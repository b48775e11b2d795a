"""What the rule set knows: finance terms and the demo bank, read from the two TOML files beside this module."""

import functools
import tomllib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from chat.gigachat.sandbox.brain.text import Language, score_phrases

_FILES = ("bank.toml", "terms.toml")
_GENERAL = ("abilities", "hours", "fraud")
# Without the closing advice; with it a detailed answer is two to four kilobytes of UTF-8.
_DETAIL_BYTES = 2200
_ADVICE = {
    Language.RU: (
        "Коротко: прочтите условия до подписи, сравните два-три предложения по полной стоимости или эффективной "
        "ставке и не торопитесь, если вас торопят. Если хотите, разберу любой пункт отдельно — просто назовите его."
    ),
    Language.EN: (
        "In short: read the terms before you sign, compare two or three offers by full cost or effective rate, and "
        "do not hurry when someone hurries you. I can go through any point separately: just name it."
    ),
}


@dataclass(frozen=True, slots=True)
class Wording:
    title: str
    text: str
    more: str


@dataclass(frozen=True, slots=True)
class Topic:
    id: str
    related: tuple[str, ...]
    keywords: tuple[str, ...]
    wordings: dict[Language, Wording]

    def get_wording(self, language: Language) -> Wording:
        return self.wordings[language]


@functools.cache
def load_topics() -> dict[str, Topic]:
    """Return all topics by id, in file order. Read once per process."""
    topics = {}
    for name in _FILES:
        content = tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
        for row in content["topic"]:
            topics[row["id"]] = Topic(
                id=row["id"],
                related=tuple(row["related"]),
                keywords=tuple(row["keywords"]),
                wordings={language: Wording(**row[language.value]) for language in Language},
            )
    return topics


def find_topic(words: Sequence[str]) -> Topic | None:
    """Return the topic whose keywords explain most of the words; the first one of equals."""
    best = max(load_topics().values(), key=lambda topic: score_phrases(topic.keywords, words))
    return best if score_phrases(best.keywords, words) else None


def write_details(topic: Topic, language: Language) -> str:
    """Return several paragraphs on the topic and what belongs to it: two to four kilobytes."""
    own = topic.get_wording(language)
    is_russian = language is Language.RU
    parts = [own.text, own.more, "Что ещё стоит знать рядом с этим:" if is_russian else "What else belongs to it:"]
    neighbours = _iter_neighbours(topic)
    while sum(len(part.encode()) for part in parts) < _DETAIL_BYTES:
        wording = next(neighbours).get_wording(language)
        parts.append(f"**{wording.title}.** {wording.text}")
    return "\n\n".join((*parts, _ADVICE[language]))


def _iter_neighbours(topic: Topic) -> Iterator[Topic]:
    """Yield what is related, what every customer should know, then what is related to those: each topic once."""
    topics = load_topics()
    seen = {topic.id}
    waiting = deque((*topic.related, *_GENERAL))
    while True:
        name = waiting.popleft()
        if name not in seen:
            seen.add(name)
            yield topics[name]
            waiting.extend(topics[name].related)

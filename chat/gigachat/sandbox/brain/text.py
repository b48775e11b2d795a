"""Words of a question: language, matching by word beginnings, and cutting an answer into phrases. Pure."""

import re
from collections.abc import Sequence
from enum import StrEnum

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
_PIECE = re.compile(r"\s*\S+\s*")
# A model's deltas are phrases: about this many characters, longer only when no pause comes.
_PHRASE_MIN = 16
_PHRASE_MAX = 28
_SINGLE_CHUNK = 40
_PAUSES = (".", ",", ":", ";", "!", "?", "—", ")")


class Language(StrEnum):
    RU = "ru"
    EN = "en"


RU = Language.RU


def list_words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("ё", "е"))


def find_language(text: str) -> Language | None:
    """Return the language of most letters, or None when there are no letters."""
    cyrillic, latin = len(_CYRILLIC.findall(text)), len(_LATIN.findall(text))
    if not cyrillic and not latin:
        return None
    return Language.RU if cyrillic >= latin else Language.EN


def score_phrase(phrase: str, words: Sequence[str]) -> int:
    """Return how much of the question the phrase explains: the length of its stems if all occur, else 0.

    A stem is the beginning of a word, `=word` a whole one; the order does not matter.
    """
    score = 0
    for stem in phrase.lower().replace("ё", "е").split():
        whole = stem.removeprefix("=")
        is_found = whole in words if stem.startswith("=") else any(word.startswith(whole) for word in words)
        if not is_found:
            return 0
        score += len(whole)
    return score


def score_phrases(phrases: Sequence[str], words: Sequence[str]) -> int:
    return max((score_phrase(phrase, words) for phrase in phrases), default=0)


def split_phrases(text: str) -> tuple[str, ...]:
    """Return the text in pieces that join to it again; a short answer is one piece, as the service sends it."""
    if len(text) <= _SINGLE_CHUNK:
        return (text,)
    phrases: list[str] = []
    current = ""
    for piece in _PIECE.findall(text):
        current += piece
        is_pause = current.rstrip().endswith(_PAUSES) or current.endswith("\n")
        if len(current) >= _PHRASE_MAX or (is_pause and len(current) >= _PHRASE_MIN):
            phrases.append(current)
            current = ""
    return (*phrases, current) if current else tuple(phrases)

"""Language, matching by word beginnings, phrases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.gigachat.sandbox.brain.text import Language, find_language, list_words, score_phrase, split_phrases


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Что такое SBP?", Language.RU),
        ("What is СБП exactly?", Language.EN),
        ("100 + 1", None),
        ("", None),
    ],
)
def test_find_language_counts_letters(text: str, language: Language | None) -> None:
    assert find_language(text) == language


@pytest.mark.parametrize(
    ("phrase", "text", "score"),
    [
        ("вклад", "Открыть вклады?", 5),
        ("ключев ставк", "Ставка, которую зовут ключевой", 11),
        ("ключев ставк", "ставка по кредиту", 0),
        ("=hi", "history", 0),
        ("=hi", "Hi!", 2),
        ("счет", "Мой счёт", 4),
    ],
)
def test_score_phrase_needs_every_stem(phrase: str, text: str, score: int) -> None:
    assert score_phrase(phrase, list_words(text)) == score


def test_split_phrases_keeps_a_short_answer_whole() -> None:
    assert split_phrases("Пожалуйста! Пишите ещё.") == ("Пожалуйста! Пишите ещё.",)


@given(st.text(alphabet=st.sampled_from("абв гд.,!?\n—e\u00a0"), max_size=300))
def test_split_phrases_join_to_the_text(text: str) -> None:
    phrases = split_phrases(text)

    assert "".join(phrases) == text
    assert text == "" or all(phrases)


def test_split_phrases_of_long_text_are_phrase_sized() -> None:
    phrases = split_phrases("Вклад это деньги которые вы передаёте банку на срок, а он возвращает их. " * 5)

    assert {8 <= len(phrase) <= 45 for phrase in phrases} == {True}

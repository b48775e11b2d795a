"""What the rule set knows is complete in both languages and found by its keywords."""

import pytest

from chat.gigachat.sandbox.brain.text import Language, list_words
from chat.gigachat.sandbox.brain.topics import find_topic, load_topics, write_details


def test_topics_are_complete_and_point_at_each_other() -> None:
    topics = load_topics()

    assert len(topics) >= 40
    for topic in topics.values():
        assert set(topic.related) <= set(topics)
        for language in Language:
            wording = topic.get_wording(language)
            assert wording.title
            assert wording.more
            assert 40 <= len(wording.text) <= 900


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("topic_id", list(load_topics()))
def test_details_are_several_paragraphs_of_two_to_four_kilobytes(topic_id: str, language: Language) -> None:
    text = write_details(load_topics()[topic_id], language)

    assert 2000 <= len(text.encode()) <= 4200
    assert text.count("\n\n") >= 4


@pytest.mark.parametrize(
    ("question", "topic_id"),
    [
        ("Что такое вклад?", "deposit"),
        ("Чем накопительный счёт отличается?", "savings_account"),
        ("Что такое ключевая ставка и при чём тут ипотека?", "key_rate"),
        ("Как работает СБП?", "sbp"),
        ("How do I send money by SBP?", "sbp"),
        ("Какая комиссия за перевод?", "commission"),
        ("Можно ли погасить кредит досрочно?", "early_repayment"),
        ("Как заблокировать карту?", "block_card"),
        ("I lost my card", "block_card"),
        ("До скольки вы работаете?", "hours"),
        ("What are your opening hours?", "hours"),
        ("Сколько стоит обслуживание карты?", "tariffs"),
        ("who are you?", "identity"),
        ("Кто ты?", "identity"),
        ("help", "abilities"),
        ("What's my balance?", "own_money"),
        ("спасибо", "thanks"),
        ("Hi!", "hello"),
        ("explain refinancing", "refinancing"),
        ("what is cashback", "cashback"),
        ("Объясни инфляцию", "inflation"),
        ("how to invest", "investment"),
        ("мне звонят мошенники", "fraud"),
    ],
)
def test_find_topic_understands_the_question(question: str, topic_id: str) -> None:
    topic = find_topic(list_words(question))

    assert topic is not None
    assert topic.id == topic_id


def test_find_topic_of_something_else_is_nothing() -> None:
    assert find_topic(list_words("Какая погода в Москве?")) is None

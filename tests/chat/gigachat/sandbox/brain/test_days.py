from datetime import date

import pytest

from chat.gigachat.sandbox.brain.days import find_range, read_today

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("с 2026-01-01 по 2026-02-01", "2026-01-01", "2026-02-01"),
        ("с 01.03.2026 по 31.03.2026", "2026-03-01", "2026-03-31"),
        ("за октябрь", "2026-10-01", "2026-10-31"),
        ("за декабрь", "2025-12-01", "2025-12-31"),
        ("в мае 2025", "2025-05-01", "2025-05-31"),
        ("с 1 по 15 октября", "2026-10-01", "2026-10-15"),
        ("с января по март", "2026-01-01", "2026-03-31"),
        ("for February", "2026-02-01", "2026-02-28"),
        ("за прошлый месяц", "2026-10-01", "2026-10-31"),
        ("за этот месяц", "2026-11-01", "2026-11-24"),
        ("с начала года", "2026-01-01", "2026-11-24"),
        ("last month", "2026-10-01", "2026-10-31"),
    ],
)
def test_find_range_reads_what_the_question_names(question: str, first: str, last: str) -> None:
    assert find_range(question, TODAY) == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize("question", ["сколько денег?", "31 февраля 2026", "99.99.2026", "2026-13-40"])
def test_find_range_without_a_day_is_none(question: str) -> None:
    assert find_range(question, TODAY) is None


def test_find_range_without_a_clock_knows_whole_dates_only() -> None:
    assert find_range("за октябрь", None) is None
    assert find_range("на 2026-10-01", None) == (date(2026, 10, 1), date(2026, 10, 1))


def test_read_today_is_what_the_instructions_say() -> None:
    assert read_today("Правила.\nСегодня 24.11.2026, вторник.") == TODAY
    assert read_today("Правила.") is None
    assert read_today("Сегодня 99.99.2026") is None

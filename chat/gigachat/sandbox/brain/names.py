"""Closed words of the bank's results and days, as a person says them. Pure."""

from typing import Any

from chat.gigachat.sandbox.brain.text import RU, Language

_NAMES: dict[str, tuple[str, str]] = {
    "active": ("действует", "active"),
    "closed": ("закрыт", "closed"),
    "blocked": ("заблокирован", "blocked"),
    "debit_blocked": ("списания заблокированы", "payments blocked"),
    "frozen": ("заморожена", "frozen"),
    "blocked_by_bank": ("заблокирована банком", "blocked by the bank"),
    "lost": ("заблокирована как потерянная", "blocked as lost"),
    "expired": ("срок истёк", "expired"),
    "purchases_day": ("покупки за день", "purchases a day"),
    "purchases_month": ("покупки за месяц", "purchases a month"),
    "cash_day": ("наличные за день", "cash a day"),
    "online": ("одна покупка в интернете", "one online purchase"),
    "groceries": ("продукты", "groceries"),
    "restaurants": ("кафе и рестораны", "cafes and restaurants"),
    "transport": ("транспорт", "transport"),
    "fuel": ("топливо", "fuel"),
    "housing": ("жильё", "housing"),
    "telecom": ("связь и интернет", "phone and internet"),
    "subscriptions": ("подписки", "subscriptions"),
    "health": ("здоровье", "health"),
    "clothes": ("одежда и обувь", "clothes and shoes"),
    "home": ("дом и ремонт", "home and repair"),
    "entertainment": ("развлечения", "entertainment"),
    "travel": ("путешествия", "travel"),
    "education": ("образование", "education"),
    "children": ("дети", "children"),
    "taxes": ("налоги и штрафы", "taxes and fines"),
    "cash": ("наличные", "cash"),
    "transfers": ("переводы", "transfers"),
    "own_transfers": ("между своими счетами", "between own accounts"),
    "fees": ("комиссии", "fees"),
    "salary": ("зарплата", "salary"),
    "pension": ("пенсия", "pension"),
    "interest": ("проценты", "interest"),
    "refunds": ("возвраты", "refunds"),
    "loans": ("кредиты", "loans"),
    "other": ("остальное", "the rest"),
}
_MONTHS = (
    ("января", "January"),
    ("февраля", "February"),
    ("марта", "March"),
    ("апреля", "April"),
    ("мая", "May"),
    ("июня", "June"),
    ("июля", "July"),
    ("августа", "August"),
    ("сентября", "September"),
    ("октября", "October"),
    ("ноября", "November"),
    ("декабря", "December"),
)


def name_value(value: Any, language: Language) -> str:
    """Return a closed word as a person says it; one nobody knows stays as it is."""
    russian, english = _NAMES.get(str(value), (str(value), str(value)))
    return russian if language is RU else english


def say_day(text: str, language: Language) -> str:
    """Return "3 ноября 2026" or "3 November 2026" for an ISO date or time."""
    year, month, day = text[:10].split("-")
    russian, english = _MONTHS[int(month) - 1]
    return f"{int(day)} {russian if language is RU else english} {year}"

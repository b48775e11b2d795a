"""Days a question names: ISO dates, months, "from 1 to 15 October". Today is what the instructions say it is."""

import calendar
import re
from datetime import date, timedelta

from chat.gigachat.sandbox.brain.vocabulary import MONTHS

_TODAY = re.compile(r"(?:Сегодня|Today is)\s+(\d{2})\.(\d{2})\.(\d{4})")
_ISO = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_DOTTED = re.compile(r"\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b")
_MONTH = "|".join(f"(?P<m{number}>{'|'.join(names)})" for number, names in enumerate(MONTHS, 1))
_NAMED = re.compile(
    rf"(?:(?P<first>\d{{1,2}})\s*(?:по|до|to|-|–)\s*)?(?:(?P<day>\d{{1,2}})\s+)?\b(?:{_MONTH})\w*(?:\s+(?P<year>20\d\d))?",
    re.IGNORECASE,
)
_LAST_MONTH = re.compile(r"прошл\w+\s+месяц|last month", re.IGNORECASE)
_THIS_MONTH = re.compile(r"эт\w+\s+месяц|this month|текущ\w+\s+месяц", re.IGNORECASE)
_THIS_YEAR = re.compile(r"эт\w+\s+год|this year|с начала года", re.IGNORECASE)

Range = tuple[date, date]


def read_today(instructions: str) -> date | None:
    """Return the day that the instructions name, None when they name none: the rule set has no clock."""
    found = _TODAY.search(instructions)
    return build_date(int(found[3]), int(found[2]), int(found[1])) if found else None


def find_range(question: str, today: date | None) -> Range | None:
    """Return the first and the last day the question names."""
    return find_dates(question) or (find_relative(question, today) if today else None)


def find_dates(question: str) -> Range | None:
    """Return the range given by whole dates; a single one is both ends."""
    isos = [parse_iso(text) for text in _ISO.findall(question)]
    dotted = [build_date(int(year), int(month), int(day)) for day, month, year in _DOTTED.findall(question)]
    days = [day for day in (*isos, *dotted) if day is not None]
    return (days[0], days[-1]) if days else None


def find_relative(question: str, today: date) -> Range | None:
    """Return the range of month names and of "this" and "last" month or year."""
    start = today.replace(day=1)
    if _LAST_MONTH.search(question):
        end = start - timedelta(days=1)
        return end.replace(day=1), end
    if _THIS_MONTH.search(question):
        return start, today
    if _THIS_YEAR.search(question):
        return today.replace(month=1, day=1), today
    named = [found for match in _NAMED.finditer(question) if (found := read_named(match, today))]
    return (named[0][0], named[-1][1]) if named else None


def read_named(found: re.Match[str], today: date) -> Range | None:
    """Return the days of "1 по 15 октября 2026" or of a whole month; without a year the latest one begun."""
    month = next(number for number in range(1, 13) if found[f"m{number}"])
    year = int(found["year"] or (today.year if month <= today.month else today.year - 1))
    length = calendar.monthrange(year, month)[1]
    last = build_date(year, month, int(found["day"] or length))
    first = build_date(year, month, int(found["first"] or found["day"] or 1))
    return (first, last) if first and last else None


def parse_iso(text: str) -> date | None:
    year, month, day = (int(part) for part in text.split("-"))
    return build_date(year, month, day)


def build_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None

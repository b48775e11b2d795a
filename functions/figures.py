"""Finds what a text says in figures: amounts, percentages, dates and counts, in Russian and English. Pure.

What is no figure, by rule: times of day and lengths of time, list numbers and ordinals ("2.", "3-й", "№ 5", "1st"),
digits inside words ("acc_1", "3D", "161-ФЗ"), the last digits of cards and accounts ("··4821"), phones, cards and
account numbers, placeholders.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from functions.privacy.patterns import DATE, find_values

SPACE = " \u00a0\u202f\u2009\u2007"
MONTHS_RU = ("январ", "феврал", "март", "апрел", "ма", "июн", "июл", "август", "сентябр", "октябр", "ноябр", "декабр")
MONTHS_EN = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SCALES = {"т": 1_000, "к": 1_000, "k": 1_000, "м": 1_000_000, "m": 1_000_000, "b": 1_000_000_000}
BILLION = 1_000_000_000
CENT = Decimal("0.01")

MONTH = (
    r"(?P<month>январ[ьяе]|феврал[ьяе]|март[ае]?|апрел[ьяе]|ма[йяе]|июн[ьяе]|июл[ьяе]|август[ае]?|сентябр[ьяе]|октябр[ьяе]"
    r"|ноябр[ьяе]|декабр[ьяе]|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
YEAR = r"(?:,?\s+(?P<year>(?:19|20)[0-9]{2})(?![0-9])(?:\s*(?:года|год|г\.))?)"
DAY = r"(?<![0-9])(?P<day>[0-9]{1,2})(?:st|nd|rd|th|-?го|-?е)?"
FLAGS = re.IGNORECASE
# "с 1 по 15 ноября", "1–15 ноября": the first day has the second one's month.
DAY_RANGE = re.compile(
    rf"(?<![0-9])(?P<first>[0-9]{{1,2}})(?:\s*(?:по|до|to|and|и|[-\u2013\u2014])\s*){DAY}\s+(?:of\s+)?{MONTH}{YEAR}?",
    FLAGS,
)
DAY_MONTH = re.compile(rf"{DAY}\s+(?:of\s+)?{MONTH}{YEAR}?", FLAGS)
# English only: "мая 3 500 ₽" is an amount.
MONTH_DAY = re.compile(rf"\b(?=[a-z]){MONTH}\s+{DAY}(?![0-9.,]*[0-9]|[{SPACE}][0-9]{{3}}(?![0-9])){YEAR}?", FLAGS)
MONTH_YEAR = re.compile(rf"\b{MONTH}{YEAR}", FLAGS)
SHORT_DATE = re.compile(
    r"(?<![0-9.,])(?P<day>0[1-9]|[12][0-9]|3[01])\.(?P<month>0[1-9]|1[0-2])(?![0-9]|[.,][0-9]|\s*[%₽$€]|\s*(?:руб|тыс|млн))"
)
ISO_MONTH = re.compile(r"(?<![0-9-])(?P<year>(?:19|20)[0-9]{2})-(?P<month>0[1-9]|1[0-2])(?![0-9-])")
# "03/2027", as cards have it.
SLASHED_MONTH = re.compile(r"(?<![0-9/])(?P<month>0[1-9]|1[0-2])/(?P<year>20[0-9]{2})(?![0-9/])")

LENGTHS = (
    r"сек(?:унд\w*)?|мин(?:ут\w*)?|час(?:а|ов)?|сут(?:ки|ок)|дн(?:я|ей|ям|ях)|день|недел\w+|месяц\w*|лет|год(?:а|у|ом)?"
    r"|seconds?|secs?|minutes?|mins?|hours?|days?|weeks?|months?|years?"
)
NUMERAL = r"[0-9]+(?:[.,][0-9]+)?"
NO_FIGURES = tuple(
    re.compile(pattern, FLAGS | re.MULTILINE)
    for pattern in (
        r"⟦[^⟧\n]{0,64}⟧",
        r"https?://\S+",
        r"(?<![0-9])[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?![0-9])(?:\.[0-9]+)?",
        r"\b24\s?/\s?7\b",
        # List numbers at the beginning of a line, of Markdown headings and quotations too.
        r"^[\s>#*_-]*[0-9]{1,2}[.)](?=\s|\*|$)",
        r"№\s?[0-9]+|#[0-9]+",
        r"(?:[*•·…xх]|\.\.)\s?[0-9]{4}(?![0-9])",
        r"(?<!\w)[0-9]+[-\u2011](?=[^\W\d_])\w+(?:[-\u2011]\w+)*|(?<!\w)[0-9]+(?:st|nd|rd|th)\b",
        r"\w*[^\W\d][-\u2011][0-9]+(?:[-\u2011]\w+)*",
        rf"(?<!\w)(?:{NUMERAL}\s*(?:[-\u2013\u2014]|до|to)\s*)?{NUMERAL}[{SPACE}-]?(?:\w*(?:рабоч|банковск|календарн)\w+\s|(?:working|business|calendar|full)\s)?(?:{LENGTHS})\b",
        r"[^\W\d]+[0-9][\w]*|\b[0-9]+_\w+|(?-i:\b[0-9]+(?!(?:K|M|USD|EUR|CNY|RUB)\b)[A-Z]\w*)",
    )
)
SCALE = r"(?:тыс(?:яч\w*|\.)?|млн\.?|миллион\w*|млрд\.?|миллиард\w*|thousand|million|mln|billion|bn|[kкmм](?![^\W\d_]))"
UNIT = (
    r"₽|руб(?:л\w+|\.)?|р\.|р(?![^\W_])|rub(?:les?)?\b|roubles?\b|коп(?:е\w+|\.)?|\$|€|¥|usd\b|eur\b|cny\b|доллар\w*|евро\b"
    r"|юан\w+|dollars?\b|euros?\b|yuan\b"
)
NUMBER = re.compile(
    rf"(?P<sign>[₽$€¥]\s?)?(?<![\w])(?P<number>[0-9]{{1,3}}(?:[{SPACE}][0-9]{{3}}(?![0-9]))+(?:[.,][0-9]{{1,2}}(?![0-9]))?"
    rf"|[0-9]{{1,3}}(?:,[0-9]{{3}}(?![0-9]))+(?:\.[0-9]{{1,2}}(?![0-9]))?|[0-9]+(?:[.,][0-9]+)?)"
    rf"(?:[{SPACE}]?(?P<scale>{SCALE}))?(?:[{SPACE}]?(?:(?P<unit>{UNIT})|(?P<percent>%|процент\w*|percent\b|п\.\s?п\.)))?",
    FLAGS,
)
ROUGH = re.compile(
    r"(?:около|примерно|почти|порядка|приблизительно|свыше|более|больше|менее|меньше|чуть|about|around|nearly|almost"
    r"|roughly|approximately|over|under|more than|less than|~|≈)(?:\s+чем)?\s*[-−₽$€]?$",
    FLAGS,
)


class FigureKind(StrEnum):
    """What a figure tells."""

    AMOUNT = "amount"
    PERCENT = "percent"
    DATE = "date"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a text, as it stands there.

    values    what it may mean, never negative: "1,500" is 1500 and 1.5; empty for dates that can be nothing else
    step      the smallest difference it could show: 1000 for "52 тыс.", 0.01 for "12,50"
    is_rough  said to be about that much
    day       of a date: (year, month, day); 0 for what is not said
    """

    kind: FigureKind
    text: str
    values: tuple[Decimal, ...] = ()
    step: Decimal = Decimal(1)
    is_rough: bool = False
    day: tuple[int, int, int] = (0, 0, 0)


def find_figures(text: str) -> list[Figure]:
    """Return the figures of `text`: dates first, then the others, each in order."""
    plain = blank_values(text)
    dates, plain = take_dates(plain)
    for pattern in NO_FIGURES:
        plain = pattern.sub(blank_match, plain)
    return dates + list(iter_numbers(plain))


def blank_match(found: re.Match[str]) -> str:
    return "\x00" * len(found[0])


def blank_values(text: str) -> str:
    for span in find_values(text):
        text = f"{text[: span.start]}{chr(0) * (span.end - span.start)}{text[span.end :]}"
    return text


def take_dates(text: str) -> tuple[list[Figure], str]:
    """Return the dates of `text` and the text without them."""
    dates: list[Figure] = []
    for pattern in (DATE, DAY_RANGE, DAY_MONTH, MONTH_DAY, MONTH_YEAR, SHORT_DATE, ISO_MONTH, SLASHED_MONTH):

        def take(found: re.Match[str]) -> str:
            days = list(read_days(found))
            # "12.10" may also be a rate: the values are what it is as a number.
            values = (Decimal(found[0]),) if found.re is SHORT_DATE else ()
            dates.extend(Figure(FigureKind.DATE, found[0].rstrip("."), values, step=CENT, day=day) for day in days)
            return blank_match(found) if days else found[0]

        text = pattern.sub(take, text)
    return dates, text


def read_days(found: re.Match[str]) -> Iterator[tuple[int, int, int]]:
    """Yield what a date's match says; nothing when there is no such day."""
    groups = found.groupdict()
    if not groups:
        numbers = [int(part) for part in re.split(r"[.-]", found[0])]
        year, month, day = numbers if "-" in found[0] else reversed(numbers)
        year = year + 2000 if year < 100 else year
    else:
        year, month, day = int(groups.get("year") or 0), read_month(groups["month"]), int(groups.get("day") or 0)
    for one in filter(None, (groups.get("first"), "-")):
        chosen = day if one == "-" else int(one)
        if chosen <= calendar.monthrange(year or 2024, month)[1]:
            yield year, month, chosen


def read_month(text: str) -> int:
    if text.isdecimal():
        return int(text)
    lowered = text.lower()
    for names in (MONTHS_EN, MONTHS_RU):
        for number, name in enumerate(names, 1):
            # "ма" is May; March was tried before it.
            if lowered.startswith(name):
                return number
    raise ValueError("no month")


def iter_numbers(text: str) -> Iterator[Figure]:
    before: Figure | None = None
    end = 0
    for found in NUMBER.finditer(text):
        figure = read_number(found, text)
        if is_in_kopecks(found) and before is not None and text[end : found.start()].strip() in {"", "и"}:
            before = join_kopecks(before, figure)
        else:
            if before is not None:
                yield before
            before = figure
        end = found.end()
    if before is not None:
        yield before


def is_in_kopecks(found: re.Match[str]) -> bool:
    return (found["unit"] or "").lower().startswith("коп")


def join_kopecks(roubles: Figure, kopecks: Figure) -> Figure:
    """Return "51 980 рублей 20 копеек" as one amount."""
    values = tuple(value + kopecks.values[0] for value in roubles.values)
    return replace(roubles, text=f"{roubles.text} {kopecks.text}", values=values, step=CENT)


def read_number(found: re.Match[str], text: str) -> Figure:
    scale = CENT if is_in_kopecks(found) else Decimal(read_scale(found["scale"]))
    candidates = read_candidates(found["number"])
    step = Decimal(1).scaleb(-len(str(candidates[0]).partition(".")[2])) * scale
    kind = FigureKind.COUNT
    if found["percent"]:
        kind = FigureKind.PERCENT
    elif found["sign"] or found["unit"] or found["scale"]:
        kind = FigureKind.AMOUNT
    is_rough = ROUGH.search(text[max(0, found.start() - 20) : found.start()]) is not None
    return Figure(kind, found[0].strip(), tuple(value * scale for value in candidates), step, is_rough)


def read_scale(text: str | None) -> int:
    if not text:
        return 1
    lowered = text.lower()
    if lowered.startswith(("млрд", "миллиард")):
        return BILLION
    return 1_000 if lowered.startswith(("th", "т")) else SCALES[lowered[0]]


def read_candidates(text: str) -> tuple[Decimal, ...]:
    """Return what a written number may mean; the first one is the likelier."""
    plain = re.sub(f"[{SPACE}]", "", text)
    if "," not in plain:
        return (Decimal(plain),)
    if "." in plain or plain.count(",") > 1:
        return (Decimal(plain.replace(",", "")),)
    decimal = Decimal(plain.replace(",", "."))
    is_grouped = re.fullmatch(r"[1-9][0-9]{0,2},[0-9]{3}", plain) is not None
    return (Decimal(plain.replace(",", "")), decimal) if is_grouped else (decimal,)

"""What a question says in so many words: how much, from where, to where, to whom, with which message. Pure."""

import re

from chat.gigachat.sandbox.brain.text import list_words
from chat.gigachat.sandbox.brain.vocabulary import ACCOUNT_WORDS, MONTHS

NUMBER = re.compile(
    r"(?<![\w.-])(?P<whole>\d{1,3}(?:[ \u00a0]\d{3})+|\d+)(?:[.,](?P<fraction>\d{1,2}))?(?![\d.]*\.\d)"
    r"\s*(?P<scale>тыс|млн|[kк]\b|m\b)?[а-яё.]*\s*(?P<mark>руб|₽|р\b|rub|roub|\$|€|доллар|евро|юан|usd|eur|cny)?",
    re.IGNORECASE,
)
PHONE = re.compile(r"phone_\d+|\+?\d[\d\-() ]{8,}\d")
_MONTH_BEHIND = re.compile(rf"\s*(?:{'|'.join(name for names in MONTHS for name in names)})", re.IGNORECASE)
_DATES = re.compile(r"\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}\.\d{1,2}\.\d{4}\b")
_MULTIPLIERS = {"тыс": 1_000, "k": 1_000, "к": 1_000, "млн": 1_000_000, "m": 1_000_000}
_QUOTED = re.compile(r"[«\"“]([^»\"”]{1,140})[»\"”]")
_MESSAGE = re.compile(
    r"(?:с\s+)?(?:сообщени|комментари|подпис|назначени)\w*[\s:]+(?P<text>.+)|\b(?:with\s+)?(?:the\s+)?(?:message|note)[\s:]+(?P<english>.+)",
    re.IGNORECASE,
)
_BANK = re.compile(r"\b(?:в|на|in|at|to)\s+([А-ЯЁA-Z][\w-]+)\s+(?:банк|bank)", re.IGNORECASE)
_PLACE = re.compile(
    r"(?:потрат\w*|покупк\w*|плат\w*|операци\w*|spent|purchases?|paid)\s+(?:в|из|от|at|in)\s+([\w'-]{3,})",
    re.IGNORECASE,
)
_NAMED_PLACE = re.compile(r"\b(?:в|из|от|at|from)\s+([А-ЯЁA-Z][\w'-]{2,})")
_FROM, _TO = {"с", "со", "из", "from"}, {"на", "в", "во", "to", "into"}
_VERB = re.compile(
    r"(?:^|\b)(?:перевед\w*|переве\w*|перечисл\w*|отправ\w*|скин\w*|закин\w*|transfer|send|pay)\b", re.IGNORECASE
)
_STOP_TEXT = "с со на во в из от до за по для между from by with for into"
_NO_NAME_TEXT = (
    "мне меня мой мою моего себе пожалуйста деньги денег рублей рубля рубль руб тысяч тысячу тысячи тыс млн еще ещё "
    "сейчас срочно половину все всё номер номеру телефону телефон и этот этому своими своих сообщением перевод банк "
    "the a my me money roubles rubles rub usd eur please to phone number some another more now message note own "
    "bank dollars euros"
)
_STOPS = frozenset(_STOP_TEXT.split())
_NO_NAME = _STOPS | frozenset(_NO_NAME_TEXT.split())
# First name and surname.
_MOST_NAMES = 2
_NAME = re.compile(r"[^\W\d_][\w-]*|⟦name_\d+⟧")
# The money, not the account it comes to.
_SALARY = re.compile(r"зарплат[аеуы]?|зарплатой|salary")
_PERIOD_WORDS = ("прошл", "этом", "этот", "этой", "месяц", "недел", "сегодня", "вчера", "год", "last", "this", "the")


def find_amount(question: str) -> float | None:
    """Return the amount: a number with a currency or "thousand" behind it before any other, no date, no phone."""
    plain = _DATES.sub(" ", PHONE.sub(" ", question))
    found = [match for match in NUMBER.finditer(plain) if not _MONTH_BEHIND.match(plain, match.end("whole"))]
    best = next((match for match in found if match["mark"] or match["scale"]), found[0] if found else None)
    return None if best is None else read_number(best)


def read_number(found: re.Match[str]) -> float:
    whole = re.sub(r"\D", "", found["whole"])
    return float(f"{whole}.{found['fraction'] or 0}") * _MULTIPLIERS.get((found["scale"] or "").lower(), 1)


def split_directions(question: str) -> tuple[list[str], list[str], list[str]]:
    """Return the words behind "from", those behind "to", and the others."""
    parts: dict[str, list[str]] = {"from": [], "to": [], "": []}
    current = ""
    for word in list_words(question):
        if word in _FROM:
            current = "from"
        elif word in _TO:
            current = "to"
        else:
            parts[current].append(word)
    return parts["from"], parts["to"], parts[""]


def find_payee_name(question: str) -> str:
    """Return the name of who gets the money as the customer wrote it, "" when there is none.

    In small letters a name is taken only right behind the verb and the amount: "скинь 500 маме на кино".
    """
    verb = _VERB.search(question)
    if verb is None:
        return ""
    names: list[str] = []
    is_behind = False
    for found in _NAME.finditer(_MESSAGE.sub(" ", _QUOTED.sub(" ", question[verb.end() :]))):
        word, lowered = found[0], found[0].lower()
        is_behind = is_behind or lowered in _STOPS
        is_big = word[0].isupper() or word.startswith("⟦")
        is_name = lowered not in _NO_NAME and not is_account_word(lowered) and (is_big or not (is_behind or names))
        if is_name:
            names.append(word)
        elif names:
            break
    return " ".join(names[:_MOST_NAMES])


def is_account_word(word: str) -> bool:
    if _SALARY.fullmatch(word):
        return False
    stems = [stem for stems in ACCOUNT_WORDS.values() for stem in stems]
    return word.startswith(("счет", "счёт", "acco", "acc_", "card_", *stems))


def names_account(words: list[str]) -> bool:
    return any(is_account_word(word) for word in words)


def find_message(question: str) -> str | None:
    """Return the message that goes with the money, in the customer's own words."""
    found = _MESSAGE.search(question)
    if found is None:
        return None
    text = found["text"] or found["english"]
    quoted = _QUOTED.search(text)
    return (quoted[1] if quoted else text).strip(' .«»"“”') or None


def find_bank(question: str) -> str | None:
    found = _BANK.search(question)
    return found[1] if found else None


def find_search_text(question: str) -> str | None:
    """Return what to look for: a quotation, a transaction's handle, or a shop."""
    handle = re.search(r"\btx_\d+\b", question)
    quoted = _QUOTED.search(question)
    if handle or quoted:
        return handle[0] if handle else quoted[1] if quoted else None
    for found in (*_NAMED_PLACE.finditer(question), *_PLACE.finditer(question)):
        word = found[1]
        if not word.lower().startswith(_PERIOD_WORDS) and not is_account_word(word.lower()) and not is_month(word):
            return word
    return None


def is_month(word: str) -> bool:
    return _MONTH_BEHIND.match(word) is not None

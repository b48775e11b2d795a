"""Errors of functions in a customer's words: what did not happen, and what helps. Never that something was done."""

from typing import Any

from chat.gigachat.sandbox.brain.names import say_day
from chat.gigachat.sandbox.brain.text import Language

_MAX_CHOICES = 5
_NO_MONEY = ("Деньги не списаны.", "No money has moved.")
# What is said for a code: Russian, English. What is not here is told in the error's own words, or as a plain apology.
_TEXTS: dict[str, tuple[str, str]] = {
    "declined": ("Операция не выполнена: она отклонена.", "It was declined and not carried out."),
    "expired": (
        "Время на подтверждение вышло, операция не выполнена.",
        "The time for the confirmation is over; nothing was carried out.",
    ),
    "superseded": ("Прежний запрос отменён, операция не выполнена.", "The earlier request was withdrawn."),
    "suspended": ("Банк приостановил перевод для проверки.", "The bank has suspended the transfer for a check."),
    "insufficient_funds": ("На счёте не хватает денег.", "There is not enough money on the account."),
    "cap_exceeded": ("Это больше, чем позволяет лимит.", "This is more than the limit allows."),
    "account_unavailable": ("Счёт закрыт или заблокирован.", "The account is closed or blocked."),
    "card_unavailable": ("С этой картой так сделать нельзя.", "This cannot be done with the card."),
    "same_account": ("Это один и тот же счёт.", "It is the same account."),
    "currency_mismatch": ("Валюты счетов не совпадают.", "The accounts are in different currencies."),
    "payee_not_found": (
        "Получатель не найден. Напишите его имя иначе или телефон.",
        "The payee was not found. Please write the name differently, or the phone.",
    ),
    "payee_needs_choice": ("Уточните, пожалуйста, кому перевести.", "Please tell me whom to send it to."),
    "step_up_required": ("Сначала введите пароль в приложении.", "Please enter your password in the app first."),
    "duplicate": ("Это уже сделано, повторять не нужно.", "This has been done already."),
    "unknown_reference": ("Такого я не нашёл.", "I found nothing of the kind."),
    "not_allowed": ("С этим я помочь не могу.", "I cannot help with this."),
    "internal": ("Извините, в банке произошла ошибка. Попробуйте позже.", "I am sorry, the bank had an error."),
    "timeout": ("Банк не успел ответить. Попробуйте позже.", "The bank did not answer in time. Try again later."),
    "temporarily_unavailable": ("Сервис сейчас недоступен. Попробуйте позже.", "The service is not available now."),
}
_NAMED_BY = ("title", "name", "bank")
_CHOICES = {"ambiguous_reference", "payee_needs_choice"}
_MONEY = {"declined", "expired", "suspended"}
_FAILED = ("К сожалению, это не получилось.", "I am sorry, that did not work.")


def tell_error(error: dict[str, Any], language: Language) -> str:
    """Return the answer for an error; its own Russian message where it says more than the code does."""
    code = str(error.get("code", ""))
    english = language is Language.EN
    if code in _CHOICES:
        return ask_choice(error, language)
    text = _TEXTS.get(code, _FAILED)[english]
    message = str(error.get("message") or "")
    if not english and message and code not in {"internal", "timeout", "suspended", "superseded"}:
        text = message
    parts = [text]
    if code in _MONEY and _NO_MONEY[english] not in text:
        parts.append(_NO_MONEY[english])
    if isinstance(error.get("until"), str):
        day = say_day(error["until"], language)
        parts.append(f"I will ask you again after {day}." if english else f"После {day} я спрошу вас ещё раз.")
    return " ".join(parts)


def ask_choice(error: dict[str, Any], language: Language) -> str:
    """Return a question with the choices that the error lists."""
    rows = [row for row in error.get("choices", []) if isinstance(row, dict)]
    titles = [", ".join(str(row[key]) for key in _NAMED_BY if row.get(key)) for row in rows]
    titles += [str(bank) for bank in error.get("banks", [])]
    listed = "; ".join(title for title in titles[:_MAX_CHOICES] if title)
    start = (
        "Please tell me which one you mean" if language is Language.EN else "Уточните, пожалуйста, что вы имеете в виду"
    )
    return f"{start}: {listed}?" if listed else f"{start}."

"""An answer from a function's result: whatever its JSON holds, in words a customer reads."""

from typing import Any

from chat.gigachat.sandbox.brain.dialogue import FunctionResult
from chat.gigachat.sandbox.brain.telling import tell_envelope
from chat.gigachat.sandbox.brain.text import Language

_MAX_ROWS = 10
_RUSSIAN_KEYS = {
    "account": "счёт",
    "accounts": "счета",
    "amount": "сумма",
    "as_of": "на момент",
    "available": "доступно",
    "balance": "остаток",
    "bank": "банк",
    "booked": "учтено",
    "cards": "карты",
    "category": "категория",
    "count": "количество",
    "currency": "валюта",
    "date": "дата",
    "description": "описание",
    "due_date": "срок",
    "fee": "комиссия",
    "groups": "группы",
    "holds": "заблокировано",
    "items": "список",
    "kind": "вид",
    "limit": "лимит",
    "merchant": "магазин",
    "message": "сообщение",
    "name": "название",
    "payee": "получатель",
    "period": "период",
    "rate": "курс",
    "result": "результат",
    "status": "статус",
    "title": "название",
    "total": "итого",
    "total_count": "всего",
    "transactions": "операции",
    "type": "вид",
}
# Words for machines: a customer gains nothing from them.
_HIDDEN_KEYS = {"handle", "id", "cursor", "next", "ok", "account_id", "card_id", "trace"}
_MONEY_WORDS = {"amount", "available", "balance", "booked", "fee", "holds", "total", "limit", "sum", "price"}
_SYMBOLS = {"RUB": "₽", "RUR": "₽", "USD": "$", "EUR": "€", "CNY": "¥"}
_FAILED = {"error", "failed", "refused", "denied"}


def write_result(result: FunctionResult, language: Language) -> str:
    """Return the answer text: an apology when the function failed, else its fields and rows."""
    told = tell_envelope(result.value, language)
    if told is not None:
        return told
    failure = find_failure(result.value)
    is_russian = language is Language.RU
    if failure is not None:
        start = "К сожалению, выполнить это не получилось" if is_russian else "I am sorry, that did not work"
        end = "Попробуйте ещё раз или уточните запрос." if is_russian else "Try again or change the request."
        return f"{start}: {failure}. {end}"
    lines = list_lines(result.value, language, currency="")
    if not lines:
        return "Готово, данных для показа нет." if is_russian else "Done; there is nothing to show."
    start = "Вот что я нашёл:" if is_russian else "Here is what I found:"
    if len(lines) == 1:
        return f"{lines[0].removeprefix('- ')}."
    return start + "\n\n" + "\n".join(lines)


def find_failure(value: dict[str, Any]) -> str | None:
    """Return the reason of a failed function, None for a successful one."""
    error = value.get("error")
    status = str(value.get("status", "")).lower()
    if not error and status not in _FAILED:
        return None
    if isinstance(error, dict):
        error = error.get("message") or error.get("code")
    return str(error or value.get("message") or value.get("reason") or status)


def list_lines(value: dict[str, Any], language: Language, *, currency: str, indent: str = "") -> list[str]:
    """Return one Markdown bullet per field, nested ones indented, at most ten rows of each list."""
    currency = str(value.get("currency") or currency)
    lines: list[str] = []
    for key, item in value.items():
        if key in _HIDDEN_KEYS or key == "currency" or item is None or item in ("", [], {}):
            continue
        label = name_key(key, language)
        if isinstance(item, dict):
            lines += [f"{indent}- {label}:", *list_lines(item, language, currency=currency, indent=f"{indent}  ")]
        elif isinstance(item, list):
            rows = [write_row(row, language, currency=currency) for row in item[:_MAX_ROWS]]
            lines += [f"{indent}- {label}:", *(f"{indent}  {number}. {row}" for number, row in enumerate(rows, 1))]
        else:
            lines.append(f"{indent}- {label}: {write_value(key, item, language, currency=currency)}")
    return lines


def write_row(row: Any, language: Language, *, currency: str) -> str:
    if not isinstance(row, dict):
        return str(row)
    currency = str(row.get("currency") or currency)
    shown = [
        write_value(key, item, language, currency=currency)
        for key, item in row.items()
        if key not in _HIDDEN_KEYS
        and key != "currency"
        and not isinstance(item, dict | list)
        and item not in (None, "")
    ]
    return ", ".join(shown)


def write_value(key: str, item: Any, language: Language, *, currency: str) -> str:
    if isinstance(item, bool):
        words = ("да", "нет") if language is Language.RU else ("yes", "no")
        return words[0] if item else words[1]
    words_of_key = set(key.lower().split("_"))
    if isinstance(item, int | float) and words_of_key & _MONEY_WORDS and "count" not in words_of_key:
        return write_money(item / 100 if "minor" in words_of_key else item, currency, language)
    return str(item)


def write_money(value: float, currency: str, language: Language) -> str:
    """`12 345,67 ₽` in Russian, `12,345.67 ₽` in English; whole sums without kopecks."""
    text = f"{value:,.2f}".removesuffix(".00")
    if language is Language.RU:
        text = text.replace(",", "\u00a0").replace(".", ",")
    symbol = _SYMBOLS.get(currency.upper(), currency)
    return f"{text}\u00a0{symbol}" if symbol else text


def name_key(key: str, language: Language) -> str:
    plain = key.removesuffix("_minor")
    if language is Language.RU:
        return _RUSSIAN_KEYS.get(plain, plain.replace("_", " "))
    return plain.replace("_", " ")

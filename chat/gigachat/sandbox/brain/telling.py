"""Answers from the bank's envelopes, `{"ok", "data" | "error"}`: sentences with every figure as the result has it."""

from collections.abc import Callable, Sequence
from typing import Any

from chat.gigachat.sandbox.brain.names import name_value, say_day
from chat.gigachat.sandbox.brain.refusals import tell_error
from chat.gigachat.sandbox.brain.text import RU, Language

_MAX_ROWS = 10
Data = dict[str, Any]
Write = Callable[[Data, Language], str]


def tell_envelope(value: Data, language: Language) -> str | None:
    """Return the answer, None for what is no envelope or has a shape nobody told the rule set about."""
    error, data = value.get("error"), value.get("data")
    if value.get("ok") is False and isinstance(error, dict):
        return tell_error(error, language)
    if value.get("ok") is not True or not isinstance(data, dict):
        return None
    for keys, write in WRITERS:
        if all(key in data for key in keys):
            try:
                return write(data, language)
            except (KeyError, TypeError, AttributeError):
                return None
    return None


def tell_accounts(data: Data, language: Language) -> str:
    rows = [f"{row['title']} — {show(row['available'])}{_mark_status(row, language)}" for row in data["accounts"]]
    return list_rows("Вот ваши счета:" if language is RU else "Here are your accounts:", rows)


def _mark_status(row: Data, language: Language) -> str:
    return "" if row.get("status") == "active" else f" ({name_value(row.get('status'), language)})"


def tell_balance(data: Data, language: Language) -> str:
    available, booked = show(data["available"]), show(data["booked"])
    text = (
        f"На счёте «{data['title']}» доступно {available}, проведённый остаток {booked}."
        if language is RU
        else f"{data['title']}: {available} available, {booked} booked."
    )
    if data["holds_count"]:
        holds = show(data["holds_sum"])
        text += f" Ожидают списания {holds}." if language is RU else f" {holds} is on hold."
    return text


def tell_cards(data: Data, language: Language) -> str:
    rows = []
    for row in data["cards"]:
        until = f"до {row['expires']}" if language is RU else f"until {row['expires']}"
        text = f"{row['title']} — {name_value(row['status'], language)}, {until}"
        limits = [f"{name_value(one['limit'], language)}: {_show_limit(one, language)}" for one in row["limits"]]
        rows.append("; ".join([text, *limits]))
    return list_rows("Вот ваши карты:" if language is RU else "Here are your cards:", rows)


def _show_limit(row: Data, language: Language) -> str:
    if "left" not in row:
        return show(row["amount"])
    left = "осталось" if language is RU else "left:"
    return f"{show(row['amount'])} ({left} {show(row['left'])})"


def tell_spending(data: Data, language: Language) -> str:
    first, last = say_day(data["days"]["date_from"], language), say_day(data["days"]["date_to"], language)
    total = show(data["total"])
    head = (
        f"С {first} по {last} вы потратили {total}" if language is RU else f"From {first} to {last} you spent {total}"
    )
    head += _tell_change(data.get("change"), language)
    rows = [_tell_group(row, language) for row in data["groups"]]
    return list_rows(f"{head}:", rows) if rows else f"{head}."


def _tell_group(row: Data, language: Language) -> str:
    name = row.get("merchant_untrusted") or name_value(row.get("group"), language)
    change = _tell_change(row.get("change"), language)
    return f"{name} — {show(row['total'])} ({row['share_percent']} %){change}"


def _tell_change(change: Data | None, language: Language) -> str:
    if change is None:
        return ""
    previous = show(change["previous"])
    return f"; в прошлый раз {previous}" if language is RU else f"; {previous} the time before"


def tell_lines(data: Data, language: Language) -> str:
    if not data["total_count"]:
        return "Таких операций не нашлось." if language is RU else "No such transactions were found."
    count = data["total_count"]
    head = f"Найдено операций: {count}." if language is RU else f"Transactions found: {count}."
    for key, russian, english in (("total_in", "Поступления", "In"), ("total_out", "Списания", "Out")):
        sums = ", ".join(show(view) for view in data.get(key, []))
        head += f" {russian if language is RU else english}: {sums}." if sums else ""
    return list_rows(head, [_tell_line(row, language) for row in data["lines"]])


def _tell_line(row: Data, language: Language) -> str:
    sign = "+" if row["direction"] == "in" else "−"
    who = row.get("merchant_untrusted") or row.get("counterparty_untrusted") or name_value(row["category"], language)
    memo = f" «{row['memo_untrusted']}»" if row.get("memo_untrusted") else ""
    return f"{say_day(row['date'], language)}: {sign}{show(row['amount'])}, «{who}»{memo}"


def tell_upcoming(data: Data, language: Language) -> str:
    if not data["payments"]:
        return "Предстоящих платежей нет." if language is RU else "There are no upcoming payments."
    until, totals = say_day(data["until"], language), ", ".join(show(view) for view in data["totals"])
    head = f"Платежи до {until}, всего {totals}:" if language is RU else f"Payments until {until}, {totals} in all:"
    rows = []
    for row in data["payments"]:
        guess = (" (оценка)" if language is RU else " (an estimate)") if row.get("is_estimate") else ""
        rows.append(f"{say_day(row['due_on'], language)}: «{row['title_untrusted']}» — {show(row['amount'])}{guess}")
    return list_rows(head, rows)


def tell_payees(data: Data, language: Language) -> str:
    rows = [", ".join(filter(None, (row["name"], row.get("bank")))) for row in data["payees"]]
    return list_rows("Нашёл получателей:" if language is RU else "I found these payees:", rows)


def tell_rate(data: Data, language: Language) -> str:
    base, given, received = data["base"], show(data["given"]), show(data["received"])
    if language is RU:
        prices = f"Банк покупает {base} по {data['buy']} и продаёт по {data['sell']} {data['quote']}."
        return f"{prices} За {given} вы получите {received}. Это оценка на сейчас."
    prices = f"The bank buys {base} at {data['buy']} and sells it at {data['sell']} {data['quote']}."
    return f"{prices} For {given} you get {received}. This is an estimate."


def tell_payment(data: Data, language: Language) -> str:
    amount, fee, left = show(data["amount"]), show(data["fee"]), show(data["available_after"])
    where = f"{data['from_title']} → {data['to_title']}"
    if data["status"] == "executed":
        if language is RU:
            return f"Готово, платёж выполнен: {amount}, {where}, комиссия {fee}. Доступно {left}."
        return f"Done, the payment is executed: {amount}, {where}, fee {fee}. Available: {left}."
    if language is RU:
        return f"Платёж {amount} ({where}, комиссия {fee}) отправлен, но ещё не завершён: ждём ответа другой стороны."
    return (
        f"The payment of {amount} ({where}, fee {fee}) is on its way but not finished: the other side has not answered."
    )


def tell_limit(data: Data, language: Language) -> str:
    limit, new = name_value(data["limit"], language), show(data["new"])
    if not data["is_changed"]:
        return f"Лимит уже такой: {limit}, {new}." if language is RU else f"The limit is that already: {limit}, {new}."
    old = f"{show(data['old'])} → " if data.get("old") else ""
    return f"{data['title']}: {limit}, {old}{new}."


def tell_card(data: Data, language: Language) -> str:
    status = name_value(data["status"], language)
    if not data["is_changed"]:
        return f"{data['title']}: {status}, это уже так." if language is RU else f"{data['title']}: {status} already."
    return f"Готово. {data['title']}: {status}." if language is RU else f"Done. {data['title']}: {status}."


def tell_requisites(data: Data, language: Language) -> str:
    return f"{'Реквизиты счёта' if language is RU else 'Details of'} «{data['title']}»: {data['requisites']}"


def tell_statement(data: Data, language: Language) -> str:
    first, last = say_day(data["date_from"], language), say_day(data["date_to"], language)
    if language is RU:
        return f"Выписка по счёту «{data['title']}» с {first} по {last} готова, файл в приложении."
    return f"The statement of {data['title']} from {first} to {last} is ready; the file is in the app."


def tell_cancelled(_data: Data, language: Language) -> str:
    return "Отменено, деньги не списаны." if language is RU else "It is cancelled; no money has moved."


def list_rows(head: str, rows: Sequence[str]) -> str:
    if not rows:
        return f"{head.rstrip(':.')}."
    return "\n".join([head, *(f"{number}. {row}" for number, row in enumerate(rows[:_MAX_ROWS], 1))])


def show(view: Data) -> str:
    return str(view["text"])


# The first whose keys are all there; the more exact shapes come first.
WRITERS: tuple[tuple[tuple[str, ...], Write], ...] = (
    (("accounts",), tell_accounts),
    (("cards",), tell_cards),
    (("payees",), tell_payees),
    (("payments", "until"), tell_upcoming),
    (("groups", "days", "total"), tell_spending),
    (("lines", "total_count"), tell_lines),
    (("base", "quote", "buy", "sell"), tell_rate),
    (("booked", "available", "holds_count"), tell_balance),
    (("status", "amount", "fee", "to_title"), tell_payment),
    (("limit", "new", "title", "is_changed"), tell_limit),
    (("statement", "date_from", "date_to"), tell_statement),
    (("requisites", "title"), tell_requisites),
    (("card", "status", "title", "is_changed"), tell_card),
    (("confirm", "state"), tell_cancelled),
)

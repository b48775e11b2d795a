"""The server's own words for results: what the customer reads when the model's figures cannot be trusted. Pure.

Plain and short: every shape the bank's functions return has one small writer. A result of another shape is not told at
all: it is better to say nothing than to show a customer raw fields.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

import orjson
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.enums import CardLimit, CardStatus, Category
from accounts.errors import MoneyMalformed
from accounts.folding import clean_untrusted
from accounts.money import CURRENCIES, Money, format_money
from functions.errors import Code

MAX_LINES = 10
# Looked up on the way to something else: told only when it is all there is.
STEPS = frozenset({"accounts", "cards", "payees"})
# Beginnings of texts that say what went wrong; the model's own messages are Russian only.
FAILURES: Mapping[str, str] = MappingProxyType(
    {
        Code.INSUFFICIENT_FUNDS: gettext_noop("There is not enough money on the account."),
        Code.CAP_EXCEEDED: gettext_noop("This is more than the limit allows."),
        Code.ACCOUNT_UNAVAILABLE: gettext_noop("The account is closed or blocked."),
        Code.CARD_UNAVAILABLE: gettext_noop("The card cannot be used for this."),
        Code.PAYEE_NOT_FOUND: gettext_noop("The payee was not found."),
        Code.SUSPENDED: gettext_noop("The transfer is suspended for a check. No money has moved."),
        Code.DECLINED: gettext_noop("It was declined. No money has moved."),
        Code.EXPIRED: gettext_noop("The time for the confirmation is over. No money has moved."),
        Code.SUPERSEDED: gettext_noop("This does not wait for a confirmation any more."),
        Code.DUPLICATE: gettext_noop("This has been done already."),
        Code.STEP_UP_REQUIRED: gettext_noop("Please enter your password in the app first."),
        Code.AMBIGUOUS_REFERENCE: gettext_noop("Several things fit. Please say which one you mean."),
        Code.PAYEE_NEEDS_CHOICE: gettext_noop("Please say who the money is for."),
    }
)
FAILED = gettext_noop("This did not work. Please try again later.")


def render_results(results: Sequence[str], language: str) -> str:
    """Return what the results say, in plain text of a few lines; "" when there is nothing to tell.

    results   envelopes of this turn's calls, in order, JSON
    language  "ru" or "en"
    """
    with translation.override(language):
        parsed = [value for value in map(parse_envelope, results) if value]
        told = [value for index, value in enumerate(parsed) if index == len(parsed) - 1 or not is_step(value)]
        return "\n\n".join(filter(None, map(render_envelope, told)))


def parse_envelope(text: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def is_step(envelope: Mapping[str, Any]) -> bool:
    """Tell whether the result only served the next one, an error that the model got over included."""
    data = envelope.get("data")
    return not isinstance(data, dict) or not STEPS.isdisjoint(data)


def render_envelope(envelope: Mapping[str, Any]) -> str:
    data, error = envelope.get("data"), envelope.get("error")
    if isinstance(error, dict):
        return _(FAILURES.get(str(error.get("code")), FAILED))
    if not isinstance(data, dict):
        return ""
    for keys, write in WRITERS:
        if all(key in data for key in keys):
            try:
                return write(data)
            except (KeyError, TypeError, ValueError, MoneyMalformed):
                # Another version's shape: rather nothing than half of it.
                return ""
    return ""


def write_accounts(data: Mapping[str, Any]) -> str:
    return write_list(_("Your accounts:"), [f"{row['title']}: {show(row['available'])}" for row in data["accounts"]])


def write_balance(data: Mapping[str, Any]) -> str:
    lines = [
        _("Available: {amount}").format(amount=show(data["available"])),
        _("Booked: {amount}").format(amount=show(data["booked"])),
    ]
    if data["holds_count"]:
        lines.append(_("On hold: {amount}").format(amount=show(data["holds_sum"])))
    return write_list(f"{data['title']}:", lines)


def write_cards(data: Mapping[str, Any]) -> str:
    rows = [f"{row['title']}: {CardStatus(row['status']).label}" for row in data["cards"]]
    return write_list(_("Your cards:"), rows)


def write_spending(data: Mapping[str, Any]) -> str:
    days = _("Spent from {first} to {last}: {total}").format(**show_days(data["days"]), total=show(data["total"]))
    return write_list(days, [f"{name_group(row)}: {show(row['total'])}" for row in data["groups"]])


def name_group(row: Mapping[str, Any]) -> str:
    if row.get("merchant_untrusted"):
        return quote(row["merchant_untrusted"])
    group = str(row.get("group", ""))
    return str(Category(group).label) if group in Category.values else str(row.get("title") or group)


def write_lines(data: Mapping[str, Any]) -> str:
    rows = [
        f"{show_day(row['date'])}: {'+' if row['direction'] == 'in' else '−'}{show(row['amount'])}{name_line(row)}"
        for row in data["lines"]
    ]
    return write_list(_("Transactions found: {count}").format(count=data["total_count"]), rows)


def name_line(row: Mapping[str, Any]) -> str:
    name = row.get("merchant_untrusted") or row.get("counterparty_untrusted")
    return f", {quote(name)}" if name else ""


def write_upcoming(data: Mapping[str, Any]) -> str:
    rows = [
        f"{show_day(row['due_on'])}: {quote(row['title_untrusted'])}, {show(row['amount'])}" for row in data["payments"]
    ]
    return write_list(_("Payments until {day}:").format(day=show_day(data["until"])), rows)


def write_payees(data: Mapping[str, Any]) -> str:
    rows = [", ".join(filter(None, (row["name"], row.get("bank")))) for row in data["payees"]]
    return write_list(_("Payees found:"), rows)


def write_rate(data: Mapping[str, Any]) -> str:
    rate = _("{base}: the bank buys at {buy} and sells at {sell} {quote}.").format(
        base=data["base"], buy=data["buy"], sell=data["sell"], quote=data["quote"]
    )
    gives = _("For {given} you get {received}.")
    return f"{rate} {gives.format(given=show(data['given']), received=show(data['received']))}"


def write_payment(data: Mapping[str, Any]) -> str:
    if data["status"] == "executed":
        text = _("Done: {amount} to {name}, fee {fee}.")
    else:
        text = _("On its way: {amount} to {name}, fee {fee}. It is not done yet.")
    name = clean_untrusted(data["to_title"])
    return text.format(amount=show(data["amount"]), name=name, fee=show(data["fee"]))


def write_limit(data: Mapping[str, Any]) -> str:
    label = CardLimit(data["limit"]).label
    return _("{card}, limit “{limit}”: {amount}").format(card=data["title"], limit=label, amount=show(data["new"]))


def write_card(data: Mapping[str, Any]) -> str:
    return f"{data['title']}: {CardStatus(data['status']).label}"


def write_requisites(data: Mapping[str, Any]) -> str:
    return f"{data['title']}:\n{data['requisites']}"


def write_statement(data: Mapping[str, Any]) -> str:
    text = _("The statement of {account} from {first} to {last} is in the app.")
    return text.format(account=data["title"], **show_days(data))


def write_cancelled(_data: Mapping[str, Any]) -> str:
    return _("Cancelled. No money has moved.")


def write_list(head: str, rows: Sequence[str]) -> str:
    shown = [f"- {row}" for row in rows[:MAX_LINES]]
    rest = len(rows) - len(shown)
    more = [_("… and {count} more").format(count=rest)] if rest > 0 else []
    return "\n".join([head, *shown, *more])


def show(view: Mapping[str, Any]) -> str:
    """Return a money view in the language of the moment.

    Raises: KeyError, ValueError, MoneyMalformed
    """
    exponent = CURRENCIES[view["currency"]].exponent
    whole, _point, fraction = str(view["amount"]).partition(".")
    money = Money(int(whole + fraction.ljust(exponent, "0")), view["currency"])
    return format_money(money, language=(translation.get_language() or "ru")[:2])


def show_days(data: Mapping[str, Any]) -> dict[str, str]:
    return {"first": show_day(data["date_from"]), "last": show_day(data["date_to"])}


def show_day(text: str) -> str:
    return date_format(date.fromisoformat(text), "DATE_FORMAT")


def quote(text: str) -> str:
    """Return a stranger's words so that they can be told from ours."""
    return f"«{clean_untrusted(text)}»"


# The first whose keys are all there; the more exact shapes come first.
WRITERS: tuple[tuple[tuple[str, ...], Callable[[Mapping[str, Any]], str]], ...] = (
    (("accounts",), write_accounts),
    (("cards",), write_cards),
    (("payees",), write_payees),
    (("payments", "until"), write_upcoming),
    (("groups", "days", "total"), write_spending),
    (("lines", "total_count"), write_lines),
    (("base", "quote", "buy", "sell"), write_rate),
    (("booked", "available", "holds_count"), write_balance),
    (("status", "amount", "fee", "to_title"), write_payment),
    (("limit", "new", "title"), write_limit),
    (("statement", "date_from", "date_to"), write_statement),
    (("requisites", "title"), write_requisites),
    (("card", "status", "title"), write_card),
    (("confirm", "state"), write_cancelled),
)

"""Whole turns of the rule set with the bank's own functions: what it calls, in which order, and what it says then."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from chat.gigachat.sandbox.brain.reply import Reply, compose_reply
from chat.gigachat.sandbox.encoding import encode_json
from chat.gigachat.sandbox.schema import CompletionIn, parse_body
from functions.registry import list_functions
from functions.schemas import render_gigachat
from tests.functions import answers
from tests.functions.answers import money, succeed

INSTRUCTIONS = "Правила.\nСегодня 24.11.2026, вторник. Часовой пояс клиента: Europe/Moscow."
Step = tuple[str, dict[str, Any]] | str


def build_account(number: int, title: str, kind: str, *, currency: str = "RUB", text: str = "1,00 ₽") -> dict[str, Any]:
    view = money("1.00", text, currency)
    row = {"account": f"acc_{number}", "title": title, "kind": kind, "currency": currency}
    return {**row, "available": view, "booked": view, "status": "active"}


CURRENT = build_account(1, "Текущий ··4821", "current", text="51 980,20 ₽")
SAVINGS = build_account(2, "Накопительный ··0077", "savings", text="1 000,00 ₽")
YUAN = build_account(3, "Счёт в юанях ··9001", "current", currency="CNY", text="10,00 ¥")
ACCOUNTS = succeed(accounts=[CURRENT, SAVINGS, YUAN], total_count=3)
CARD = succeed(card="card_1", title="МИР ··1234", status="frozen", is_changed=True)
LIMIT = succeed(
    card="card_1",
    title="МИР ··1234",
    limit="purchases_day",
    old=money("9000.00", "9 000,00 ₽"),
    new=money("5000.00", "5 000,00 ₽"),
    valid_from="2026-11-24",
    is_changed=True,
)
STATEMENT = succeed(
    statement="file_1",
    account="acc_1",
    title="Текущий ··4821",
    date_from="2026-10-01",
    date_to="2026-10-31",
    format="pdf",
    ready_on="2026-11-24",
)
RESULTS: Mapping[str, str] = {
    "list_accounts": ACCOUNTS,
    "list_cards": answers.CARDS,
    "find_payee": answers.PAYEES,
    "list_upcoming_payments": answers.UPCOMING,
    "get_account_balance": answers.BALANCE,
    "get_spending_summary": answers.SPENDING,
    "search_transactions": answers.LINES,
    "get_more_results": answers.LINES,
    "get_exchange_rate": answers.RATE,
    "transfer_by_phone": answers.PAID,
    "transfer_between_own_accounts": answers.PAID,
    "pay_bill": answers.PROCESSING,
    "block_card": CARD,
    "unblock_card": CARD,
    "set_card_limit": LIMIT,
    "show_requisites": succeed(account="acc_1", title="Текущий ··4821", requisites="⟦acc_1.requisites⟧"),
    "request_statement": STATEMENT,
    "cancel_pending_action": succeed(confirm="confirm_1", state="cancelled"),
}


@cache
def list_bank_functions() -> list[dict[str, Any]]:
    return [render_gigachat(function) for function in list_functions()]


def ask_model(messages: Sequence[Mapping[str, Any]], **fields: Any) -> Reply:
    value = {"model": "m", "messages": messages, "functions": list_bank_functions(), "function_call": "auto", **fields}
    return compose_reply(parse_body(CompletionIn, encode_json(value)), can_see=False, files=[])


def build_exchange(name: str, arguments: Mapping[str, Any], result: str) -> list[dict[str, Any]]:
    return [
        {"role": "assistant", "content": "", "function_call": {"name": name, "arguments": arguments}},
        {"role": "function", "name": name, "content": result},
    ]


def converse(*texts: str, **results: str | list[str]) -> list[Step]:
    """Return every call and answer of a conversation; `results` replace those of the functions of their names."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": INSTRUCTIONS}]
    steps: list[Step] = []
    for text in texts:
        messages.append({"role": "user", "content": text})
        for _ in range(6):
            reply = ask_model(messages)
            if reply.call is None:
                steps.append("".join(reply.chunks))
                messages.append({"role": "assistant", "content": steps[-1]})
                break
            call = reply.call
            steps.append((call.name, call.arguments))
            result = results.get(call.name, RESULTS[call.name])
            told = (result.pop(0) if len(result) > 1 else result[0]) if isinstance(result, list) else result
            messages += build_exchange(call.name, json.loads(json.dumps(call.arguments)), told)
    return steps

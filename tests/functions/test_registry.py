from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings

from functions.arguments import Args
from functions.enums import FunctionClass
from functions.plans import Executed
from functions.registry import SCOPES, Registry, find_session_scopes, get_function, list_functions
from functions.results import Result
from tests.functions.probes import Probes

SHIPPED = {
    "list_accounts": (FunctionClass.READ, {"accounts"}),
    "get_account_balance": (FunctionClass.READ, {"accounts"}),
    "search_transactions": (FunctionClass.READ, {"transactions"}),
    "get_more_results": (FunctionClass.READ, {"transactions"}),
    "get_spending_summary": (FunctionClass.READ, {"transactions"}),
    "list_upcoming_payments": (FunctionClass.READ, {"transactions"}),
    "list_cards": (FunctionClass.READ, {"cards"}),
    "block_card": (FunctionClass.ACTION, {"cards:block"}),
    "unblock_card": (FunctionClass.ACTION, {"cards:manage"}),
    "set_card_limit": (FunctionClass.ACTION, {"cards:manage"}),
    "show_requisites": (FunctionClass.READ, {"accounts"}),
    "find_payee": (FunctionClass.READ, {"payees"}),
    "transfer_between_own_accounts": (FunctionClass.MONEY, {"transfers:own"}),
    "transfer_by_phone": (FunctionClass.MONEY, {"transfers:sbp"}),
    "pay_bill": (FunctionClass.MONEY, {"bills:pay"}),
    "get_exchange_rate": (FunctionClass.READ, {"public"}),
    "request_statement": (FunctionClass.ACTION, {"statements"}),
    "cancel_pending_action": (FunctionClass.ACTION, {"actions"}),
}


def test_the_eighteen_functions_are_found_with_class_and_scope() -> None:
    assert {one.name: (one.kind, set(one.scopes)) for one in list_functions()} == SHIPPED


def test_every_money_function_asks_the_customer() -> None:
    assert {one.name for one in list_functions() if one.is_money} == {
        "pay_bill",
        "transfer_between_own_accounts",
        "transfer_by_phone",
    }
    assert all(one.asks_customer and one.plan and one.executor for one in list_functions() if one.is_money)
    assert [one.name for one in list_functions() if one.is_immediate] == ["cancel_pending_action"]


def test_function_is_found_by_its_exact_name() -> None:
    found = get_function("list_accounts")
    assert found is not None
    assert found.name == "list_accounts"
    assert get_function("LIST_ACCOUNTS") is None
    assert get_function("") is None


def test_list_is_by_name_whatever_was_registered_first() -> None:
    names = [one.name for one in list_functions()]
    assert names == sorted(names)
    assert [one.name for one in list_functions({"cards", "public"})] == ["get_exchange_rate", "list_cards"]
    assert list_functions(()) == []


def test_session_has_every_scope_that_the_settings_leave(settings: Settings) -> None:
    assert find_session_scopes(uuid4()) == SCOPES
    assert find_session_scopes(None) == {"public"}
    settings.FUNCTION_SCOPES = ["accounts", "made-up"]
    assert find_session_scopes(uuid4()) == {"accounts"}
    assert find_session_scopes(None) == frozenset()


class Question(Args):
    word: str


class Answer(Result):
    word: str


def test_decorated_handler_is_called_as_before() -> None:
    registry = Registry()

    @registry.read("answer", version=1, scopes=["public"], label="", result_limit=100)
    def answer(_ctx: Any, a: Question) -> Answer:
        """Отвечает
        тем же словом.
        """
        return Answer(word=a.word)

    assert answer(None, Question(word="эхо")) == Answer(word="эхо")
    found = registry.get_function("answer")
    assert found is not None
    assert (found.description, found.args, found.result) == ("Отвечает тем же словом.", Question, Answer)
    assert (found.result_bytes, found.plan, found.executor) == (100, None, None)


def test_steps_of_a_change_are_kept_with_it() -> None:
    probes = Probes()
    pay = probes.registry.get_function("pay")
    assert pay is not None
    assert pay.executor is not None
    assert isinstance(pay.executor(None, pay.plan(risk=1) if pay.plan else None), Executed)
    asking = probes.registry.get_function("ask_outside")
    assert asking is not None
    assert asking.preparation is not None


@pytest.mark.parametrize("name", sorted(SCOPES))
def test_every_scope_is_somebodys(name: str) -> None:
    assert any(name in one.scopes for one in list_functions())

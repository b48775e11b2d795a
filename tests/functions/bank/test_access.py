"""Every function as owner, as stranger and as nobody, through dispatch itself."""

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.models import Account, AccountLine, Card, Operation, Payee, Rate, StatementRequest
from audit.models import AuditEntry
from functions.bank.cursors import sign_cursor
from functions.enums import CallStatus
from functions.errors import Code
from functions.evaluation import Evaluation
from functions.handles import HandleTable
from functions.models import Confirmation, FunctionCall, Handle
from functions.registry import REGISTRY
from tests.factories.accounts import make_customer
from tests.factories.ledger import make_account, make_bill, make_card, make_payee
from tests.functions.bank.acting import get_declared, open_ctx
from tests.functions.calling import Caller

pytestmark = pytest.mark.django_db
# What each function is asked, with the handles `give_handles` mints.
ASKED: Mapping[str, Mapping[str, Any]] = {
    "list_accounts": {},
    "get_account_balance": {"account_id": "acc_1"},
    "search_transactions": {"account": "acc_1"},
    "get_more_results": {"cursor": "CURSOR"},
    "get_spending_summary": {"group_by": "category", "account": "acc_1"},
    "list_upcoming_payments": {"days": 365},
    "list_cards": {},
    "block_card": {"card": "card_1", "reason": "lost"},
    "unblock_card": {"card": "card_2"},
    "set_card_limit": {"card": "card_1", "limit": "online", "amount": 100},
    "show_requisites": {"account": "acc_1"},
    "find_payee": {"query": "Иван"},
    "transfer_between_own_accounts": {"from_account": "acc_1", "to_account": "acc_2", "amount": 10},
    "transfer_by_phone": {"payee": "payee_1", "amount": 10, "from_account": "acc_1"},
    "pay_bill": {"bill": "bill_1", "from_account": "acc_1"},
    "get_exchange_rate": {"from": "USD", "to": "RUB"},
    "request_statement": {
        "account": "acc_1",
        "date_from": "2026-01-01",
        "date_to": "2026-01-31",
        "format": "pdf",
    },
    "cancel_pending_action": {},
}
# Asked without a handle: they answer whoever asks, about whoever asks.
LISTS = {"list_accounts", "list_cards", "list_upcoming_payments"}
PUBLIC = {"get_exchange_rate"}


class Owner(Caller):
    """A customer with one of everything and its handles in one conversation."""

    def __init__(self) -> None:
        super().__init__(customer=make_customer())
        now = self.now - timedelta(hours=1)
        first = make_account(self.customer, balance=1_000_000, now=now)
        cards = [make_card(first), make_card(first)]
        Card.objects.filter(pk=cards[1].pk).update(status="frozen")
        rows = [first, make_account(self.customer, now=now), *cards, make_payee(self.customer, now=now)]
        self.rows = [*rows, make_bill(self.customer, 50_000), AccountLine.objects.get(account=first)]
        self.give_handles(self.conversation_id)
        Rate.objects.create(base="USD", quote="RUB", buy=Decimal(80), sell=Decimal(85), valid_from=self.now)

    def give_handles(self, conversation_id: UUID) -> None:
        ctx = open_ctx(self.customer, conversation_id=conversation_id, now=self.now)
        for row in self.rows:
            ctx.handle_for(row)
        ctx.handles.save(self.now)


def build_cursor(owner: Owner) -> str:
    ctx = open_ctx(owner.customer, conversation_id=owner.conversation_id, now=owner.now)
    return sign_cursor(ctx, {"from": "2026-01-01", "to": "2026-12-31", "after": "tx_1"})


def ask_all(caller: Caller, cursor: str, **more: str) -> dict[str, Evaluation]:
    """Return what every function answers, each asked in a turn of its own."""
    found = {}
    for name, asked in ASKED.items():
        arguments = {key: cursor if value == "CURSOR" else value for key, value in asked.items()}
        found[name] = caller.evaluate(name, {**arguments, **more}, turn_id=uuid4())
    return found


def list_codes(found: Mapping[str, Evaluation]) -> dict[str, str]:
    return {name: evaluation.code.value for name, evaluation in found.items() if evaluation.code is not None}


def count_rows() -> tuple[int, ...]:
    models = (Operation, Payee, StatementRequest, Confirmation, AuditEntry, Handle)
    return (*(model.objects.count() for model in models), Card.objects.filter(status="active").count())


def read_data(evaluation: Evaluation) -> dict[str, Any]:
    assert evaluation.envelope is not None
    data: dict[str, Any] = json.loads(evaluation.envelope.text)["data"]
    return data


@pytest.fixture
def owner() -> Owner:
    return Owner()


def test_every_function_is_asked_here() -> None:
    of_the_bank = [name for name in ASKED if REGISTRY.get_function(name) is not None]
    assert of_the_bank == list(ASKED)
    assert [function.name for function in REGISTRY.list_functions() if function.name not in ASKED] == []


def test_owner_is_answered_or_asked_and_evaluating_writes_nothing(owner: Owner) -> None:
    before = count_rows()
    found = ask_all(owner, build_cursor(owner))
    # Nothing waits, so there is nothing to withdraw; that is found out when the call is recorded.
    assert (list_codes(found), count_rows()) == ({}, before)
    planned = {name for name, evaluation in found.items() if evaluation.status == CallStatus.WAITING}
    assert planned == {
        "block_card",
        "unblock_card",
        "set_card_limit",
        "transfer_between_own_accounts",
        "transfer_by_phone",
        "pay_bill",
        "request_statement",
    }
    for name, evaluation in found.items():
        if evaluation.envelope is not None:
            assert evaluation.envelope.size_bytes <= get_declared(name).result_bytes


def test_stranger_in_the_owners_conversation_learns_nothing(owner: Owner) -> None:
    stranger = Caller()
    stranger.conversation_id = owner.conversation_id
    assert_learns_nothing(stranger, build_cursor(owner))


def test_stranger_with_forged_handles_learns_nothing(owner: Owner) -> None:
    stranger = Caller()
    for handle in HandleTable.load(owner.conversation_id, owner.customer.pk):
        handle.pk, handle.conversation_id, handle.customer = None, stranger.conversation_id, stranger.customer
        handle.save(force_insert=True)
    assert_learns_nothing(stranger, build_cursor(owner))


def assert_learns_nothing(stranger: Caller, cursor: str) -> None:
    before = count_rows()
    found = ask_all(stranger, cursor)
    counts = {name: read_data(found[name])["total_count"] for name in sorted(LISTS)}
    assert counts == {"list_accounts": 0, "list_cards": 0, "list_upcoming_payments": 0}
    # There is nothing of others in what everybody may know.
    refused = {name: "unknown_reference" for name in ASKED if name not in LISTS | PUBLIC | {"cancel_pending_action"}}
    assert list_codes(found) == {**refused, "find_payee": "payee_not_found"}
    assert count_rows() == before


def test_unknown_and_foreign_handles_get_the_same_answer(owner: Owner) -> None:
    stranger = Caller()
    foreign = stranger.evaluate("get_account_balance", {"account_id": "acc_1"}, conversation_id=owner.conversation_id)
    unknown = stranger.evaluate("get_account_balance", {"account_id": "acc_1"})
    assert foreign.envelope is not None
    assert unknown.envelope is not None
    assert foreign.envelope.text == unknown.envelope.text


def test_nobody_is_told_only_what_is_public(owner: Owner) -> None:
    cursor = build_cursor(owner)
    owner.session = None
    codes = list_codes(ask_all(owner, cursor))
    assert codes == {name: "not_allowed" for name in ASKED if name not in PUBLIC}


def test_whose_data_is_never_an_argument(owner: Owner) -> None:
    for name in ("customer_id", "user_id", "owner", "session_id", "phone"):
        found = ask_all(owner, build_cursor(owner), **{name: str(uuid4())})
        assert list_codes(found) == dict.fromkeys(ASKED, "invalid_arguments")


def test_results_hold_no_whole_number_and_no_surname(owner: Owner) -> None:
    numbers = [row.number for row in owner.rows if isinstance(row, Account)]
    for name, evaluation in ask_all(owner, build_cursor(owner)).items():
        told = evaluation.envelope.text if evaluation.envelope else ""
        for secret in (*numbers, owner.customer.last_name, owner.customer.phone, "+70000000201"):
            assert secret is not None
            assert secret not in told, name


def test_withdrawing_with_nothing_to_withdraw_is_refused_when_recorded(owner: Owner) -> None:
    result = owner.call("cancel_pending_action")
    assert result.result is not None
    assert json.loads(result.result)["error"]["code"] == Code.UNKNOWN_REFERENCE
    assert FunctionCall.objects.get().code == Code.UNKNOWN_REFERENCE

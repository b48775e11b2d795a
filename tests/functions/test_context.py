from datetime import UTC, date, datetime

import pytest

from accounts.models import Account, AccountLine, Bill, Card, Payee, ScheduledPayment, Subscription
from functions.context import Ctx
from functions.enums import HandleKind
from functions.errors import CallRefused, Code
from tests.factories.accounts import make_customer
from tests.factories.ledger import make_account, make_bill, make_card, make_payee
from tests.functions.bank.acting import open_ctx, type_phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def ctx() -> Ctx:
    return open_ctx(make_customer())


def test_querysets_hold_the_customers_rows_alone(ctx: Ctx) -> None:
    for customer in (ctx.customer, make_customer()):
        account = make_account(customer, balance=100)
        make_card(account)
        make_payee(customer)
        make_bill(customer)
    counts = {
        rows.model: rows.count()
        for rows in (ctx.accounts, ctx.cards, ctx.payees, ctx.lines, ctx.bills, ctx.schedules, ctx.subscriptions)
    }
    assert counts == {
        Account: 1,
        Card: 1,
        Payee: 1,
        AccountLine: 1,
        Bill: 1,
        ScheduledPayment: 0,
        Subscription: 0,
    }


def test_card_without_a_handle_is_the_only_one_or_a_choice(ctx: Ctx) -> None:
    with pytest.raises(CallRefused) as none:
        ctx.resolve_card(None)
    assert none.value.code == Code.UNKNOWN_REFERENCE
    account = make_account(ctx.customer)
    first = make_card(account)
    assert ctx.resolve_card(" ") == first
    second = make_card(account)
    with pytest.raises(CallRefused) as several:
        ctx.resolve_card(None)
    assert several.value.details == {
        "choices": [
            {"card": "card_1", "title": f"МИР ··{first.last4}"},
            {"card": "card_2", "title": f"МИР ··{second.last4}"},
        ]
    }


def test_a_handle_of_another_kind_is_unknown(ctx: Ctx) -> None:
    account = make_account(ctx.customer)
    # A card's handle that stands for an account's id: the kind decides.
    ctx.handles.mint(HandleKind.CARD, str(account.public_id))
    for resolve in (ctx.resolve_account, ctx.resolve_card, ctx.resolve_payee, ctx.resolve_bill, ctx.resolve_line):
        with pytest.raises(CallRefused) as refused:
            resolve("card_1")
        assert (refused.value.code, refused.value.details) == (Code.UNKNOWN_REFERENCE, {})


def test_phones_are_opened_by_their_handle_alone(ctx: Ctx) -> None:
    handle = type_phone(ctx, "+70000000300")
    assert (ctx.resolve_phone(handle), ctx.is_phone(handle)) == ("+70000000300", True)
    assert (ctx.is_phone("phone_2"), ctx.is_phone("+70000000300")) == (False, False)
    with pytest.raises(CallRefused):
        ctx.resolve_phone("+70000000300")
    name = ctx.handles.mint_value(HandleKind.NAME, "Петров")
    assert ctx.restore(f"Иван ⟦{name}⟧ {handle} phone_7 acc_1") == "Иван Петров +70000000300 phone_7 acc_1"


def test_today_is_the_customers(ctx: Ctx) -> None:
    ctx.now = datetime(2026, 10, 31, 21, 30, tzinfo=UTC)
    assert (ctx.zone, ctx.today) == ("Europe/Moscow", date(2026, 11, 1))

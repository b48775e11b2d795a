from datetime import date
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.enums import CardLimit, CardStatus
from accounts.models import Card
from accounts.money import Money
from accounts.services.card_payments import authorise_card_purchase
from accounts.services.cards import set_card_limit
from audit.models import AuditEntry
from functions.context import Ctx
from functions.enums import Risk
from functions.errors import Code
from tests.factories.accounts import make_customer
from tests.factories.ledger import NOW, build_context, build_purchase, get_holder_id, make_account, make_card
from tests.functions.bank.acting import call, execute, open_ctx, refuse

pytestmark = pytest.mark.django_db


@pytest.fixture
def card() -> Card:
    return make_card(make_account(balance=1_000_000))


@pytest.fixture
def ctx(card: Card) -> Ctx:
    assert card.account.customer is not None
    found = open_ctx(card.account.customer)
    assert found.handle_for(card) == "card_1"
    return found


def limit_card(card: Card, limit: CardLimit, minor: int) -> None:
    set_card_limit(
        build_context(),
        customer_id=get_holder_id(card.account),
        card_id=card.public_id,
        limit=limit,
        amount=Money(minor),
    )
    card.refresh_from_db()


def list_card_actions(card: Card) -> list[str]:
    entries = AuditEntry.objects.filter(subject_id=str(card.public_id)).order_by("pk")
    return list(entries.values_list("action", flat=True))


def test_cards_are_masked_with_limits_and_what_is_left(card: Card, ctx: Ctx) -> None:
    limit_card(card, CardLimit.PURCHASES_DAY, 50_000)
    limit_card(card, CardLimit.ONLINE, 10_000)
    authorise_card_purchase(build_context(), order=build_purchase(card, 20_000), now=NOW)
    make_card(make_account())

    found = call(ctx, "list_cards")

    (one,) = found.cards
    assert (one.card, one.title, one.system, one.status, one.expires) == (
        "card_1",
        f"МИР ··{card.last4}",
        "mir",
        "active",
        "12/2029",
    )
    assert (one.account, one.account_title) == ("acc_1", f"Текущий ··{card.account.last4}")
    limits = [
        (limit.limit, limit.amount.amount, limit.used and limit.used.amount, limit.left and limit.left.amount)
        for limit in one.limits
    ]
    assert limits == [("purchases_day", "500.00", "200.00", "300.00"), ("online", "100.00", None, None)]
    told = found.model_dump_json()
    assert card.token not in told
    assert card.bin not in told


@pytest.mark.parametrize("count", [1, 3])
def test_cards_ask_twice_for_any_number(count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    customer = make_customer()
    account = make_account(customer)
    for _ in range(count):
        limit_card(make_card(account), CardLimit.CASH_DAY, 100)
    ctx = open_ctx(customer)
    with django_assert_num_queries(2):
        assert call(ctx, "list_cards").total_count == count


def test_an_old_card_is_expired(card: Card, ctx: Ctx) -> None:
    Card.objects.filter(pk=card.pk).update(expires_on=date(2026, 10, 31))
    assert call(ctx, "list_cards").cards[0].status == CardStatus.EXPIRED


@pytest.mark.parametrize(
    ("reason", "status", "warnings"),
    [
        ("lost", "lost", ("card_lost",)),
        ("stolen", "lost", ("card_lost",)),
        ("suspicious", "blocked_by_bank", ("card_lost",)),
        ("temporary", "frozen", ()),
    ],
)
def test_block_is_planned_and_then_done(
    reason: str, status: str, warnings: tuple[str, ...], card: Card, ctx: Ctx
) -> None:
    plan = call(ctx, "block_card", card="card_1", reason=reason)
    assert (plan.risk, plan.warnings) == (Risk.NONE, warnings)
    assert plan.build_terms() == {
        "card": str(card.public_id),
        "card_name": f"МИР ··{card.last4}",
        "reason": reason,
    }
    card.refresh_from_db()
    assert card.status == CardStatus.ACTIVE

    done = execute(ctx, "block_card", plan)

    card.refresh_from_db()
    assert (card.status, done.data.model_dump()["status"], done.terms) == (status, status, plan.build_terms())
    assert (done.data.model_dump()["is_changed"], done.operation) == (True, None)
    assert list_card_actions(card) == ["card.issued", "card.blocked"]


def test_block_of_a_blocked_card_asks_nobody(card: Card, ctx: Ctx) -> None:
    Card.objects.filter(pk=card.pk).update(status=CardStatus.LOST)
    outcome = call(ctx, "block_card", card="card_1", reason="temporary")
    assert outcome.model_dump() == {
        "card": "card_1",
        "title": f"МИР ··{card.last4}",
        "status": CardStatus.LOST,
        "is_changed": False,
    }
    assert list_card_actions(card) == ["card.issued"]


def test_block_overtaken_by_another_one_changes_nothing(card: Card, ctx: Ctx) -> None:
    plan = call(ctx, "block_card", card="card_1", reason="temporary")
    Card.objects.filter(pk=card.pk).update(status=CardStatus.LOST)
    done = execute(ctx, "block_card", plan)
    assert done.data.model_dump()["is_changed"] is False


def test_unblock_needs_all_care(card: Card, ctx: Ctx) -> None:
    Card.objects.filter(pk=card.pk).update(status=CardStatus.FROZEN)
    plan = call(ctx, "unblock_card", card="card_1")
    assert (plan.risk, plan.warnings) == (Risk.HIGH, ("card_opened",))
    done = execute(ctx, "unblock_card", plan)
    card.refresh_from_db()
    assert (card.status, done.receipt["state"]) == (CardStatus.ACTIVE, "active")
    assert list_card_actions(card)[-1] == "card.unblocked"
    assert call(ctx, "unblock_card", card="card_1").is_changed is False


@pytest.mark.parametrize("status", [CardStatus.LOST, CardStatus.BLOCKED_BY_BANK, CardStatus.EXPIRED])
def test_unblock_of_what_the_customer_may_not_lift_is_refused(status: CardStatus, card: Card, ctx: Ctx) -> None:
    Card.objects.filter(pk=card.pk).update(status=status)
    assert refuse(ctx, "unblock_card", card="card_1").code == Code.CARD_UNAVAILABLE


@pytest.mark.parametrize(("old", "risk", "warnings"), [(None, 0, ()), (60_000, 0, ()), (40_000, 3, ("limit_raised",))])
def test_limit_is_set_and_a_higher_one_needs_all_care(
    old: int | None, risk: int, warnings: tuple[str, ...], card: Card, ctx: Ctx
) -> None:
    if old is not None:
        limit_card(card, CardLimit.CASH_DAY, old)
    plan = call(ctx, "set_card_limit", card="card_1", limit="cash_day", amount="500")
    assert (plan.risk, plan.warnings) == (risk, warnings)
    assert plan.build_terms() == {
        "card": str(card.public_id),
        "card_name": f"МИР ··{card.last4}",
        "limit": "cash_day",
        "amt": "50000",
        "ccy": "RUB",
        **({} if old is None else {"old": str(old)}),
    }

    done = execute(ctx, "set_card_limit", plan)

    card.refresh_from_db()
    assert (card.cash_day_minor, done.terms) == (50_000, plan.build_terms())
    assert done.data.model_dump()["valid_from"] == "2026-11-01"
    assert list_card_actions(card)[-1] == "card.limit_changed"


def test_limit_that_is_so_already_asks_nobody(card: Card, ctx: Ctx) -> None:
    limit_card(card, CardLimit.ONLINE, 50_000)
    assert call(ctx, "set_card_limit", card="card_1", limit="online", amount=500).is_changed is False


def test_limit_changed_meanwhile_is_other_terms(card: Card, ctx: Ctx) -> None:
    limit_card(card, CardLimit.CASH_DAY, 60_000)
    plan = call(ctx, "set_card_limit", card="card_1", limit="cash_day", amount=500)
    limit_card(card, CardLimit.CASH_DAY, 40_000)
    done = execute(ctx, "set_card_limit", plan)
    assert done.plan is not None
    assert (done.terms["old"], done.plan.risk, done.plan.warnings) == ("40000", Risk.HIGH, ("limit_raised",))
    assert done.terms == done.plan.build_terms()


def test_limit_of_a_dead_or_foreign_currency_card_is_refused(card: Card, ctx: Ctx) -> None:
    dollars = make_card(make_account(card.account.customer, currency="USD"))
    handle = ctx.handle_for(dollars)
    arguments = {"limit": "online", "amount": 500}
    assert refuse(ctx, "set_card_limit", card=handle, **arguments).code == Code.CURRENCY_MISMATCH
    Card.objects.filter(pk=card.pk).update(status=CardStatus.LOST)
    assert refuse(ctx, "set_card_limit", card="card_1", **arguments).code == Code.CARD_UNAVAILABLE


@pytest.mark.parametrize("name", ["block_card", "unblock_card", "set_card_limit"])
def test_cards_of_others_are_unknown(name: str, ctx: Ctx) -> None:
    asked: dict[str, dict[str, Any]] = {
        "block_card": {"reason": "lost"},
        "unblock_card": {},
        "set_card_limit": {"limit": "online", "amount": 1},
    }
    arguments = asked[name]
    theirs = make_card(make_account())
    assert refuse(ctx, name, card="card_9", **arguments).code == Code.UNKNOWN_REFERENCE
    assert refuse(ctx, name, card=ctx.handle_for(theirs), **arguments).code == Code.UNKNOWN_REFERENCE

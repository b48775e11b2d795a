from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError

from accounts.enums import BlockReason, CardLimit, CardStatus
from accounts.errors import CapExceeded, CardUnavailable, NotFound, RequisitesMalformed
from accounts.models import Card
from accounts.money import Money
from accounts.services.cards import block_card, get_card_limit, issue_card, set_card_limit, unblock_card
from audit.models import AuditEntry
from tests.factories.accounts import make_customer
from tests.factories.ledger import NOW, build_context, get_holder_id, make_account, make_card

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 1)
NUMBER = "2200000000000004"


def list_actions(card: Card) -> list[str]:
    entries = AuditEntry.objects.filter(subject_id=str(card.public_id)).order_by("recorded_at", "pk")
    return [entry.action for entry in entries]


def test_issued_card_keeps_no_full_number() -> None:
    card = issue_card(build_context(), account=make_account(), number=NUMBER, expires_on=date(2029, 12, 31), now=NOW)
    card.refresh_from_db()
    values = [str(getattr(card, field.name)) for field in Card._meta.concrete_fields if field.name != "account"]
    assert (card.bin, card.last4, len(card.token)) == ("220000", "0004", 32)
    assert not any(NUMBER[6:12] in value for value in values)
    assert list_actions(card) == ["card.issued"]
    with pytest.raises(IntegrityError):
        issue_card(build_context(), account=card.account, number=NUMBER, expires_on=TODAY, now=NOW)


@pytest.mark.parametrize("number", ["2200000000000005", "4111111111111111", "220000000000004", "22050000"])
def test_issue_card_needs_a_mir_number_with_luhn(number: str) -> None:
    with pytest.raises(RequisitesMalformed):
        issue_card(build_context(), account=make_account(), number=number, expires_on=TODAY, now=NOW)


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (BlockReason.LOST, "lost"),
        (BlockReason.STOLEN, "lost"),
        (BlockReason.SUSPICIOUS, "blocked_by_bank"),
        (BlockReason.TEMPORARY, "frozen"),
    ],
)
def test_block_card_once(reason: BlockReason, status: str) -> None:
    card = make_card(make_account())
    holder = get_holder_id(card.account)
    for _ in range(2):
        blocked = block_card(build_context(), customer_id=holder, card_id=card.public_id, reason=reason)
        assert blocked.status == status
    assert list_actions(card) == ["card.issued", "card.blocked"]


def test_block_card_never_makes_it_less_blocked() -> None:
    card = make_card(make_account())
    holder = get_holder_id(card.account)
    for reason in (BlockReason.LOST, BlockReason.TEMPORARY):
        card = block_card(build_context(), customer_id=holder, card_id=card.public_id, reason=reason)
    assert card.status == CardStatus.LOST


def test_unblock_card_lifts_the_customers_own_block_only() -> None:
    card = make_card(make_account())
    holder = get_holder_id(card.account)
    block_card(build_context(), customer_id=holder, card_id=card.public_id, reason=BlockReason.TEMPORARY)
    for _ in range(2):
        found = unblock_card(build_context(), customer_id=holder, card_id=card.public_id, today=TODAY)
        assert found.status == "active"
    assert list_actions(card)[-1] == "card.unblocked"
    with pytest.raises(CardUnavailable):
        unblock_card(
            build_context(), customer_id=holder, card_id=card.public_id, today=card.expires_on + timedelta(days=1)
        )
    block_card(build_context(), customer_id=holder, card_id=card.public_id, reason=BlockReason.STOLEN)
    with pytest.raises(CardUnavailable):
        unblock_card(build_context(), customer_id=holder, card_id=card.public_id, today=TODAY)


@pytest.mark.parametrize("limit", list(CardLimit))
def test_set_card_limit_and_lift_it(limit: CardLimit) -> None:
    card = make_card(make_account())
    holder = get_holder_id(card.account)
    assert get_card_limit(card, limit) is None
    card = set_card_limit(build_context(), customer_id=holder, card_id=card.public_id, limit=limit, amount=Money(5_000))
    assert get_card_limit(card, limit) == Money(5_000)
    card = set_card_limit(build_context(), customer_id=holder, card_id=card.public_id, limit=limit, amount=None)
    assert get_card_limit(card, limit) is None
    assert list_actions(card) == ["card.issued", "card.limit_changed", "card.limit_changed"]


@pytest.mark.parametrize("amount", [Money(-1), Money(10**14 + 1), Money(5, "USD")])
def test_impossible_card_limit_is_refused(amount: Money) -> None:
    card = make_card(make_account())
    with pytest.raises(CapExceeded):
        set_card_limit(
            build_context(),
            customer_id=get_holder_id(card.account),
            card_id=card.public_id,
            limit=CardLimit.ONLINE,
            amount=amount,
        )


def test_limit_of_a_lost_card_is_refused() -> None:
    card = make_card(make_account())
    Card.objects.filter(pk=card.pk).update(status="lost")
    with pytest.raises(CardUnavailable):
        set_card_limit(
            build_context(),
            customer_id=get_holder_id(card.account),
            card_id=card.public_id,
            limit=CardLimit.ONLINE,
            amount=None,
        )


def test_cards_of_strangers_are_not_found() -> None:
    card = make_card(make_account())
    for customer, card_id in ((make_customer().pk, card.public_id), (get_holder_id(card.account), uuid4())):
        with pytest.raises(NotFound):
            block_card(build_context(), customer_id=customer, card_id=card_id, reason=BlockReason.LOST)

from datetime import date, datetime, timedelta

import pytest

from accounts.enums import Frequency
from accounts.models import Card, Subscription
from accounts.money import Money
from accounts.orders import CardPurchaseOrder
from accounts.services.card_payments import authorise_card_purchase, clear_card_purchase
from accounts.services.subscriptions import Charge, Regularity, derive_subscriptions, recognise_charges
from tests.factories.ledger import NOW, build_context, get_holder_id, make_account, make_card

TODAY = date(2026, 11, 1)


def build_charges(*charges: tuple[str, int]) -> list[Charge]:
    return [Charge(number, date.fromisoformat(day), minor) for number, (day, minor) in enumerate(charges)]


@pytest.mark.parametrize(
    ("charges", "expected"),
    [
        (
            build_charges(("2026-01-31", 299), ("2026-02-28", 299), ("2026-03-31", 399), ("2026-05-01", 399)),
            Regularity(frequency=Frequency.MONTHLY, minor=399, previous_minor=299, increased_on=date(2026, 3, 31)),
        ),
        (
            build_charges(("2026-01-05", 100), ("2026-01-12", 100), ("2026-01-19", 90)),
            Regularity(frequency=Frequency.WEEKLY, minor=90, previous_minor=None, increased_on=None),
        ),
        (
            build_charges(("2024-02-29", 5), ("2025-02-28", 5), ("2026-03-01", 5)),
            Regularity(frequency=Frequency.YEARLY, minor=5, previous_minor=None, increased_on=None),
        ),
        (build_charges(("2026-01-05", 100), ("2026-02-05", 100)), None),
        (build_charges(("2026-01-05", 100), ("2026-02-05", 100), ("2026-02-20", 100)), None),
        (build_charges(("2026-01-05", 1), ("2026-02-05", 2), ("2026-03-05", 3), ("2026-04-05", 4)), None),
        (build_charges(("2026-01-05", 1), ("2026-01-05", 1), ("2026-01-05", 1)), None),
    ],
)
def test_recognise_charges(charges: list[Charge], expected: Regularity | None) -> None:
    assert recognise_charges(charges) == expected


def charge(card: Card, merchant: str, minor: int, now: datetime) -> None:
    order = CardPurchaseOrder(
        customer_id=get_holder_id(card.account),
        idempotency_key=f"{merchant}-{now}",
        card=card.public_id,
        amount=Money(minor),
        merchant=merchant,
        mcc="5815",
    )
    operation = authorise_card_purchase(build_context(), order=order, now=now)
    clear_card_purchase(build_context(), operation=operation, amount=Money(minor), now=now)


@pytest.mark.django_db
def test_subscriptions_are_derived_with_their_evidence_and_disappear_when_stopped() -> None:
    start = NOW - timedelta(days=400)
    card = make_card(make_account(balance=1_000_000, now=start))
    holder = get_holder_id(card.account)
    days = [35 * back for back in (3, 2, 1)]
    charge(card, "SHOP", 500, NOW - timedelta(days=200))
    for back in (93, 62, 31):
        charge(card, "KINO", 399 if back == 31 else 299, NOW - timedelta(days=back))
    assert days[0] > 93

    for _ in range(2):
        (found,) = derive_subscriptions(customer_id=holder, today=TODAY)
    assert (found.merchant, found.amount_minor, found.previous_minor, found.frequency) == (
        "KINO",
        399,
        299,
        "monthly",
    )
    assert (found.last_charged_on, found.next_on, found.increased_on) == (
        date(2026, 10, 1),
        date(2026, 11, 1),
        date(2026, 10, 1),
    )
    assert sorted(found.evidence.values_list("amount_minor", flat=True)) == [299, 299, 399]

    assert derive_subscriptions(customer_id=holder, today=TODAY + timedelta(days=60)) == []
    assert not Subscription.objects.exists()

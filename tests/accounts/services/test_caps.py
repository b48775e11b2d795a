from datetime import date, timedelta

import pytest

from accounts.enums import CardLimit
from accounts.models import CapUsage
from accounts.services.caps import build_card_code, list_used_caps
from accounts.services.card_payments import authorise_card_purchase
from tests.factories.ledger import NOW, build_context, build_purchase, get_holder_id, make_account, make_card

pytestmark = pytest.mark.django_db


def test_used_caps_are_those_of_the_day_and_of_its_month() -> None:
    card = make_card(make_account(balance=1_000_000))
    holder = get_holder_id(card.account)
    authorise_card_purchase(build_context(), order=build_purchase(card, 20_000), now=NOW)
    day, month = build_card_code(CardLimit.PURCHASES_DAY, card), build_card_code(CardLimit.PURCHASES_MONTH, card)
    first = NOW.date()
    assert list_used_caps(holder, first) == {day: 20_000, month: 20_000}
    # The next day has a new day's cap, though the month's begins on the same date as yesterday's.
    assert list_used_caps(holder, first + timedelta(days=1)) == {month: 20_000}
    assert list_used_caps(holder, date(2026, 12, 1)) == {}
    assert CapUsage.objects.count() == 2

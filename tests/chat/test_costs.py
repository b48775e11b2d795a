"""Cost of a day: dated prices, whole kopecks, rounded once."""

from datetime import date

import pytest

from chat.costs import ModelTotal, compute_cost, list_model_totals
from chat.models import ModelPrice, UsageDay
from tests.factories.accounts import make_customer

DAY = date(2026, 11, 24)


def make_price(model: str, valid_from: date, prompt: int) -> ModelPrice:
    return ModelPrice.objects.create(
        model=model, valid_from=valid_from, prompt_kopecks=prompt, completion_kopecks=prompt, cached_kopecks=0
    )


@pytest.mark.django_db
def test_list_model_totals_uses_the_price_of_that_day() -> None:
    for valid_from, prompt in ((date(2026, 1, 1), 10), (DAY, 1_000_000), (date(2026, 12, 1), 5)):
        make_price("a", valid_from, prompt)
    for model in ("a", "b"):
        for _ in range(2):
            UsageDay.objects.create(
                day=DAY,
                model=model,
                customer=make_customer(),
                runs=1,
                prompt_tokens=4,
                completion_tokens=1,
                cached_tokens=3,
            )

    assert list_model_totals(DAY, DAY) == [
        ModelTotal(DAY, "a", 2, 8, 2, 6, cost_kopecks=10),
        ModelTotal(DAY, "b", 2, 8, 2, 6, cost_kopecks=None),
    ]


@pytest.mark.django_db
def test_list_model_totals_of_several_days_prices_each_day_by_itself() -> None:
    make_price("a", date(2026, 1, 1), 1_000_000)
    make_price("a", DAY, 2_000_000)
    for day in (date(2026, 11, 22), date(2026, 11, 23), DAY):
        UsageDay.objects.create(day=day, model="a", customer=make_customer(), runs=1, prompt_tokens=3)

    totals = list_model_totals(date(2026, 11, 23), DAY)

    assert [(total.day, total.cost_kopecks) for total in totals] == [(DAY, 6), (date(2026, 11, 23), 3)]


@pytest.mark.parametrize(("tokens", "kopecks"), [(499_999, 0), (500_000, 1), (1_499_999, 1), (1_500_000, 2)])
def test_compute_cost_rounds_half_up_once(tokens: int, kopecks: int) -> None:
    price = ModelPrice(prompt_kopecks=1, completion_kopecks=0, cached_kopecks=0)

    assert compute_cost(price, tokens, 10**9, 10**9) == kopecks

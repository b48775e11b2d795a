"""What a day of answers came to: tokens and kopecks per model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Sum

from chat.models import ModelPrice, UsageDay

TOKENS_PER_PRICE = 1_000_000


@dataclass(frozen=True, slots=True)
class ModelTotal:
    """One model's day, of all customers; `cost_kopecks` is None without a price of that day."""

    day: date
    model: str
    runs: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost_kopecks: int | None


def list_model_totals(first: date, last: date) -> list[ModelTotal]:
    """Return the totals of the days `first` to `last`, newest first, by model name; two queries."""
    prices = list(ModelPrice.objects.filter(valid_from__lte=last).order_by("-valid_from"))
    sums = UsageDay.objects.filter(day__range=(first, last)).order_by("-day", "model").values("day", "model")
    rows = sums.annotate(
        answers=Sum("runs"),
        prompt=Sum("prompt_tokens"),
        completion=Sum("completion_tokens"),
        cached=Sum("cached_tokens"),
    )
    return [
        ModelTotal(
            day=row["day"],
            model=row["model"],
            runs=row["answers"],
            prompt_tokens=row["prompt"],
            completion_tokens=row["completion"],
            cached_tokens=row["cached"],
            cost_kopecks=compute_cost(
                find_price(prices, row["model"], row["day"]), row["prompt"], row["completion"], row["cached"]
            ),
        )
        for row in rows
    ]


def find_price(prices: Sequence[ModelPrice], model: str, day: date) -> ModelPrice | None:
    """Return the model's price of that day.

    prices  newest first
    """
    return next((price for price in prices if price.model == model and price.valid_from <= day), None)


def compute_cost(price: ModelPrice | None, prompt: int, completion: int, cached: int) -> int | None:
    """Return kopecks, rounded half up once; each raw count has a price of its own, nothing is derived from totals."""
    if price is None:
        return None
    millionths = prompt * price.prompt_kopecks + completion * price.completion_kopecks + cached * price.cached_kopecks
    return (2 * millionths + TOKENS_PER_PRICE) // (2 * TOKENS_PER_PRICE)

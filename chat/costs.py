"""What a day of answers came to: tokens and kopecks per model."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Sum

from chat.models import ModelPrice, UsageDay

TOKENS_PER_PRICE = 1_000_000


@dataclass(frozen=True, slots=True)
class ModelTotal:
    """One model's day, of all customers; `cost_kopecks` is None without a price of that day."""

    model: str
    runs: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost_kopecks: int | None


def list_model_totals(day: date) -> list[ModelTotal]:
    """Return the totals of a day, by model name; two queries."""
    prices = {price.model: price for price in ModelPrice.objects.filter(valid_from__lte=day).order_by("valid_from")}
    sums = UsageDay.objects.filter(day=day).order_by("model").values("model")
    rows = sums.annotate(
        answers=Sum("runs"),
        prompt=Sum("prompt_tokens"),
        completion=Sum("completion_tokens"),
        cached=Sum("cached_tokens"),
    )
    return [
        ModelTotal(
            model=row["model"],
            runs=row["answers"],
            prompt_tokens=row["prompt"],
            completion_tokens=row["completion"],
            cached_tokens=row["cached"],
            cost_kopecks=compute_cost(prices.get(row["model"]), row["prompt"], row["completion"], row["cached"]),
        )
        for row in rows
    ]


def compute_cost(price: ModelPrice | None, prompt: int, completion: int, cached: int) -> int | None:
    """Return kopecks, rounded half up once; each raw count has a price of its own, nothing is derived from totals."""
    if price is None:
        return None
    millionths = prompt * price.prompt_kopecks + completion * price.completion_kopecks + cached * price.cached_kopecks
    return (2 * millionths + TOKENS_PER_PRICE) // (2 * TOKENS_PER_PRICE)

"""Counting tokens, and saying no when a budget is used up."""

from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Sum

from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry
from chat.errors import BudgetUsedUp
from chat.models import UsageDay

BANK_TOKENS_SECONDS = 30

COUNT_USAGE_SQL = """
INSERT INTO chat_usageday (day, model, customer_id, runs, prompt_tokens, completion_tokens, cached_tokens)
VALUES (%s, %s, %s, 1, %s, %s, %s)
ON CONFLICT (customer_id, day, model) DO UPDATE SET
    runs = chat_usageday.runs + 1,
    prompt_tokens = chat_usageday.prompt_tokens + excluded.prompt_tokens,
    completion_tokens = chat_usageday.completion_tokens + excluded.completion_tokens,
    cached_tokens = chat_usageday.cached_tokens + excluded.cached_tokens
"""


def get_bank_day(now: datetime) -> date:
    """Return the day in the bank's time zone."""
    return now.astimezone(ZoneInfo(settings.BANK_TIME_ZONE)).date()


def count_tokens_used(
    context: AuditContext, *, customer_id: UUID, model: str, tokens: tuple[int, int, int], now: datetime
) -> None:
    """Add one answer to the customer's day; in the transaction that finishes the run.

    tokens  read, written and cached
    The first answer beyond the soft budget leaves an audit entry; nothing is refused for it.
    """
    day = get_bank_day(now)
    with connection.cursor() as cursor:
        cursor.execute(COUNT_USAGE_SQL, [day, model, customer_id, *tokens])
    budget = settings.BUDGET_CUSTOMER_SOFT_TOKENS
    if not budget:
        return
    used = sum_tokens(day, customer_id)
    if used - sum(tokens[:2]) < budget <= used:
        record_entry(
            context,
            AuditAction.BUDGET_REACHED,
            subject="customer",
            subject_id=str(customer_id),
            customer_id=customer_id,
            details={"tokens": used, "budget": budget},
        )


def sum_tokens(day: date, customer_id: UUID | None = None) -> int:
    """Return the tokens read and written on a day, of one customer or of all."""
    usage = UsageDay.objects.filter(day=day)
    if customer_id is not None:
        usage = usage.filter(customer_id=customer_id)
    sums = usage.aggregate(read=Sum("prompt_tokens", default=0), written=Sum("completion_tokens", default=0))
    return int(sums["read"] + sums["written"])


def refuse_over_budget(customer_id: UUID, now: datetime) -> None:
    """Raise BudgetUsedUp when the customer's hard budget of today, or the bank's, is used up."""
    day = get_bank_day(now)
    own, bank = settings.BUDGET_CUSTOMER_HARD_TOKENS, settings.BUDGET_BANK_HARD_TOKENS
    if (own and sum_tokens(day, customer_id) >= own) or (bank and get_bank_tokens(day) >= bank):
        raise BudgetUsedUp(retry_after_ms=measure_until_midnight(now))


def get_bank_tokens(day: date) -> int:
    """Return the whole bank's tokens of a day, at most half a minute old: summing them for each question costs more."""
    return int(cache.get_or_set(f"bank-tokens:{day}", lambda: sum_tokens(day), BANK_TOKENS_SECONDS) or 0)


def measure_until_midnight(now: datetime) -> int:
    """Return the milliseconds until the bank's next day."""
    local = now.astimezone(ZoneInfo(settings.BANK_TIME_ZONE))
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((midnight - local).total_seconds() * 1000) + 1

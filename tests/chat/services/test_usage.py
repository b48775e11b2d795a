"""Tokens per day and what happens when they are used up."""

from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import Settings

from audit.enums import AuditAction
from audit.models import AuditEntry
from chat.errors import BudgetUsedUp
from chat.models import Turn, UsageDay
from chat.services.claims import build_engine_context
from chat.services.runs import RunResult, finish_run
from chat.services.usage import count_tokens_used, get_bank_day, measure_until_midnight, sum_tokens
from tests.factories.accounts import make_customer
from tests.factories.chat import ENGINE, Asked, ask, claim_one

pytestmark = pytest.mark.django_db


def answer(asked: Asked, *, read: int = 17, written: int = 3, cached: int = 2) -> None:
    result = RunResult(
        text="да", finish_reason="stop", prompt_tokens=read, completion_tokens=written, cached_tokens=cached
    )
    finish_run(claim_one(), result, engine=ENGINE)


def test_finish_run_adds_up_the_day_of_the_customer_and_model() -> None:
    asked = ask()
    answer(asked)
    ask(asked.customer, conversation_id=asked.conversation_id)
    answer(asked)

    usage = UsageDay.objects.get()

    assert (usage.day, usage.model, usage.customer_id) == (
        get_bank_day(timezone.now()),
        "GigaChat-2",
        asked.customer.pk,
    )
    assert (usage.runs, usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) == (2, 34, 6, 4)
    assert sum_tokens(usage.day) == 40


def test_finish_run_without_usage_counts_the_answer() -> None:
    ask()
    finish_run(claim_one(), RunResult(text="да", finish_reason="stop"), engine=ENGINE)

    usage = UsageDay.objects.get()

    assert (usage.runs, usage.prompt_tokens) == (1, 0)


def test_start_turn_with_the_customers_budget_used_up_is_refused_until_midnight(settings: Settings) -> None:
    settings.BUDGET_CUSTOMER_HARD_TOKENS = 20
    asked = ask()
    answer(asked)

    with pytest.raises(BudgetUsedUp) as refused:
        ask(asked.customer)

    assert 0 < refused.value.retry_after_ms <= 24 * 3600 * 1000 + 1
    assert Turn.objects.count() == 1
    ask()


def test_start_turn_with_the_banks_budget_used_up_is_refused(settings: Settings) -> None:
    settings.BUDGET_BANK_HARD_TOKENS = 20
    answer(ask())
    cache.clear()

    with pytest.raises(BudgetUsedUp):
        ask()


def test_start_turn_without_budgets_is_never_refused(settings: Settings) -> None:
    settings.BUDGET_CUSTOMER_HARD_TOKENS = settings.BUDGET_CUSTOMER_SOFT_TOKENS = 0
    asked = ask()
    answer(asked, read=10**9)

    ask(asked.customer)

    assert not AuditEntry.objects.filter(action=AuditAction.BUDGET_REACHED).exists()


def test_count_tokens_used_leaves_one_entry_when_the_soft_budget_is_crossed(settings: Settings) -> None:
    settings.BUDGET_CUSTOMER_SOFT_TOKENS = 50
    customer = make_customer()
    for _ in range(4):
        count_tokens_used(
            build_engine_context(ENGINE),
            customer_id=customer.pk,
            model="m",
            tokens=(15, 5, 0),
            now=timezone.now(),
        )

    [entry] = AuditEntry.objects.filter(action=AuditAction.BUDGET_REACHED)

    assert entry.customer_id == customer.pk
    assert orjson.loads(entry.body)["details"] == {"tokens": 60, "budget": 50}


def test_bank_day_begins_at_moscow_midnight() -> None:
    assert get_bank_day(datetime(2026, 2, 28, 20, 59, tzinfo=UTC)) == date(2026, 2, 28)
    assert get_bank_day(datetime(2026, 2, 28, 21, 0, tzinfo=UTC)) == date(2026, 3, 1)
    assert measure_until_midnight(datetime(2026, 2, 28, 20, 59, tzinfo=UTC)) == 60_001
    assert timedelta(milliseconds=measure_until_midnight(datetime(2026, 2, 28, 21, tzinfo=UTC))) > timedelta(hours=23)

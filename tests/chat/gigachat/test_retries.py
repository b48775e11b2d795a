import pytest

from chat.gigachat.errors import (
    AccessDenied,
    ConnectTimeout,
    GatewayFailed,
    GigaChatError,
    RateLimited,
    RequestMalformed,
    ServerFailed,
    TlsRefused,
    Unreachable,
)
from chat.gigachat.retries import MAX_DELAY_SECONDS, RetryBudget


@pytest.mark.parametrize(
    "error",
    [
        Unreachable(),
        RateLimited(status=429),
        GatewayFailed(status=502),
        *(ServerFailed(status=status) for status in (500, 502, 503, 504)),
    ],
)
def test_find_delay_of_passing_fault_returns_jitter_below_the_ceiling(error: GigaChatError) -> None:
    delay = RetryBudget(retries=1, seconds=15.0, now=0.0).find_delay(error, now=0.0)
    assert delay is not None
    assert 0.0 <= delay <= 0.5


@pytest.mark.parametrize(
    "error",
    [
        RequestMalformed(status=400),
        AccessDenied(status=403),
        ServerFailed(status=501),
        ServerFailed(),
        TlsRefused(),
        ConnectTimeout(),
    ],
)
def test_find_delay_of_other_fault_returns_none(error: GigaChatError) -> None:
    assert RetryBudget(retries=9, seconds=15.0, now=0.0).find_delay(error, now=0.0) is None


def test_find_delay_after_the_last_retry_returns_none() -> None:
    budget = RetryBudget(retries=2, seconds=100.0, now=0.0)
    delays = [budget.find_delay(Unreachable(), now=0.0) for _ in range(3)]
    assert [delay is None for delay in delays] == [False, False, True]


def test_find_delay_never_passes_its_maximum() -> None:
    budget = RetryBudget(retries=1000, seconds=1e9, now=0.0)
    delays = [budget.find_delay(Unreachable(), now=0.0) or 0.0 for _ in range(1000)]
    assert 1.0 < max(delays) <= MAX_DELAY_SECONDS


def test_find_delay_waits_at_least_as_long_as_the_provider_asked() -> None:
    error = RateLimited(status=429, retry_after_seconds=5.0)
    delay = RetryBudget(retries=1, seconds=15.0, now=100.0).find_delay(error, now=100.0)
    assert delay is not None
    assert 5.0 <= delay <= 5.5


def test_find_delay_beyond_the_deadline_returns_none_and_keeps_the_retry() -> None:
    budget = RetryBudget(retries=1, seconds=15.0, now=100.0)
    assert budget.find_delay(RateLimited(status=429, retry_after_seconds=60.0), now=100.0) is None
    assert budget.find_delay(Unreachable(), now=116.0) is None
    assert budget.find_delay(Unreachable(), now=110.0) is not None

import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django import Settings

from chat.gigachat.breaker import Admission, Breaker, BreakerLimits, BreakerState, is_failure
from chat.gigachat.errors import (
    AccessDenied,
    BreakerOpen,
    ConnectTimeout,
    ContextTooLong,
    GatewayFailed,
    GigaChatError,
    ModelUnknown,
    ParametersRefused,
    PaymentRequired,
    PoolTimeout,
    PromptInvalid,
    RateLimited,
    ReadIdleTimeout,
    RequestMalformed,
    ServerFailed,
    StreamMissing,
    TlsRefused,
    TokenGatewayFailed,
    TokenRateLimited,
    TokenRefused,
    TokenTimeout,
    TokenUnreachable,
    TotalTimeout,
    Unreachable,
)

URL = "https://API.giga.chat/v1"
LIMITS = BreakerLimits(failures=3, window_seconds=30.0, open_seconds=20.0)
WAIT_SECONDS = 5.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_793_950_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "redis"])
def breaker(request: pytest.FixtureRequest, clock: Clock) -> Breaker:
    if request.param == "redis":
        request.getfixturevalue("redis_cache")
    return Breaker(URL, LIMITS, clock=clock)


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        breaker.record(breaker.admit(), Unreachable())


def read_wait(breaker: Breaker) -> float | None:
    with pytest.raises(BreakerOpen) as caught:
        breaker.admit()
    return caught.value.retry_after_seconds


def test_breaker_of_healthy_host_lets_every_call_go(breaker: Breaker) -> None:
    for _ in range(10):
        admission = breaker.admit()
        assert admission == Admission(is_probe=False, is_troubled=False)
        breaker.record(admission, None)
    report = breaker.get_report()
    assert (report.host, report.state, report.failures) == ("api.giga.chat", BreakerState.CLOSED, 0)


def test_breaker_opens_after_failures_in_a_row_and_says_for_how_long(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 2)
    assert breaker.get_report().failures == 2
    assert breaker.admit().is_troubled
    fail(breaker)
    clock.now += 5.0
    assert read_wait(breaker) == 15.0
    report = breaker.get_report()
    assert (report.state, report.retry_after_seconds) == (BreakerState.OPEN, 15.0)


def test_breaker_is_open_for_another_process_too(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 2)
    other = Breaker("https://api.giga.chat:443/v1", LIMITS, clock=clock)
    twin = Breaker("https://api.giga.chat/other", LIMITS, clock=clock)
    fail(twin)
    assert read_wait(breaker) == read_wait(twin) == 20.0
    assert other.get_report().state is BreakerState.CLOSED


def test_answer_between_failures_begins_a_new_row(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.record(breaker.admit(), None)
    fail(breaker, 2)
    assert breaker.get_report().state is BreakerState.CLOSED


def test_failures_further_apart_than_the_window_begin_a_new_row(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 2)
    clock.now += 31.0
    fail(breaker, 2)
    assert breaker.get_report().state is BreakerState.CLOSED
    fail(breaker)
    assert breaker.get_report().state is BreakerState.OPEN


def test_clock_set_back_begins_a_new_row(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 2)
    clock.now -= 100.0
    fail(breaker)
    assert breaker.get_report().state is BreakerState.CLOSED


def test_half_open_breaker_lets_one_probe_go(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 20.0
    assert breaker.get_report().state is BreakerState.HALF_OPEN
    assert breaker.admit().is_probe
    clock.now += 4.0
    assert read_wait(breaker) == 6.0
    assert read_wait(Breaker(URL, LIMITS, clock=clock)) == 6.0


def test_probes_of_many_threads_at_once_are_one(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 20.0
    barrier = threading.Barrier(8)

    def try_probe() -> bool:
        barrier.wait(WAIT_SECONDS)
        try:
            return breaker.admit().is_probe
        except BreakerOpen:
            return False

    with ThreadPoolExecutor(max_workers=8) as threads:
        probes = [future.result(WAIT_SECONDS) for future in [threads.submit(try_probe) for _ in range(8)]]
    assert probes.count(True) == 1


@pytest.mark.parametrize("error", [None, RateLimited(status=429), ParametersRefused(status=422)])
def test_probe_that_is_answered_closes_the_breaker(
    breaker: Breaker, clock: Clock, error: GigaChatError | None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        fail(breaker, 3)
        clock.now += 20.0
        breaker.record(breaker.admit(), error)
    assert breaker.admit() == Admission(is_probe=False, is_troubled=False)
    assert [record.getMessage() for record in caplog.records] == ["gigachat breaker opened", "gigachat breaker closed"]


def test_probe_that_fails_opens_the_breaker_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 20.0
    fail(breaker)
    assert read_wait(breaker) == 20.0
    clock.now += 20.0
    assert breaker.admit().is_probe


def test_probe_that_dies_is_followed_by_another(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 20.0
    assert breaker.admit().is_probe
    clock.now += 10.0
    assert breaker.admit().is_probe


def test_probe_that_never_reached_the_host_changes_nothing(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 20.0
    breaker.record(breaker.admit(), PoolTimeout())
    assert breaker.get_report().state is BreakerState.HALF_OPEN


def test_late_answer_of_a_call_from_before_closes_the_breaker(breaker: Breaker) -> None:
    fail(breaker)
    early = breaker.admit()
    fail(breaker, 2)
    breaker.record(early, None)
    assert breaker.get_report().state is BreakerState.CLOSED


@pytest.mark.parametrize(
    "error",
    [
        RequestMalformed(status=400),
        TokenRefused(status=401),
        PaymentRequired(status=402),
        AccessDenied(status=403),
        ModelUnknown(status=404),
        ContextTooLong(status=413),
        ParametersRefused(status=422),
        RateLimited(status=429),
        TokenRateLimited(status=429),
        StreamMissing(status=200),
        PromptInvalid("model", "is required"),
        PoolTimeout(),
        TotalTimeout(),
        TlsRefused(),
        BreakerOpen(),
        None,
    ],
)
def test_fault_of_our_own_never_opens_the_breaker(breaker: Breaker, error: GigaChatError | None) -> None:
    assert not is_failure(error)
    for _ in range(10):
        breaker.record(breaker.admit(), error)
    assert breaker.get_report().state is BreakerState.CLOSED


@pytest.mark.parametrize(
    "error",
    [
        Unreachable(),
        ServerFailed(status=500),
        GatewayFailed(status=502),
        ConnectTimeout(),
        ReadIdleTimeout(),
        TokenTimeout(),
        TokenUnreachable(),
        TokenGatewayFailed(status=502),
    ],
)
def test_fault_of_the_host_opens_the_breaker(breaker: Breaker, error: GigaChatError) -> None:
    for _ in range(3):
        breaker.record(breaker.admit(), error)
    assert breaker.get_report().state is BreakerState.OPEN


@pytest.mark.usefixtures("broken_cache")
def test_breaker_without_cache_stays_closed(clock: Clock) -> None:
    breaker = Breaker(URL, LIMITS, clock=clock)
    fail(breaker, 10)
    assert breaker.admit() == Admission(is_probe=False, is_troubled=False)
    assert breaker.get_report().state is BreakerState.CLOSED


FAIL_IN_ANOTHER_PROCESS = """
import sys
from django.conf import settings
backend = "django.core.cache.backends.redis.RedisCache"
settings.configure(CACHES={"default": {"BACKEND": backend, "LOCATION": sys.argv[1]}})
from chat.gigachat.breaker import Breaker, BreakerLimits
from chat.gigachat.errors import Unreachable
breaker = Breaker(sys.argv[2], BreakerLimits(failures=3, window_seconds=30.0, open_seconds=20.0))
for _ in range(2):
    breaker.record(breaker.admit(), Unreachable())
"""


@pytest.mark.usefixtures("redis_cache")
def test_failures_of_two_real_processes_make_one_row(settings: Settings) -> None:
    breaker = Breaker(URL, LIMITS)
    fail(breaker)
    subprocess.run(
        [sys.executable, "-c", FAIL_IN_ANOTHER_PROCESS, settings.CACHES["default"]["LOCATION"], URL],
        check=True,
        timeout=30,
    )
    assert breaker.get_report().state is BreakerState.OPEN
    wait = read_wait(breaker)
    assert wait is not None
    assert 0.0 < wait <= 20.0

import asyncio
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from aiohttp import web
from django.core.cache import cache

from chat.gigachat import token_cache, tokens
from chat.gigachat.breaker import Breaker, BreakerLimits, BreakerState
from chat.gigachat.errors import (
    BreakerOpen,
    CredentialsRefused,
    GigaChatError,
    TokenRateLimited,
    TokenRefused,
    TokenServerFailed,
    TokenTimeout,
)
from chat.gigachat.oauth import TokenService
from chat.gigachat.tls import build_ssl_context
from chat.gigachat.token_cache import TokenCache
from chat.gigachat.tokens import TokenKeeper
from tests.chat.gigachat.scripted import CREDENTIALS, WAIT_SECONDS, Authority, Script, ScriptedServer, refuse

ROOT = Path(__file__).parents[3]
START = 1_793_950_000.0


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


MakeKeeper = Callable[[], TokenKeeper]


@pytest.fixture
def make_keeper(server: ScriptedServer, authority: Authority, clock: Clock) -> Iterator[MakeKeeper]:
    """Make keepers of as many processes as a test wants: they share the cache and nothing else."""
    keepers: list[TokenKeeper] = []

    def make() -> TokenKeeper:
        context = build_ssl_context(authority.file, authority.sha256)
        service = TokenService(url=f"{server.origin}/oauth", ssl_context=context)
        keepers.append(TokenKeeper(CREDENTIALS, service, clock=clock))
        return keepers[-1]

    yield make
    for keeper in keepers:
        keeper.close()


def issue(value: str, *, expires_at: float) -> Script:
    return refuse(200, f'{{"access_token":"{value}","expires_at":{int(expires_at * 1000)}}}'.encode())


def hold(gate: threading.Event, script: Script) -> Script:
    """Return a script that answers once the gate is open."""

    async def held(request: web.Request) -> web.StreamResponse:
        assert await asyncio.to_thread(gate.wait, WAIT_SECONDS)
        return await script(request)

    return held


def land(keeper: TokenKeeper) -> None:
    """Wait until the flight under way, if any, has landed: its thread does one thing at a time."""
    keeper._executor.submit(int).result(WAIT_SECONDS)


def test_get_token_twice_asks_once(make_keeper: MakeKeeper, server: ScriptedServer) -> None:
    server.token_scripts.append(issue("t1", expires_at=START + 1800))
    keeper = make_keeper()
    assert [keeper.get_token().value for _ in range(2)] == ["t1", "t1"]
    assert len(server.token_calls) == 1


def test_get_token_in_second_process_uses_the_shared_one(make_keeper: MakeKeeper, server: ScriptedServer) -> None:
    server.token_scripts.append(issue("t1", expires_at=START + 1800))
    assert [make_keeper().get_token().value for _ in range(3)] == ["t1"] * 3
    assert len(server.token_calls) == 1


def test_request_token_from_many_threads_shares_one_flight(make_keeper: MakeKeeper, server: ScriptedServer) -> None:
    gate = threading.Event()
    server.token_scripts.append(hold(gate, issue("t1", expires_at=START + 1800)))
    keeper = make_keeper()
    with ThreadPoolExecutor(max_workers=20) as threads:
        asked = [threads.submit(keeper.get_token) for _ in range(20)]
        gate.set()
        wait(asked, WAIT_SECONDS)
    assert {future.result().value for future in asked} == {"t1"}
    assert len(server.token_calls) == 1


def test_request_token_near_its_end_serves_the_old_one_and_renews_behind(
    make_keeper: MakeKeeper, server: ScriptedServer, clock: Clock
) -> None:
    gate = threading.Event()
    server.token_scripts.extend(
        [issue("t1", expires_at=START + 1800), hold(gate, issue("t2", expires_at=START + 3600))]
    )
    keeper = make_keeper()
    keeper.get_token()
    clock.now = START + 1800 - 91
    assert keeper.get_token().value == "t1"
    assert keeper._flight is None
    clock.now = START + 1800 - 59
    assert [keeper.get_token().value for _ in range(3)] == ["t1"] * 3
    gate.set()
    land(keeper)
    assert keeper.get_token().value == "t2"
    assert len(server.token_calls) == 2


def test_renewal_time_has_jitter(make_keeper: MakeKeeper, server: ScriptedServer) -> None:
    server.token_scripts.append(issue("t1", expires_at=START + 1800))
    keepers = [make_keeper() for _ in range(8)]
    times = set()
    for keeper in keepers:
        keeper.get_token()
        times.add(keeper._renew_at)
    assert len(times) > 1
    assert all(START + 1800 - 90 <= moment <= START + 1800 - 60 for moment in times)


def test_request_token_that_another_process_renewed_adopts_it(
    make_keeper: MakeKeeper, server: ScriptedServer, clock: Clock
) -> None:
    server.token_scripts.extend([issue("t1", expires_at=START + 1800), issue("t2", expires_at=START + 3600)])
    one, two = make_keeper(), make_keeper()
    assert (one.get_token().value, two.get_token().value) == ("t1", "t1")
    clock.now = START + 1790
    one.get_token()
    land(one)
    assert two.get_token().value == "t1"
    land(two)
    assert two.get_token().value == "t2"
    assert len(server.token_calls) == 2


def test_expired_token_blocks_until_a_new_one_is_there(
    make_keeper: MakeKeeper, server: ScriptedServer, clock: Clock
) -> None:
    server.token_scripts.extend([issue("t1", expires_at=START + 1800), issue("t2", expires_at=START + 3600)])
    keeper = make_keeper()
    keeper.get_token()
    clock.now = START + 1800
    assert isinstance(keeper.request_token(), Future)
    assert keeper.get_token().value == "t2"


def test_failed_renewal_keeps_the_old_token_and_pauses(
    make_keeper: MakeKeeper, server: ScriptedServer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    server.token_scripts.extend([issue("t1", expires_at=START + 1800), refuse(500)])
    keeper = make_keeper()
    keeper.get_token()
    clock.now = START + 1790
    with caplog.at_level(logging.WARNING):
        keeper.get_token()
        land(keeper)
    assert [keeper.get_token().value for _ in range(5)] == ["t1"] * 5
    assert keeper._flight is None
    assert len(server.token_calls) == 2
    assert [record.getMessage() for record in caplog.records] == ["no GigaChat token"]
    assert "t1" not in caplog.text


def test_short_lived_token_is_used_without_a_storm(
    make_keeper: MakeKeeper, server: ScriptedServer, clock: Clock
) -> None:
    server.token_scripts.append(issue("t1", expires_at=START + 30))
    keeper = make_keeper()
    assert [keeper.get_token().value for _ in range(50)] == ["t1"] * 50
    clock.now = START + 14.9
    assert keeper.get_token().value == "t1"
    assert len(server.token_calls) == 1


def test_token_that_seems_expired_on_arrival_is_tried_without_a_storm(
    make_keeper: MakeKeeper, server: ScriptedServer
) -> None:
    server.token_scripts.append(issue("t1", expires_at=START - 3600))
    keeper = make_keeper()
    assert [keeper.get_token().value for _ in range(50)] == ["t1"] * 50
    assert len(server.token_calls) == 1


def test_rejected_token_is_replaced_for_everybody_with_one_call(
    make_keeper: MakeKeeper, server: ScriptedServer
) -> None:
    server.token_scripts.extend([issue("t1", expires_at=START + 1800), issue("t2", expires_at=START + 1800)])
    one, two = make_keeper(), make_keeper()
    assert (one.get_token().value, two.get_token().value) == ("t1", "t1")
    for keeper in (one, one, two, two):
        assert keeper.get_token(rejected="t1").value == "t2"
    assert len(server.token_calls) == 2


def test_rejected_token_is_not_served_while_its_replacement_fails(
    make_keeper: MakeKeeper, server: ScriptedServer
) -> None:
    server.token_scripts.extend([issue("t1", expires_at=START + 1800), refuse(500)])
    keeper = make_keeper()
    keeper.get_token()
    for rejected in ("t1", None, None):
        with pytest.raises(TokenServerFailed):
            keeper.get_token(rejected=rejected)
    assert len(server.token_calls) == 2


def test_rejecting_an_older_token_returns_the_newer_one(make_keeper: MakeKeeper, server: ScriptedServer) -> None:
    server.token_scripts.append(issue("t2", expires_at=START + 1800))
    keeper = make_keeper()
    keeper.get_token()
    assert keeper.get_token(rejected="t1").value == "t2"
    assert len(server.token_calls) == 1


def test_rejecting_a_fresh_replacement_is_refused_for_a_moment(
    make_keeper: MakeKeeper, server: ScriptedServer, clock: Clock
) -> None:
    server.token_scripts.extend([issue(f"t{number}", expires_at=START + 1800) for number in (1, 2, 3)])
    keeper = make_keeper()
    keeper.get_token()
    assert keeper.get_token(rejected="t1").value == "t2"
    with pytest.raises(TokenRefused):
        keeper.get_token(rejected="t2")
    clock.now += tokens.REPLACEMENT_PAUSE_SECONDS
    assert keeper.get_token(rejected="t2").value == "t3"
    assert len(server.token_calls) == 3


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (refuse(401, b'{"code":6,"message":"x"}'), CredentialsRefused),
        (refuse(429, Retry_After="30"), TokenRateLimited),
        (refuse(500), TokenServerFailed),
    ],
)
def test_failure_is_shared_by_all_processes_and_not_repeated(
    make_keeper: MakeKeeper, server: ScriptedServer, script: Script, kind: type[GigaChatError]
) -> None:
    server.token_scripts.append(script)
    for keeper in [make_keeper() for _ in range(4)]:
        for _ in range(3):
            with pytest.raises(kind):
                keeper.get_token()
    assert len(server.token_calls) == 1


def test_holder_that_died_delays_the_others_only_until_its_lock_ends(
    make_keeper: MakeKeeper, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.token_scripts.append(issue("t1", expires_at=START + 1800))
    monkeypatch.setattr(token_cache, "LOCK_SECONDS", 1)
    cache.add(TokenCache(CREDENTIALS, auth_url=f"{server.origin}/oauth")._lock_name, "a dead process", 1)
    assert make_keeper().get_token().value == "t1"


def test_waiting_for_a_holder_that_never_ends_times_out(
    make_keeper: MakeKeeper, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "PATIENCE_SECONDS", 0.1)
    cache.add(TokenCache(CREDENTIALS, auth_url=f"{server.origin}/oauth")._lock_name, "somebody", 60)
    with pytest.raises(TokenTimeout):
        make_keeper().get_token()
    assert server.token_calls == []


def test_waiting_process_takes_over_the_token_of_the_holder(make_keeper: MakeKeeper, server: ScriptedServer) -> None:
    gate = threading.Event()
    server.token_scripts.append(hold(gate, issue("t1", expires_at=START + 1800)))
    asked = [make_keeper().request_token() for _ in range(3)]
    flights = [future for future in asked if isinstance(future, Future)]
    gate.set()
    assert [flight.result(WAIT_SECONDS).value for flight in flights] == ["t1"] * 3
    assert len(server.token_calls) == 1


def test_new_holder_of_the_lock_looks_again_before_it_asks(make_keeper: MakeKeeper, server: ScriptedServer) -> None:
    server.token_scripts.append(issue("t1", expires_at=START + 1800))
    make_keeper().get_token()
    assert make_keeper()._fetch(None).value == "t1"
    assert len(server.token_calls) == 1


def test_burst_of_first_requests_over_four_processes_makes_one_call(
    server: ScriptedServer, authority: Authority, redis_cache: None, redis_url: str
) -> None:
    gate = threading.Event()
    server.token_scripts.append(hold(gate, issue("only-one", expires_at=9_000_000_000)))
    command = [
        sys.executable, "-m", "tests.chat.gigachat.burst",
        f"{server.origin}/oauth", authority.file, authority.sha256, redis_url, "50",
    ]  # fmt: skip
    processes = [
        subprocess.Popen(command, cwd=ROOT, env=os.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    try:
        for process in processes:
            assert read_line(process) == "ready"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        for process in processes:
            assert read_line(process) == "asking"
        gate.set()
        outputs = [process.communicate(timeout=30)[0].split() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert outputs == [["only-one"] * 50] * 4
    assert len(server.token_calls) == 1


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_get_token_from_failing_service_opens_its_breaker_and_is_not_sent(
    server: ScriptedServer, authority: Authority, clock: Clock
) -> None:
    server.token_scripts.extend([refuse(500), refuse(500)])
    service = TokenService(
        url=f"{server.origin}/oauth", ssl_context=build_ssl_context(authority.file, authority.sha256)
    )
    breaker = Breaker(service.url, BreakerLimits(failures=2, open_seconds=20.0), clock=clock)
    keeper = TokenKeeper(CREDENTIALS, service, breaker=breaker, clock=clock)
    for kind in (TokenServerFailed, TokenServerFailed, BreakerOpen):
        # What the last fetch met is shared for a moment; here it is over.
        cache.delete(keeper._cache._failure_name)
        with pytest.raises(kind):
            keeper.get_token()
    assert len(server.token_calls) == 2
    cache.delete(keeper._cache._failure_name)
    clock.now += 20.0
    assert keeper.get_token().value == "token-3"
    assert breaker.get_report().state is BreakerState.CLOSED
    keeper.close()

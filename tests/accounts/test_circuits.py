import logging

import pytest

from accounts.circuits import Admission, BreakerLimits, BreakerState, Circuit, CircuitOpen

LIMITS = BreakerLimits(failures=3, window_seconds=30.0, open_seconds=20.0)


class Clock:
    def __init__(self) -> None:
        self.now = 1_793_950_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuit(clock: Clock) -> Circuit:
    return Circuit("bank", "sbp", limits=LIMITS, clock=clock)


def fail(circuit: Circuit, times: int) -> None:
    for _ in range(times):
        circuit.note_failure(circuit.admit())


def test_circuit_opens_after_failures_in_a_row_and_says_for_how_long(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 3)
    clock.now += 5.0
    with pytest.raises(CircuitOpen) as caught:
        circuit.admit()
    assert caught.value.retry_after_seconds == 15.0
    report = circuit.get_report()
    assert (report.host, report.state, report.retry_after_seconds) == ("sbp", BreakerState.OPEN, 15.0)


def test_circuits_of_two_hosts_know_nothing_of_each_other(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 3)
    assert Circuit("bank", "rates", limits=LIMITS, clock=clock).admit() == Admission(is_probe=False, is_troubled=False)


def test_answer_between_failures_begins_a_new_row(circuit: Circuit) -> None:
    fail(circuit, 2)
    circuit.note_answer(circuit.admit())
    fail(circuit, 2)
    assert circuit.get_report().state is BreakerState.CLOSED


def test_probe_closes_or_reopens_the_circuit(circuit: Circuit, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        fail(circuit, 3)
        clock.now += 20.0
        circuit.note_failure(circuit.admit())
        clock.now += 20.0
        assert circuit.get_report().state is BreakerState.HALF_OPEN
        circuit.note_answer(circuit.admit())
    assert circuit.get_report().state is BreakerState.CLOSED
    said = [record.getMessage() for record in caplog.records]
    assert said == ["bank breaker opened", "bank breaker opened", "bank breaker closed"]


def test_half_open_circuit_lets_one_probe_go(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 3)
    clock.now += 20.0
    assert circuit.admit().is_probe
    clock.now += 4.0
    with pytest.raises(CircuitOpen) as caught:
        circuit.admit()
    assert caught.value.retry_after_seconds == 6.0

import pytest

from accounts.circuits import BreakerState
from accounts.errors import GatewayUnavailable, PayeeUnavailable
from functions.dependencies import CIRCUITS, LIMITS, SBP, ask_dependency
from functions.errors import CallRefused, Code


def fail(error: Exception) -> None:
    with pytest.raises(type(error)), ask_dependency(SBP):
        raise error


def test_system_that_fails_five_times_is_not_asked_any_more() -> None:
    for _ in range(4):
        fail(GatewayUnavailable())
    fail(CallRefused(Code.TIMEOUT))
    asked = False
    with pytest.raises(CallRefused) as caught, ask_dependency(SBP):
        asked = True
    assert (caught.value.code, caught.value.can_retry, asked) == (Code.TEMPORARILY_UNAVAILABLE, True, False)
    assert CIRCUITS[SBP].get_report().retry_after_seconds == pytest.approx(LIMITS.open_seconds, abs=5)


def test_answer_of_any_kind_begins_a_new_row() -> None:
    for error in (CallRefused(Code.PAYEE_NOT_FOUND), PayeeUnavailable(), None):
        for _ in range(4):
            fail(GatewayUnavailable())
        if error is None:
            with ask_dependency(SBP):
                pass
        else:
            fail(error)
    assert CIRCUITS[SBP].get_report().state is BreakerState.CLOSED
    fail(GatewayUnavailable())
    assert CIRCUITS[SBP].get_report().failures == 1

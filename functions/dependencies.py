"""The outside systems that functions ask, each behind its breaker: one that keeps failing is not asked for a while.

Rates are rows of our own, so they are none of these.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from accounts.circuits import BreakerLimits, Circuit, CircuitOpen
from accounts.errors import AccountsError, GatewayUnavailable
from functions.errors import CallRefused, Code

SBP = "sbp"
# Five failures within a minute; after half a minute one call may probe.
LIMITS = BreakerLimits(failures=5, window_seconds=60.0, open_seconds=30.0)
FAILURES = frozenset({Code.TIMEOUT, Code.TEMPORARILY_UNAVAILABLE})
CIRCUITS: Mapping[str, Circuit] = {name: Circuit("bank", name, limits=LIMITS) for name in (SBP,)}


@contextmanager
def ask_dependency(name: str) -> Iterator[None]:
    """What is inside asks the system `name`, once; put it around the very call, where no transaction is open.

    Raises: CallRefused temporarily_unavailable while its breaker is open
    """
    circuit = CIRCUITS[name]
    try:
        admission = circuit.admit()
    except CircuitOpen:
        raise CallRefused(Code.TEMPORARILY_UNAVAILABLE, can_retry=True) from None
    try:
        yield
    except GatewayUnavailable:
        circuit.note_failure(admission)
        raise
    except CallRefused as refused:
        (circuit.note_failure if refused.code in FAILURES else circuit.note_answer)(admission)
        raise
    except AccountsError:
        # A refusal is an answer: the system lives.
        circuit.note_answer(admission)
        raise
    circuit.note_answer(admission)

"""A circuit breaker: an outside system that fails again and again is not asked for a while. Synchronous.

Its state lies in the shared cache, so that all processes stop together and one of them probes. A cache that is down is
a closed breaker. Who asks decides what a failure is.

closed ── N failures in a row within a window ──> open ── some seconds ──> half-open: one call a slot may probe
half-open ── the probe is answered ──> closed;  the probe fails ──> open
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from accounts.shared_cache import add_value, delete_values, increment_value, read_value, read_values, write_value

logger = logging.getLogger(__name__)

# A probe that dies says nothing; the next one may go when its slot is over.
PROBE_SECONDS = 10.0
# A host nobody asks any more is forgotten.
FORGET_SECONDS = 600.0


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerLimits:
    """`failures` in a row, all within `window_seconds` of the first, open the breaker for `open_seconds`."""

    failures: int = 5
    window_seconds: float = 60.0
    open_seconds: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerReport:
    """What a health page shows; `retry_after_seconds` is 0 unless open."""

    host: str
    state: BreakerState
    failures: int
    retry_after_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Leave to make one call; `is_troubled` when an answer to it is news."""

    is_probe: bool
    is_troubled: bool


UNTROUBLED = Admission(is_probe=False, is_troubled=False)


class CircuitOpen(Exception):
    """The system is not asked now; it is worth asking again after `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__("the circuit is open")
        self.retry_after_seconds = retry_after_seconds


class Circuit:
    """The breaker of one host of one outside system; any number of these, in all processes, are one.

    system  whose it is, as the log says it; host  which one of the system's
    clock   gives the second of the Unix epoch, the same one in every process
    """

    def __init__(
        self, system: str, host: str, *, limits: BreakerLimits, clock: Callable[[], float] = time.time
    ) -> None:
        self.system, self.host = system, host
        self._limits = limits
        self._clock = clock
        name = f"{system}.breaker.{host}"
        self._name = name
        self._failures_name, self._since_name, self._until_name = f"{name}.failures", f"{name}.since", f"{name}.until"

    def admit(self) -> Admission:
        """Return the leave to make one call; its outcome goes to `note_failure` or `note_answer`.

        Raises: CircuitOpen
        """
        known = read_values((self._failures_name, self._until_name))
        until = known.get(self._until_name)
        if until is None:
            return Admission(is_probe=False, is_troubled=self._failures_name in known)
        waited = self._clock() - until
        if waited < 0:
            raise CircuitOpen(-waited)
        slot, in_slot = divmod(waited, PROBE_SECONDS)
        if not add_value(f"{self._name}.probe.{until}.{slot:.0f}", "taken", seconds=math.ceil(PROBE_SECONDS * 2)):
            raise CircuitOpen(PROBE_SECONDS - in_slot)
        return Admission(is_probe=True, is_troubled=True)

    def note_answer(self, admission: Admission) -> None:
        """Note that the system lives; a refusal is an answer too."""
        if not admission.is_troubled:
            return
        delete_values(self._failures_name, self._since_name, self._until_name)
        if admission.is_probe:
            logger.warning("%s breaker closed", self.system, extra={"upstream_host": self.host})

    def note_failure(self, admission: Admission) -> None:
        """Note that the system could not be reached, or broke."""
        now = self._clock()
        if admission.is_probe or self._count_failure(now) >= self._limits.failures:
            seconds = self._limits.open_seconds
            write_value(self._until_name, now + seconds, seconds=math.ceil(seconds + FORGET_SECONDS))
            delete_values(self._failures_name, self._since_name)
            logger.warning("%s breaker opened", self.system, extra={"upstream_host": self.host})

    def get_report(self) -> BreakerReport:
        known = read_values((self._failures_name, self._until_name))
        until = known.get(self._until_name)
        wait = 0.0 if until is None else max(until - self._clock(), 0.0)
        is_open = BreakerState.OPEN if wait else BreakerState.HALF_OPEN
        return BreakerReport(
            host=self.host,
            state=BreakerState.CLOSED if until is None else is_open,
            failures=known.get(self._failures_name, 0),
            retry_after_seconds=wait,
        )

    def _count_failure(self, now: float) -> int:
        """Return the failures in a row. Two processes may begin a row at once and count one of two: it opens later."""
        since = read_value(self._since_name)
        if since is not None and 0 <= now - since <= self._limits.window_seconds:
            return increment_value(self._failures_name)
        keep = math.ceil(self._limits.window_seconds * 2)
        write_value(self._since_name, now, seconds=keep)
        write_value(self._failures_name, 1, seconds=keep)
        return 1

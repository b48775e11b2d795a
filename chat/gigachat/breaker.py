"""The circuit breaker of one host of GigaChat: which of our errors say that the host is in trouble. Synchronous."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from accounts.circuits import (
    UNTROUBLED,
    Admission,
    BreakerLimits,
    BreakerReport,
    BreakerState,
    Circuit,
    CircuitOpen,
)
from chat.gigachat.errors import (
    BreakerOpen,
    ConnectTimeout,
    GigaChatError,
    RateLimited,
    ReadIdleTimeout,
    ServiceUnavailable,
    TokenTimeout,
)

__all__ = ["UNTROUBLED", "Admission", "Breaker", "BreakerLimits", "BreakerReport", "BreakerState", "is_failure"]

FAILURES = (ServiceUnavailable, ConnectTimeout, ReadIdleTimeout, TokenTimeout)


class Breaker:
    """One per host and process; `clock` gives the second of the Unix epoch, the same one in every process."""

    def __init__(self, address: str, limits: BreakerLimits, *, clock: Callable[[], float] = time.time) -> None:
        self.host = urlsplit(address).netloc.lower()
        self._circuit = Circuit("gigachat", self.host, limits=limits, clock=clock)

    def admit(self) -> Admission:
        """Return the leave to make one call; its outcome goes to `record`.

        Raises: BreakerOpen, with the seconds until it is worth asking again
        """
        try:
            return self._circuit.admit()
        except CircuitOpen as error:
            wait_seconds = error.retry_after_seconds
        # Outside of the handler: an error of ours carries no other along.
        raise BreakerOpen(retry_after_seconds=wait_seconds)

    def record(self, admission: Admission, error: GigaChatError | None) -> None:
        """Note how the call ended, as soon as the host has answered or failed to.

        error  None for an answer; one of our own making (a refused prompt, a wrong setting) proves that the host lives
        """
        if is_failure(error):
            self._circuit.note_failure(admission)
        elif error is None or error.status is not None:
            self._circuit.note_answer(admission)

    def get_report(self) -> BreakerReport:
        return self._circuit.get_report()


def is_failure(error: GigaChatError | None) -> bool:
    """Whether the host itself is in trouble: a refusal of ours, or too many streams, says that it works."""
    return isinstance(error, FAILURES) and not isinstance(error, RateLimited | BreakerOpen)

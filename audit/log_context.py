"""The ids that every log line carries: request, conversation and turn.

Any app may bind them; `LogContextFilter` copies what is bound onto each record. Context variables follow tasks and
`chat.database.run_in_database`, so a line written deep inside an act still says which act it was.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final
from uuid import UUID

from typing_extensions import override

NAMES: Final = ("request_id", "conversation_id", "turn_id")

_bound: ContextVar[dict[str, str] | None] = ContextVar("log_context", default=None)


def get_bound_ids() -> dict[str, str]:
    """Return the ids bound here, without those that are unknown."""
    return dict(_bound.get() or {})


def get_request_id() -> str:
    """Return the bound request id, or the empty string outside a request."""
    return (_bound.get() or {}).get("request_id", "")


@contextmanager
def bind(
    *, request_id: str | None = None, conversation_id: UUID | str | None = None, turn_id: UUID | str | None = None
) -> Iterator[None]:
    """Add ids to every log line written inside the block; None keeps what the outer block bound."""
    values = {"request_id": request_id, "conversation_id": conversation_id, "turn_id": turn_id}
    given = {name: str(value) for name, value in values.items() if value is not None}
    token = _bound.set({**(_bound.get() or {}), **given})
    try:
        yield
    finally:
        _bound.reset(token)


class LogContextFilter(logging.Filter):
    """Copies the bound ids onto the record; an id that the caller gave by `extra` wins."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in (_bound.get() or {}).items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True

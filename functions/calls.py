"""What goes into one call of a function and what comes out, for whoever drives the model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from functions.enums import CallStatus
from functions.models import Confirmation


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """One call as the model made it, and on whose behalf: everything here but `name`, `arguments`, `said` and
    `state_id` comes from the server's own rows.

    session_id      the device session that sent the question; None: nobody's, so reads without a session's scopes
    customer_texts  what the customer wrote in this conversation, oldest first, originals; for provenance
    step            number of the call in its turn, from 1
    arguments       the model's own and unchecked: a mapping, or a string that should hold one JSON object
    deadline        when the turn's time is over
    """

    customer_id: UUID
    session_id: UUID | None
    device_id: str
    conversation_id: UUID
    turn_id: UUID
    step: int
    name: str
    arguments: Mapping[str, object] | str = field(repr=False)
    said: str = field(default="", repr=False)
    state_id: str = ""
    customer_texts: tuple[str, ...] = field(default=(), repr=False)
    deadline: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """What one recorded call led to.

    label             what the phone shows while it runs, in the customer's language
    arguments_public  for `function.started`: handles and masked values
    result            for the model: a JSON object as text; None while the customer is asked
    result_public     for `function.completed`: counts and codes, never values
    confirmation      the question to put to the customer, when status is WAITING
    cards             what the app itself shows beside the answer, never the model: `{"kind": "requisites", …}`
    ends_functions    True when the model may call nothing more in this turn
    """

    call_id: UUID
    name: str
    status: CallStatus
    label: str
    arguments_public: Mapping[str, str] = field(default_factory=dict)
    result: str | None = field(default=None, repr=False)
    result_public: Mapping[str, str | int] = field(default_factory=dict)
    confirmation: Confirmation | None = None
    cards: tuple[Mapping[str, object], ...] = field(default=(), repr=False)
    ends_functions: bool = False

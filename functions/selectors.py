"""Reads of function calls: what a turn has asked already, and what the model was told."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from accounts.vault import unseal_text
from functions.enums import CallStatus
from functions.models import Confirmation, FunctionCall


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCall:
    """One finished call as the model made it and was answered: everything needed to tell the story again.

    arguments  {} when they were not a JSON object
    """

    call_id: UUID
    turn_id: UUID
    name: str
    said: str = field(repr=False)
    state_id: str
    arguments: Mapping[str, object] = field(repr=False)
    result: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PastCall:
    """An earlier call of the same turn, as far as the limits look at it; `was_asked`: it led to a question."""

    name: str
    kind: str
    status: str
    code: str
    arguments_hash: str
    duration_ms: int
    was_asked: bool


def list_turn_calls(turn_id: UUID) -> list[StoredCall]:
    """Return the finished calls of a turn in order; one query."""
    calls = FunctionCall.objects.filter(turn_id=turn_id).exclude(status=CallStatus.WAITING)
    return [restore_call(call) for call in calls.order_by("step")]


def list_conversation_calls(conversation_id: UUID, turn_ids: Collection[UUID]) -> list[StoredCall]:
    """Return the finished calls of these turns of one conversation, turns by time and calls in order; one query."""
    calls = FunctionCall.objects.filter(conversation_id=conversation_id, turn_id__in=turn_ids)
    return [restore_call(call) for call in calls.exclude(status=CallStatus.WAITING).order_by("created_at", "step")]


def restore_call(call: FunctionCall) -> StoredCall:
    return StoredCall(
        call_id=call.pk,
        turn_id=call.turn_id,
        name=call.name,
        said=call.said,
        state_id=call.state_id,
        arguments=read_object(unseal_text(call.arguments_sealed)),
        result=call.result,
    )


def read_object(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def list_past_calls(turn_id: UUID) -> list[PastCall]:
    """Return the turn's calls so far, waiting ones too; one query."""
    asked = Exists(Confirmation.objects.filter(call=OuterRef("pk")))
    rows = FunctionCall.objects.filter(turn_id=turn_id).annotate(was_asked=asked).order_by("step")
    names = ("name", "kind", "status", "code", "arguments_hash", "duration_ms", "was_asked")
    return [PastCall(*row) for row in rows.values_list(*names)]


def count_customer_calls(customer_id: UUID, since: datetime, *, most: int) -> int:
    """Return how many calls the customer's conversations made since then, counted up to `most`; one query."""
    rows = FunctionCall.objects.filter(customer_id=customer_id, created_at__gt=since)
    return len(rows.values_list("pk")[:most])

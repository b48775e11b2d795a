"""Reads of function calls: what a turn has asked already, and what the model was told."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.vault import unseal_text
from functions.enums import CallStatus
from functions.models import Confirmation, FunctionCall

# Every call of the model pays for these two: written out, they cost a fifth of what Django needs to build them.
PAST_CALLS = """
    SELECT name, status, code, arguments_hash, duration_ms FROM functions_functioncall WHERE turn_id = %s ORDER BY step
"""
RECENT_CALLS = """
    SELECT count(*) FROM (
        SELECT FROM functions_functioncall WHERE customer_id = %s AND created_at > %s LIMIT %s
    ) AS recent
"""


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
    """An earlier call of the same turn, as far as the limits look at it."""

    name: str
    status: str
    code: str
    arguments_hash: str
    duration_ms: int


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
    return [PastCall(*row) for row in fetch_all(PAST_CALLS, [turn_id])]


def count_customer_calls(customer_id: UUID, since: datetime, *, most: int) -> int:
    """Return how many calls the customer's conversations made since then, counted up to `most`; one query."""
    ((count,),) = fetch_all(RECENT_CALLS, [customer_id, since, most])
    return int(count)


def fetch_all(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def has_asked_for_money(turn_id: UUID) -> bool:
    """Whether the customer was asked about money in this turn, whatever the answer; one query."""
    return Confirmation.objects.filter(call__turn_id=turn_id, is_money=True).exists()

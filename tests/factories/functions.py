"""Rows of the functions app: calls, confirmations, handles."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from accounts.models import Customer
from accounts.vault import seal_text
from audit.canonical import encode_canonical
from functions.enums import CallStatus, ConfirmationState, FunctionClass, Risk
from functions.models import Confirmation, FunctionCall

LATER = {"state", "operation", "decided_at", "decided_device", "decided_kid", "due_at", "code", "outcome"}


def make_call(customer: Customer, **fields: Any) -> FunctionCall:
    """Return a call that was answered: "how much is on my account"."""
    now = timezone.now()
    is_waiting = fields.get("status") == CallStatus.WAITING
    values: dict[str, Any] = {
        "conversation_id": uuid4(),
        "turn_id": uuid4(),
        "step": 1,
        "customer": customer,
        "name": "get_account_balance",
        "kind": FunctionClass.READ,
        "version": 1,
        "schema_hash": "0123456789abcdef",
        "arguments_sealed": seal_text('{"account_id":"acc_1"}'),
        "arguments_hash": hashlib.sha256(b'{"account_id":"acc_1"}').hexdigest(),
        "arguments_public": {"account_id": "acc_1"},
        "status": CallStatus.OK,
        "result": "" if is_waiting else '{"ok":true,"data":{"available":"10.00"}}',
        "created_at": now,
        "finished_at": None if is_waiting else now,
    }
    return FunctionCall.objects.create(**values | fields)


def make_confirmation(call: FunctionCall, **fields: Any) -> Confirmation:
    """Return a question to the customer that waits for an answer: an own transfer of 500 roubles.

    What a row cannot begin with (another state, an operation) is given to it afterwards.
    """
    now = timezone.now()
    key: UUID = fields.pop("id", uuid4())
    nonce = key.hex[:22]
    payload = encode_canonical(
        {"id": str(key), "v": 1, "act": "transfer_own", "amt": "50000", "ccy": "RUB", "n": nonce}
    )
    values: dict[str, Any] = {
        "id": key,
        "call": call,
        "customer": call.customer,
        "conversation_id": call.conversation_id,
        "turn_id": call.turn_id,
        "function": call.name,
        "version": 1,
        "is_money": True,
        "plan": {},
        "payload": payload,
        "digest": hashlib.sha256(payload).hexdigest()[:43],
        "nonce": nonce,
        "risk": Risk.LOW,
        "methods": "device_key",
        "state": ConfirmationState.PENDING,
        "created_at": now,
        "expires_at": now + timedelta(seconds=120),
    }
    later = {name: fields.pop(name) for name in LATER & fields.keys()}
    confirmation = Confirmation.objects.create(**values | fields)
    if later:
        Confirmation.objects.filter(pk=confirmation.pk).update(**later)
        confirmation.refresh_from_db()
    return confirmation

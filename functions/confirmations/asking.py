"""The question to the customer: its terms as signed bytes, how it may be answered, until when."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from audit.canonical import JsonValue
from audit.context import AuditContext
from audit.enums import AuditAction
from functions.confirmations.closing import close_pending
from functions.confirmations.moves import record_confirmation
from functions.confirmations.payloads import build_nonce, build_payload, digest_payload
from functions.confirmations.server_key import PAYLOAD_DOMAIN, sign_text
from functions.definitions import Function
from functions.enums import ConfirmationState, ConfirmMethod, Risk
from functions.models import Confirmation, FunctionCall
from functions.plans import Plan


def request_confirmation(
    context: AuditContext,
    *,
    call: FunctionCall,
    function: Function,
    plan: Plan,
    now: datetime,
    replaces: Confirmation | None = None,
) -> Confirmation:
    """Store a question about `plan` in the caller's transaction; an older one of the conversation is superseded.

    The customer has CONFIRM_SECONDS. `list_superseded` tells which questions this one closed.

    replaces  the confirmation whose terms changed, or that had to wait and is asked again

    Raises: ValueError for a plan that cannot be shown
    """
    close_pending(context, conversation_id=call.conversation_id, state=ConfirmationState.SUPERSEDED, now=now)
    expires_at = (now + timedelta(seconds=settings.CONFIRM_SECONDS)).replace(microsecond=0)
    confirmation = Confirmation(
        call=call,
        customer_id=call.customer_id,
        conversation_id=call.conversation_id,
        turn_id=call.turn_id,
        function=function.name,
        version=function.version,
        is_money=function.is_money,
        plan=plan.model_dump(mode="json"),
        nonce=build_nonce(),
        risk=plan.risk,
        methods=choose_methods(plan.risk),
        needs_step_up=plan.risk >= Risk.HIGH,
        needs_payee=plan.needs_payee,
        provenance=" ".join(plan.origins),
        created_at=now,
        expires_at=expires_at,
        replaces=replaces,
    )
    confirmation.payload = build_payload(confirmation, plan)
    confirmation.digest = digest_payload(confirmation.payload)
    confirmation.save(force_insert=True)
    details: dict[str, JsonValue] = {
        "risk": int(plan.risk),
        "nonce": confirmation.nonce,
        "methods": confirmation.methods,
    }
    record_confirmation(context, AuditAction.CONFIRMATION_ASKED, confirmation, details=details)
    return confirmation


def choose_methods(risk: Risk) -> str:
    """Return how a plan of this risk may be approved: see docs/functions.md "Risk"."""
    return ConfirmMethod.TAP if risk == Risk.NONE else ConfirmMethod.DEVICE_KEY


def build_request_body(confirmation: Confirmation) -> dict[str, Any]:
    """Return the body of `confirm.requested`; what does not apply is left out.

    Signed when it is built, so a phone that comes back later gets another signature of the same bytes.
    """
    payload = bytes(confirmation.payload)
    signature, kid = sign_text(PAYLOAD_DOMAIN, payload)
    body: dict[str, Any] = {
        "confirm": str(confirmation.pk),
        "turn": str(confirmation.turn_id),
        "call": str(confirmation.call_id),
        "payload": payload.decode(),
        "hash": confirmation.digest,
        "ssig": signature,
        "kid": kid,
        "exp_ms": int(confirmation.expires_at.timestamp()) * 1000,
        "methods": confirmation.methods.split(),
    }
    if confirmation.needs_payee:
        body["needs_payee"] = True
    if confirmation.needs_step_up:
        body["step_up"] = True
    if confirmation.plan.get("warnings"):
        body["warnings"] = list(confirmation.plan["warnings"])
    return body


def list_superseded(confirmation: Confirmation) -> list[Confirmation]:
    """Return the questions that were closed because this one was asked, while its transaction is still open."""
    closed = Confirmation.objects.filter(
        conversation_id=confirmation.conversation_id,
        state=ConfirmationState.SUPERSEDED,
        decided_at=confirmation.created_at,
    )
    return [row for row in closed.order_by("pk") if row.pk != confirmation.replaces_id]


def list_open_confirmations(conversation_ids: Iterable[UUID]) -> dict[UUID, list[Confirmation]]:
    """Return the questions that still wait, by conversation; one query. Conversations without one are left out."""
    rows = Confirmation.objects.filter(conversation_id__in=list(conversation_ids), state=ConfirmationState.PENDING)
    found: dict[UUID, list[Confirmation]] = {}
    for row in rows.order_by("created_at", "pk"):
        found.setdefault(row.conversation_id, []).append(row)
    return found

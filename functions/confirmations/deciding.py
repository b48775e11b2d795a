"""The customer's yes or no. A yes and what it carries out are one transaction: the caller's.

The caller holds the conversation's lock, commits whatever `decide` returns, and only then speaks to the phone. Locks
are taken conversation, confirmation, accounts; the whole act is tried again when it loses a race of locks.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import F

from audit.canonical import JsonValue
from audit.context import AuditContext
from audit.enums import AuditAction, Outcome
from audit.journal import record_entry
from audit.pseudonyms import build_pseudonym
from functions.confirmations.checking import APPROVE, MAX_BAD_SIGNATURES, Decider, Decision, check_decision
from functions.confirmations.closing import CODES
from functions.confirmations.moves import answer_refused, close_confirmation, move_confirmation, record_confirmation
from functions.confirmations.outcomes import Decided, carry_out
from functions.enums import ConfirmationState, ConfirmMethod
from functions.errors import (
    CallRefused,
    Code,
    ConfirmationDecided,
    ConfirmationError,
    ConfirmationExpired,
    ConfirmationMismatch,
    ConfirmationNotFound,
    ConfirmationSuperseded,
    DeviceRefused,
    SignatureRefused,
    StepUpNeeded,
    TooManySignatures,
)
from functions.models import Confirmation

DECLINED = "Клиент отказался подтверждать операцию, она не выполнена."
# How a refused decision is called in the evidence.
REFUSALS: Mapping[type[ConfirmationError], str] = {
    ConfirmationNotFound: "not_found",
    ConfirmationExpired: "expired",
    ConfirmationDecided: "decided",
    ConfirmationSuperseded: "superseded",
    ConfirmationMismatch: "mismatch",
    SignatureRefused: "signature",
    TooManySignatures: "attempts",
    DeviceRefused: "device",
    StepUpNeeded: "step_up",
}


def decide(
    context: AuditContext,
    *,
    customer_id: UUID,
    conversation_id: UUID,
    session_id: UUID,
    device_id: str,
    decision: Decision,
    now: datetime,
    asked_device: str = "",
) -> Decided:
    """Take the decision, and carry the plan out when it is a yes, in the caller's transaction.

    A decision that does not count is returned as `refusal`, not raised: its audit entry and the count of bad
    signatures must commit. Repeating a decision changes nothing.
    """
    decider = Decider(customer_id=customer_id, session_id=session_id, device_id=device_id, asked_device=asked_device)
    confirmation = lock_asked(customer_id, conversation_id, decision.confirm)
    if confirmation is None:
        return refuse_decision(context, decider, decision, None, ConfirmationNotFound())
    try:
        check_decision(confirmation, decision, decider=decider, now=now)
    except SignatureRefused as refusal:
        return count_bad_signature(context, decider, decision, confirmation, refusal, now)
    except ConfirmationError as refusal:
        return refuse_decision(context, decider, decision, confirmation, refusal)
    take_confirmation(confirmation, decision, device_id, now)
    if decision.decision == APPROVE:
        record_decision(context, AuditAction.CONFIRMATION_GIVEN, confirmation)
        return carry_out(context, confirmation, now)
    return decline(context, confirmation, now)


def lock_asked(customer_id: UUID, conversation_id: UUID, confirmation_id: UUID) -> Confirmation | None:
    """Return the confirmation, locked, when it is this customer's in this conversation."""
    rows = Confirmation.objects.select_for_update(no_key=True, of=("self",)).select_related("call")
    return rows.filter(pk=confirmation_id, customer_id=customer_id, conversation_id=conversation_id).first()


def take_confirmation(confirmation: Confirmation, decision: Decision, device_id: str, now: datetime) -> None:
    """Write down who decides; nobody can any more, and until the commit nobody knows.

    Raises: ConfirmationDecided
    """
    is_signed = ConfirmMethod.TAP not in confirmation.methods.split() and bool(decision.sig)
    taken = {
        "decided_at": now,
        "decided_device": device_id,
        "decided_kid": decision.kid if is_signed else "",
        "signature": decision.sig if is_signed else None,
    }
    free = Confirmation.objects.filter(pk=confirmation.pk, state=ConfirmationState.PENDING, decided_at__isnull=True)
    if free.update(**taken) != 1:
        raise ConfirmationDecided(confirmation.state)
    for name, value in taken.items():
        setattr(confirmation, name, value)


def decline(context: AuditContext, confirmation: Confirmation, now: datetime) -> Decided:
    """The customer said no."""
    move_confirmation(confirmation, ConfirmationState.DECLINED)
    record_decision(context, AuditAction.CONFIRMATION_DECLINED, confirmation)
    refused = CallRefused(Code.DECLINED, DECLINED)
    return Decided(
        confirmation=confirmation,
        call_result=answer_refused(context, confirmation, refused, now),
        result_public={"code": refused.code.value},
    )


def record_decision(context: AuditContext, action: AuditAction, confirmation: Confirmation) -> None:
    method = ConfirmMethod.DEVICE_KEY if confirmation.decided_kid else ConfirmMethod.TAP
    details: dict[str, JsonValue] = {
        "method": method.value,
        "device": build_pseudonym("device", confirmation.decided_device),
    }
    record_confirmation(context, action, confirmation, details=details)


def count_bad_signature(
    context: AuditContext,
    decider: Decider,
    decision: Decision,
    confirmation: Confirmation,
    refusal: SignatureRefused,
    now: datetime,
) -> Decided:
    """Count it; the fifth ends the confirmation."""
    Confirmation.objects.filter(pk=confirmation.pk).update(bad_signatures=F("bad_signatures") + 1)
    confirmation.bad_signatures += 1
    if confirmation.bad_signatures < MAX_BAD_SIGNATURES:
        return refuse_decision(context, decider, decision, confirmation, refusal)
    state = ConfirmationState.CANCELLED
    result = close_confirmation(context, confirmation, state=state, code=CODES[state], now=now)
    refused = refuse_decision(context, decider, decision, confirmation, TooManySignatures())
    return Decided(
        confirmation=confirmation,
        refusal=refused.refusal,
        call_result=result,
        result_public={"code": CODES[state].code.value},
    )


def refuse_decision(
    context: AuditContext,
    decider: Decider,
    decision: Decision,
    confirmation: Confirmation | None,
    refusal: ConfirmationError,
) -> Decided:
    """Record that the decision does not count, and why."""
    record_entry(
        context,
        AuditAction.CONFIRMATION_REFUSED,
        subject="confirmation",
        subject_id=str(decision.confirm),
        customer_id=decider.customer_id,
        conversation_id=confirmation.conversation_id if confirmation else None,
        turn_id=confirmation.turn_id if confirmation else None,
        outcome=Outcome.REFUSED,
        details={
            "code": REFUSALS[type(refusal)],
            "decision": decision.decision,
            "device": build_pseudonym("device", decider.device_id),
        },
    )
    return Decided(confirmation=confirmation, refusal=refusal)

"""The end of a call that waited for the customer: answered exactly once."""

from datetime import datetime

from audit.context import AuditContext
from audit.enums import AuditAction, Outcome
from audit.journal import record_entry
from functions.enums import CallStatus
from functions.models import FunctionCall


def answer_call(
    context: AuditContext, *, call: FunctionCall, status: CallStatus, code: str, result: str, now: datetime
) -> bool:
    """Finish a waiting call with the JSON object the model is told; False when it was answered before.

    Must run inside the transaction of whatever ended the waiting.
    """
    changed = FunctionCall.objects.filter(pk=call.pk, status=CallStatus.WAITING).update(
        status=status, code=code, result=result, result_bytes=len(result.encode()), finished_at=now
    )
    if changed != 1:
        return False
    is_done = status == CallStatus.OK
    record_entry(
        context,
        AuditAction.FUNCTION_EXECUTED if is_done else AuditAction.FUNCTION_FAILED,
        subject="function_call",
        subject_id=str(call.pk),
        customer_id=call.customer_id,
        conversation_id=call.conversation_id,
        turn_id=call.turn_id,
        outcome=Outcome.OK if is_done else Outcome.REFUSED,
        details={"call": str(call.pk), "function": call.name, "version": call.version, "code": code},
    )
    return True

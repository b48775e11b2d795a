"""Rows of function calls: written once, a waiting one answered exactly once; each with its audit entries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from audit.context import AuditContext
from audit.enums import AuditAction, Outcome
from audit.journal import build_entry, record_entries
from audit.models import AuditEntry
from functions.calls import CallRequest
from functions.definitions import Function
from functions.enums import CallStatus
from functions.errors import Code
from functions.models import FunctionCall

# What is recorded beside a refused call: the model has tried to say whose data it wants.
IDENTITY_SIGNAL = "identity_argument"
OUTCOMES: Mapping[str, tuple[AuditAction, Outcome]] = {
    CallStatus.OK: (AuditAction.FUNCTION_EXECUTED, Outcome.OK),
    CallStatus.DENIED: (AuditAction.FUNCTION_DENIED, Outcome.REFUSED),
    CallStatus.ERROR: (AuditAction.FUNCTION_FAILED, Outcome.REFUSED),
    CallStatus.TIMEOUT: (AuditAction.FUNCTION_FAILED, Outcome.FAILED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One evaluated call as it is stored; `result` is "" when the customer is asked.

    sealed     the arguments as the model gave them, encrypted
    digest     SHA-256 of their canonical bytes, hexadecimal
    public     what the phone and the staff may see of them
    function   None: there is none of that name
    signals    closed words for what looked like an attack
    """

    call_id: UUID
    request: CallRequest
    function: Function | None
    sealed: bytes = field(repr=False)
    digest: str
    public: Mapping[str, str] = field(default_factory=dict)
    status: CallStatus
    code: Code | None
    result: str = field(default="", repr=False)
    duration_ms: int
    signals: tuple[str, ...] = ()


def store_call(context: AuditContext, record: CallRecord, *, now: datetime) -> FunctionCall:
    """Write the call and its audit entries in the caller's transaction."""
    request, function = record.request, record.function
    call = FunctionCall(
        id=record.call_id,
        conversation_id=request.conversation_id,
        turn_id=request.turn_id,
        step=request.step,
        customer_id=request.customer_id,
        name=clip_name(request.name),
        kind=function.kind if function else "",
        version=function.version if function else 0,
        schema_hash=function.schema_hash if function else "",
        said=request.said.replace("\x00", ""),
        state_id=request.state_id[:128],
        arguments_sealed=record.sealed,
        arguments_hash=record.digest,
        arguments_public=dict(record.public),
        status=record.status,
        code=record.code or "",
        result=record.result,
        result_bytes=len(record.result.encode()),
        duration_ms=record.duration_ms,
        created_at=now,
        finished_at=None if record.status == CallStatus.WAITING else now,
    )
    call.save(force_insert=True)
    entries = [build_request(context, call)]
    if record.status != CallStatus.WAITING:
        signals = {"signal": "+".join(record.signals)} if record.signals else {}
        entries.append(build_outcome(context, call, signals))
    record_entries(entries)
    return call


def answer_call(
    context: AuditContext,
    *,
    call: FunctionCall,
    status: CallStatus,
    code: str,
    result: str,
    now: datetime,
    links: Mapping[str, str] | None = None,
) -> bool:
    """Give a waiting call its one answer, in the transaction of whatever ended the waiting; `call` follows its row.

    code    closed error code, "" when all is well
    result  the JSON object the model is told
    links   ids of what the call became, for its audit entry

    Returns False, and changes nothing, when it was answered before.
    """
    answer = {
        "status": status,
        "code": code,
        "result": result,
        "result_bytes": len(result.encode()),
        "finished_at": now,
    }
    if FunctionCall.objects.filter(pk=call.pk, status=CallStatus.WAITING).update(**answer) != 1:
        return False
    for name, value in answer.items():
        setattr(call, name, value)
    record_entries([build_outcome(context, call, links or {})])
    return True


def build_request(context: AuditContext, call: FunctionCall) -> AuditEntry:
    """Return the entry that says what the model asked for."""
    details = {**describe_call(call), "arguments_sha256": call.arguments_hash}
    return build_call_entry(context, AuditAction.FUNCTION_REQUESTED, call, outcome=Outcome.OK, details=details)


def build_outcome(context: AuditContext, call: FunctionCall, more: Mapping[str, str]) -> AuditEntry:
    """Return the entry that says how the call ended; `more` is what else belongs into its details."""
    action, outcome = OUTCOMES[call.status]
    details = {**describe_call(call), "duration_ms": call.duration_ms, "result_bytes": call.result_bytes}
    details |= {"code": call.code} if call.code else {}
    details |= more
    is_fault = call.code == Code.INTERNAL
    return build_call_entry(context, action, call, outcome=Outcome.FAILED if is_fault else outcome, details=details)


def build_call_entry(
    context: AuditContext,
    action: AuditAction,
    call: FunctionCall,
    *,
    outcome: Outcome,
    details: Mapping[str, str | int],
) -> AuditEntry:
    ids = {"customer_id": call.customer_id, "conversation_id": call.conversation_id, "turn_id": call.turn_id}
    subject = ("function_call", str(call.pk))
    return build_entry(context, action, subject=subject, ids=ids, outcome=outcome, details=details)


def describe_call(call: FunctionCall) -> dict[str, str | int]:
    # An unknown name is the model's own text, and no text of a model gets into the evidence.
    name = call.name if call.version else "unknown"
    return {"call": str(call.pk), "function": name, "version": call.version}


def clip_name(name: str) -> str:
    """Return the model's name of a function as it is stored: printable ASCII, at most 64 characters, never empty."""
    shown = "".join(char for char in name if char.isprintable() and char.isascii())
    return shown[:64] or "?"

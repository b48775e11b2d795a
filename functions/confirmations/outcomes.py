"""What follows from a yes: the execution, and what it makes of the confirmation, its call and its receipt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from accounts.enums import OperationStatus
from accounts.errors import TransferSuspended
from accounts.services.idempotency import keep_refusal
from audit.context import AuditContext
from audit.enums import AuditAction
from functions.confirmations.asking import request_confirmation
from functions.confirmations.executing import Attempt, execute_plan
from functions.confirmations.moves import answer_refused, move_confirmation, record_confirmation
from functions.confirmations.payloads import build_terms, normalise_terms
from functions.confirmations.receipts import Receipt, build_receipt
from functions.definitions import Function
from functions.enums import CallStatus, ConfirmationState, HandleKind
from functions.errors import CallRefused, Code, ConfirmationError
from functions.handles import HandleTable
from functions.models import Confirmation
from functions.plans import Executed, Plan
from functions.registry import get_function
from functions.results import build_success, dump
from functions.services.calls import answer_call

CHANGED = "Условия операции изменились, она не выполнена."
CHANGED_FIX = "Скажи об этом клиенту; если он хочет, вызови функцию заново."
SUSPENDED = "Банк приостановил перевод для проверки, деньги не списаны и не зарезервированы."
SUSPENDED_FIX = (
    "Скажи клиенту, что в срок until банк спросит его ещё раз; раньше повторять бесполезно. "
    "Если клиент передумал, вызови cancel_pending_action с confirm."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a decision, or a settled payment, led to; the caller tells phones and model after the commit.

    confirmation   as it is now; None when there is none for this customer here
    refusal        the decision did not count: commit, then answer this error. Beside it everything else is empty, but
                   for TooManySignatures: that ended the confirmation
    call_result    JSON for the model, when its call was answered by this; None when it still waits, or was answered
    result_public  counts and codes for `function.completed`
    cards          what the app shows beside the answer
    receipt        for `op.result`
    replacement    the terms changed: the fresh question that took this one's place; the call still waits
    """

    confirmation: Confirmation | None
    refusal: ConfirmationError | None = None
    call_result: str | None = field(default=None, repr=False)
    result_public: Mapping[str, str | int] = field(default_factory=dict)
    cards: tuple[Mapping[str, object], ...] = field(default=(), repr=False)
    receipt: Receipt | None = None
    replacement: Confirmation | None = None

    @property
    def needs_gateway(self) -> bool:
        """Whether an outside system must be asked after the commit (`settling`)."""
        return self.refusal is None and getattr(self.confirmation, "state", "") == ConfirmationState.PROCESSING


def carry_out(context: AuditContext, confirmation: Confirmation, now: datetime) -> Decided:
    """Execute the stored plan of a confirmation that was just taken, and write down what came of it."""
    found = read_plan(confirmation)
    if found is None:
        return supersede(context, confirmation, None, now)
    function, plan = found
    attempt = execute_plan(context, confirmation, function=function, plan=plan, now=now)
    if attempt.executed is not None:
        return finish(context, confirmation, function, attempt, now)
    if attempt.changed is not None:
        return supersede(context, confirmation, attempt.changed, now)
    if attempt.suspended is not None:
        return cool_off(context, confirmation, attempt, attempt.suspended, now)
    return fail(context, confirmation, attempt, now)


def read_plan(confirmation: Confirmation) -> tuple[Function, Plan] | None:
    """Return function and plan as they were confirmed; None when the function is not that one any more."""
    function = get_function(confirmation.function)
    if function is None or function.plan is None or function.version != confirmation.version:
        return None
    try:
        plan = function.plan.model_validate(confirmation.plan)
    except ValidationError:
        return None
    assert isinstance(plan, Plan), "a plan function returns a Plan (checks.E005)"
    return function, plan


def finish(
    context: AuditContext, confirmation: Confirmation, function: Function, attempt: Attempt, now: datetime
) -> Decided:
    """The plan was carried out, or is on its way to an outside system."""
    executed = attempt.executed
    assert executed is not None, "called for what was executed"
    operation = executed.operation
    if operation is not None and operation.status == OperationStatus.PENDING:
        outcome = dump(executed.data).decode()
        move_confirmation(confirmation, ConfirmationState.PROCESSING, operation=operation, outcome=outcome)
        return Decided(confirmation=confirmation, cards=attempt.cards)
    move_confirmation(confirmation, ConfirmationState.EXECUTED, operation=operation)
    envelope = build_success(executed.data, limit=function.result_bytes)
    is_first = answer_done(context, confirmation, envelope.text, now)
    return Decided(
        confirmation=confirmation,
        call_result=envelope.text if is_first else None,
        result_public=envelope.public,
        cards=attempt.cards,
        receipt=build_receipt(confirmation, now),
    )


def answer_done(context: AuditContext, confirmation: Confirmation, result: str, now: datetime) -> bool:
    """Give the waiting call its result; False when it was answered before."""
    links = {"confirmation": str(confirmation.pk), "state": str(confirmation.state)}
    if confirmation.operation is not None:
        links["operation"] = str(confirmation.operation.public_id)
    return answer_call(
        context, call=confirmation.call, status=CallStatus.OK, code="", result=result, now=now, links=links
    )


def supersede(context: AuditContext, confirmation: Confirmation, changed: Executed | None, now: datetime) -> Decided:
    """What would have been done is not what was confirmed: nothing is done, and the customer is asked about it anew."""
    move_confirmation(confirmation, ConfirmationState.SUPERSEDED)
    details = {"state": ConfirmationState.SUPERSEDED.value, "why": "terms"}
    record_confirmation(context, AuditAction.CONFIRMATION_CLOSED, confirmation, details=details)
    function = get_function(confirmation.function)
    plan = changed.plan if changed else None
    if function is None or changed is None or plan is None or build_terms(plan) != normalise_terms(changed.terms):
        refused = CallRefused(Code.SUPERSEDED, CHANGED, fix=CHANGED_FIX)
        result = answer_refused(context, confirmation, refused, now)
        return Decided(confirmation=confirmation, call_result=result, result_public={"code": refused.code.value})
    replacement = request_confirmation(
        context, call=confirmation.call, function=function, plan=plan, now=now, replaces=confirmation
    )
    return Decided(confirmation=confirmation, replacement=replacement)


def cool_off(
    context: AuditContext, confirmation: Confirmation, attempt: Attempt, suspended: TransferSuspended, now: datetime
) -> Decided:
    """Antifraud delays acceptance: no money is reserved, and the customer is asked again when the time is over."""
    assert attempt.order is not None, "only an order is suspended"
    keep_refusal(context, attempt.order, refusal=suspended, now=now)
    move_confirmation(confirmation, ConfirmationState.COOLING_OFF, due_at=suspended.until)
    until = suspended.until.isoformat(timespec="seconds")
    details = {"until": until, "confirm": name_confirmation(confirmation, now)}
    refused = CallRefused(Code.SUSPENDED, SUSPENDED, fix=SUSPENDED_FIX, details=details)
    return tell_refused(context, confirmation, refused, now)


def name_confirmation(confirmation: Confirmation, now: datetime) -> str:
    """Return the handle by which the model may withdraw what is asked about again later: "confirm_1"."""
    table = HandleTable.load(confirmation.conversation_id, confirmation.customer_id)
    handle = table.mint(HandleKind.CONFIRMATION, str(confirmation.pk))
    table.save(now)
    return handle


def fail(context: AuditContext, confirmation: Confirmation, attempt: Attempt, now: datetime) -> Decided:
    """A rule refused the execution; nothing was done, and the same confirmation can never be tried again."""
    refused = attempt.refused
    assert refused is not None, "called for what was refused"
    if attempt.order is not None and attempt.cause is not None:
        keep_refusal(context, attempt.order, refusal=attempt.cause, now=now)
    move_confirmation(confirmation, ConfirmationState.FAILED, code=refused.code.value)
    return tell_refused(context, confirmation, refused, now)


def tell_refused(context: AuditContext, confirmation: Confirmation, refused: CallRefused, now: datetime) -> Decided:
    """Answer the call with the refusal and give the phone its receipt."""
    return Decided(
        confirmation=confirmation,
        call_result=answer_refused(context, confirmation, refused, now),
        result_public={"code": refused.code.value},
        receipt=build_receipt(confirmation, now),
    )

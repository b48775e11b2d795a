"""Confirmed payments that left the house: asked after the commit, settled once their outcome is known.

`ask_gateway` speaks to the network and holds no transaction; `settle_confirmation` writes, in the caller's. Both may
be called again and again, by the handler of the decision and by the sweeper: the operation is sent under its own id
by whoever comes first, and what the model or the phone was told once is not told again.
"""

from datetime import datetime, timedelta
from uuid import UUID

import orjson
from django.db.models import Q

from accounts.enums import OperationStatus
from accounts.gateways.installed import get_gateway
from accounts.services.gateway_orders import complete_operation
from audit.context import AuditContext
from functions.confirmations.closing import lock_confirmation
from functions.confirmations.moves import move_confirmation
from functions.confirmations.outcomes import Decided, answer_done, tell_refused
from functions.confirmations.receipts import build_receipt
from functions.enums import ConfirmationState
from functions.errors import CallRefused, Code
from functions.models import Confirmation

# Younger ones are still in the hands of whoever took the decision.
HANDLING_TIME = timedelta(seconds=15)
REFUSED_OUTSIDE = "Банк или организация получателя отклонили платёж; деньги снова доступны на счёте."
DONE = frozenset({OperationStatus.POSTED, OperationStatus.REVERSED})


def ask_gateway(context: AuditContext, *, confirmation_id: UUID, now: datetime) -> None:
    """Send the operation of a processing confirmation to its outside system, unless that was done before.

    Must run outside a transaction, after the decision committed.
    """
    confirmation = Confirmation.objects.select_related("operation").get(pk=confirmation_id)
    if confirmation.state == ConfirmationState.PROCESSING and confirmation.operation is not None:
        complete_operation(context, operation=confirmation.operation, gateway=get_gateway(), now=now)


def settle_confirmation(context: AuditContext, *, confirmation_id: UUID, now: datetime) -> Decided | None:
    """Write down what became of a processing confirmation, in the caller's transaction; None when nothing is new.

    An outcome that is still unknown is told once, as `processing`: the model's call ends with it, and what comes
    later is only a receipt.
    """
    confirmation = lock_confirmation(confirmation_id)
    if confirmation is None or confirmation.state != ConfirmationState.PROCESSING:
        return None
    assert confirmation.operation is not None, "the constraint executed_money_has_an_operation"
    status = OperationStatus(confirmation.operation.status)
    if status == OperationStatus.PENDING:
        return tell_processing(context, confirmation, now) if confirmation.outcome else None
    if status in DONE:
        return tell_done(context, confirmation, now)
    move_confirmation(confirmation, ConfirmationState.FAILED, code=Code.DECLINED.value, outcome="")
    return tell_refused(context, confirmation, CallRefused(Code.DECLINED, REFUSED_OUTSIDE), now)


def tell_processing(context: AuditContext, confirmation: Confirmation, now: datetime) -> Decided:
    result = build_result(confirmation.outcome)
    move_confirmation(confirmation, ConfirmationState.PROCESSING, outcome="")
    is_first = answer_done(context, confirmation, result, now)
    return Decided(
        confirmation=confirmation,
        call_result=result if is_first else None,
        receipt=build_receipt(confirmation, now),
    )


def tell_done(context: AuditContext, confirmation: Confirmation, now: datetime) -> Decided:
    outcome = confirmation.outcome
    move_confirmation(confirmation, ConfirmationState.EXECUTED, outcome="")
    result = build_result(outcome, status=ConfirmationState.EXECUTED.value) if outcome else None
    is_first = result is not None and answer_done(context, confirmation, result, now)
    return Decided(
        confirmation=confirmation,
        call_result=result if is_first else None,
        receipt=build_receipt(confirmation, now),
    )


def build_result(outcome: str, **changes: str) -> str:
    """Return the model's envelope of a kept outcome, with what changed since."""
    return orjson.dumps({"ok": True, "data": {**orjson.loads(outcome), **changes}}).decode()


def list_unsettled(now: datetime) -> list[Confirmation]:
    """Return the payments that somebody must look at: their outcome is known, or nobody was told anything yet.

    Oldest first. An outcome that stays unknown and was told is the reconciler's (`manage.py reconcile_transfers`).
    """
    is_known = ~Q(operation__status=OperationStatus.PENDING)
    is_untold = ~Q(outcome="") & Q(decided_at__lte=now - HANDLING_TIME)
    rows = Confirmation.objects.filter(is_known | is_untold, state=ConfirmationState.PROCESSING)
    return list(rows.order_by("created_at", "pk"))

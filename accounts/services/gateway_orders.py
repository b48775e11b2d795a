"""Operations that leave the house: asked after commit, answered once, asked again under the same id when unknown.

The hold commits first; only then the gateway hears of the operation. An answer posts or voids the hold. Without an
answer nothing is decided: the money stays held until the reconciler learns what happened. No network call is ever
made inside a transaction.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from accounts.enums import BillStatus, GatewayAnswer, OperationStatus
from accounts.errors import GatewayUnavailable, HoldResolved
from accounts.gateways.contract import DeliveredReply, GatewayReply, GatewayRequest, PaymentGateway
from accounts.models import Bill, GatewayOrder, Operation
from accounts.money import Money
from accounts.services.holds import HeldOperation, describe_amount, lock_held, post_hold, record_hold, release_holds
from accounts.services.payees import mark_paid, read_target
from accounts.services.posting import finish_operation
from audit.context import AuditContext
from audit.enums import AuditAction, Outcome
from audit.journal import record_entry

logger = logging.getLogger(__name__)
SBP, BILLER = "sbp", "biller"
OPEN_ANSWERS = (GatewayAnswer.NONE, GatewayAnswer.UNKNOWN)
# An operation younger than this is still being sent by whoever made it.
SENDING_TIME = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class ReconciledCount:
    """What one round learned: operations that ended, and those whose outcome is still unknown."""

    ended: int
    unknown: int


def complete_operation(
    context: AuditContext, *, operation: Operation, gateway: PaymentGateway, now: datetime
) -> Operation:
    """Send a committed pending operation to the gateway and post or void it by the answer.

    Only the first caller sends; for everybody else, and when the gateway does not answer, the operation stays as it
    is: pending means that the outcome is not known yet.
    """
    first = GatewayOrder.objects.filter(operation=operation, attempts=0)
    if operation.status != OperationStatus.PENDING or first.update(attempts=1, asked_at=now) != 1:
        return Operation.objects.get(pk=operation.pk)
    order = get_order(operation.pk)
    try:
        reply = gateway.send(build_request(order))
    except GatewayUnavailable:
        return note_silence(context, order)
    return apply_answer(context, operation_id=operation.public_id, reply=reply, now=now)


@transaction.atomic
def apply_answer(context: AuditContext, *, operation_id: UUID, reply: GatewayReply, now: datetime) -> Operation:
    """Post or void the operation by its gateway's final answer.

    The first final answer counts; the same one again changes nothing; a contradicting one changes nothing either, but
    is recorded as failed for people to look at.

    Raises: ValueError when the answer is not final
    """
    if reply.answer in OPEN_ANSWERS:
        raise ValueError("an answer is accepted or refused")
    operation = Operation.objects.select_related("payee", "bill", "card").get(public_id=operation_id)
    try:
        held = lock_held(operation, now=now)
    except HoldResolved:
        return compare_answers(context, operation, reply)
    return settle_answer(context, held, reply, now)


def compare_answers(context: AuditContext, operation: Operation, reply: GatewayReply) -> Operation:
    """Look at an answer that came after the first final one; it changes nothing."""
    order = get_order(operation.pk)
    if order.answer != reply.answer:
        logger.error("a gateway contradicts its answer", extra={"operation": str(operation.public_id)})
        record_answer(context, order, reply.answer, outcome=Outcome.FAILED)
    return order.operation


def settle_answer(context: AuditContext, held: HeldOperation, reply: GatewayReply, now: datetime) -> Operation:
    """Write everything that follows from the first final answer; the operation is locked."""
    order = get_order(held.draft.operation.pk)
    order.answer, order.reason, order.reference = reply.answer, reply.reason, reply.reference
    order.answered_at = now
    order.save(update_fields=["answer", "reason", "reference", "answered_at"])
    record_answer(context, order, reply.answer)
    if reply.answer == GatewayAnswer.ACCEPTED:
        return accept_operation(context, held, now)
    operation = release_holds(
        context, held, status=OperationStatus.VOIDED, action=AuditAction.HOLD_VOIDED, reason=reply.reason
    )
    if operation.bill_id is not None:
        Bill.objects.filter(pk=operation.bill_id).update(status=BillStatus.UNPAID)
    return operation


def accept_operation(context: AuditContext, held: HeldOperation, now: datetime) -> Operation:
    """Post every hold of the operation, fee included; mark its bill and payee paid."""
    principal = held.principal
    for hold in held.holds:
        post_hold(held, hold)
    operation = finish_operation(held.draft, OperationStatus.POSTED)
    amount = describe_amount(Money(principal.amount_minor, principal.currency))
    record_hold(context, AuditAction.HOLD_POSTED, operation, amount)
    if operation.bill_id is not None:
        Bill.objects.filter(pk=operation.bill_id).update(status=BillStatus.PAID, paid_at=now)
        record_hold(context, AuditAction.BILL_PAID, operation, amount)
    if operation.payee is not None:
        mark_paid(operation.payee, now)
    return operation


def reconcile_transfers(
    context: AuditContext, *, gateway: PaymentGateway, now: datetime, least_age: timedelta = SENDING_TIME
) -> ReconciledCount:
    """Learn what became of operations without a final answer; each is asked about under the id it was sent with.

    What the gateway never saw is sent, again under the same id. Answers that came by themselves count first.
    """
    ended = sum(take_answer(context, delivered.operation_id, delivered.reply, now) for delivered in take_new(gateway))
    unknown = 0
    for order in list_open_orders(now - least_age):
        reply = ask_again(context, order, gateway, now)
        if reply is None:
            unknown += 1
        else:
            ended += take_answer(context, order.operation.public_id, reply, now)
    return ReconciledCount(ended=ended, unknown=unknown)


def take_new(gateway: PaymentGateway) -> Sequence[DeliveredReply]:
    """Return the answers that came by themselves; none while the gateway is silent."""
    try:
        return gateway.take_answers()
    except GatewayUnavailable:
        return ()


def take_answer(context: AuditContext, operation_id: UUID, reply: GatewayReply, now: datetime) -> bool:
    """Apply a final answer; True when it ended the operation, False when it had ended before."""
    was_open = GatewayOrder.objects.filter(operation__public_id=operation_id, answer__in=OPEN_ANSWERS).exists()
    apply_answer(context, operation_id=operation_id, reply=reply, now=now)
    return was_open


def ask_again(
    context: AuditContext, order: GatewayOrder, gateway: PaymentGateway, now: datetime
) -> GatewayReply | None:
    """Ask about one operation, or send what never arrived; None when it stays unknown."""
    GatewayOrder.objects.filter(pk=order.pk).update(attempts=F("attempts") + 1, asked_at=now)
    order.attempts += 1
    request = build_request(order)
    try:
        return gateway.ask(request) or gateway.send(request)
    except GatewayUnavailable:
        note_silence(context, order)
        return None


def list_open_orders(asked_before: datetime) -> list[GatewayOrder]:
    """Return the orders without a final answer that nobody spoke about since, oldest first."""
    quiet = Q(asked_at__lt=asked_before) | Q(asked_at__isnull=True, created_at__lt=asked_before)
    rows = GatewayOrder.objects.filter(quiet, answer__in=OPEN_ANSWERS).order_by("created_at", "pk")
    return list(rows.select_related("operation__payee", "operation__bill__biller"))


@transaction.atomic
def note_silence(context: AuditContext, order: GatewayOrder) -> Operation:
    """Remember that the gateway did not answer; the first time it is evidence."""
    changed = GatewayOrder.objects.filter(pk=order.pk, answer=GatewayAnswer.NONE).update(answer=GatewayAnswer.UNKNOWN)
    if changed:
        record_answer(context, order, GatewayAnswer.UNKNOWN, outcome=Outcome.FAILED)
    return Operation.objects.get(pk=order.operation_id)


def get_order(operation_pk: int) -> GatewayOrder:
    rows = GatewayOrder.objects.select_related("operation__payee", "operation__bill__biller")
    return rows.get(operation=operation_pk)


def build_request(order: GatewayOrder) -> GatewayRequest:
    """Return the operation as the gateway needs it; the only place that opens a payee's target."""
    operation = order.operation
    principal = operation.entries.order_by("seq")[0]
    bill, payee = operation.bill, operation.payee
    if bill is not None:
        target, recipient = bill.reference, bill.biller.code
    else:
        assert payee is not None, "an operation of a gateway has a bill or a payee"
        target, recipient = read_target(payee), payee.bank_id or ""
    return GatewayRequest(
        operation_id=operation.public_id,
        gateway=order.gateway,
        target=target,
        recipient=recipient,
        amount=Money(principal.amount_minor, principal.currency),
        memo=operation.description,
        attempt=order.attempts,
    )


def record_answer(
    context: AuditContext, order: GatewayOrder, answer: GatewayAnswer, *, outcome: Outcome = Outcome.OK
) -> None:
    record_entry(
        context,
        AuditAction.GATEWAY_ANSWERED,
        subject="operation",
        subject_id=str(order.operation.public_id),
        customer_id=order.operation.customer_id,
        outcome=outcome,
        details={
            "operation": str(order.operation.public_id),
            "gateway": order.gateway,
            "answer": answer.value,
            "attempt": order.attempts,
        },
    )

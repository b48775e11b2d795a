"""The customer's yes or no, time that runs out, payments that come to an end: what each does to phones and turns.

Every act locks the conversation first, and its rows, events and audit entries commit together. Outside systems are
asked between two transactions, never inside one.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.device_signatures import decode_base64url
from accounts.models import DeviceSession
from accounts.services.idempotency import retry_transaction
from accounts.tokens import AccessClaims
from audit.context import AuditContext
from chat.enums import TurnState
from chat.errors import ConversationNotFound
from chat.models import Conversation, Turn
from chat.protocol import events
from chat.protocol.commands import ConfirmDecide
from chat.protocol.replies import DecisionReply
from chat.services.claims import build_engine_context
from chat.services.questions import (
    Told,
    build_closed,
    build_completed,
    build_request,
    resume_turn,
    tell_closed,
)
from chat.services.turns import end_by_customer
from chat.stream import append_events, lock_conversation
from functions.confirmations.asking import list_superseded
from functions.confirmations.checking import Decision
from functions.confirmations.closing import expire_confirmation, list_due_confirmations
from functions.confirmations.cooling import ask_again, list_cooled
from functions.confirmations.deciding import decide
from functions.confirmations.outcomes import Decided
from functions.confirmations.receipts import Receipt
from functions.confirmations.settling import ask_gateway, list_unsettled, settle_confirmation
from functions.enums import ConfirmationState
from functions.errors import ConfirmationError, ConfirmationExpired, TooManySignatures
from functions.models import Confirmation


def decide_confirmation(
    context: AuditContext, claims: AccessClaims, conversation_id: UUID, command: ConfirmDecide
) -> DecisionReply:
    """Take the decision and carry out what it allows; when this returns, everything is committed and in the log.

    A payment that leaves the house is only `approved` then: call `finish_payment` next.

    Raises: ConversationNotFound, ConfirmationError
    """
    taken = retry_transaction(lambda: take_decision(context, claims, conversation_id, command))
    if isinstance(taken, ConfirmationError):
        raise taken
    return taken


def take_decision(
    context: AuditContext, claims: AccessClaims, conversation_id: UUID, command: ConfirmDecide
) -> DecisionReply | ConfirmationError:
    """In the caller's transaction, which commits a refusal, too: bad signatures are counted."""
    conversation = lock_conversation(conversation_id)
    if conversation.customer_id != claims.customer_id:
        raise ConversationNotFound
    now = timezone.now()
    decided = decide(
        context,
        customer_id=claims.customer_id,
        conversation_id=conversation_id,
        session_id=claims.session_id,
        device_id=claims.device_id,
        decision=read_decision(command),
        now=now,
        asked_device=find_asked_device(command.confirm),
    )
    told = tell_decided(context, conversation, decided, command, claims.device_id, now)
    first = conversation.top + 1
    if told:
        append_events(conversation, told, turn_id=get_turn_id(decided))
    if decided.refusal is not None:
        return decided.refusal
    return DecisionReply(state=name_state(decided, command), s=first)


def read_decision(command: ConfirmDecide) -> Decision:
    return Decision(
        confirm=command.confirm,
        decision=command.decision,
        hash=command.hash,
        nonce=command.nonce,
        kid=command.kid or "",
        sig=decode_base64url(command.sig or ""),
        payee=command.payee,
    )


def find_asked_device(confirmation_id: UUID) -> str:
    """Return the device whose message led to the question; "" when that is not known."""
    turn_id = Confirmation.objects.filter(pk=confirmation_id).values_list("turn_id", flat=True).first()
    if turn_id is None:
        return ""
    return Turn.objects.filter(pk=turn_id).values_list("device_id", flat=True).first() or ""


def get_turn_id(decided: Decided) -> UUID | None:
    return decided.confirmation.turn_id if decided.confirmation else None


def name_state(decided: Decided, command: ConfirmDecide) -> Literal["approved", "declined", "superseded"]:
    if decided.confirmation is not None and decided.confirmation.state == ConfirmationState.SUPERSEDED:
        return "superseded"
    return "approved" if command.decision == "approve" else "declined"


def tell_decided(
    context: AuditContext,
    conversation: Conversation,
    decided: Decided,
    command: ConfirmDecide,
    device_id: str,
    now: datetime,
) -> Told:
    """Return the events of a decision; the turn that waited for it goes on when its call was answered."""
    confirmation = decided.confirmation
    if confirmation is None:
        return []
    if decided.refusal is not None:
        return tell_refused(context, conversation, confirmation, decided.refusal, now)
    if confirmation.state == ConfirmationState.SUPERSEDED:
        told = [events.encode(build_closed(confirmation))]
        if decided.replacement is not None:
            return told + tell_asked(conversation, decided.replacement, now)
        return told + tell_outcome(conversation, decided, now)
    said = events.ConfirmDecided(confirm=confirmation.pk, decision=command.decision, dev=device_id)
    return [events.encode(said), *tell_outcome(conversation, decided, now)]


def tell_refused(
    context: AuditContext,
    conversation: Conversation,
    confirmation: Confirmation,
    refusal: ConfirmationError,
    now: datetime,
) -> Told:
    """Return the events of a decision that did not count but ended the question: the last signature, or its time."""
    if isinstance(refusal, ConfirmationExpired) and confirmation.state == ConfirmationState.PENDING:
        expired = expire_confirmation(context, confirmation_id=confirmation.pk, now=now)
        return tell_closed(conversation, [expired] if expired else [], now)
    is_ended = isinstance(refusal, TooManySignatures)
    return tell_closed(conversation, [confirmation] if is_ended else [], now)


def tell_asked(conversation: Conversation, question: Confirmation, now: datetime) -> Told:
    """Return the events of a fresh question and of those it took the place of."""
    told = tell_closed(conversation, list_superseded(question), now)
    return [*told, events.encode(build_request(question))]


def tell_outcome(conversation: Conversation, decided: Decided, now: datetime) -> Told:
    """Return receipt and end of the call; the turn goes on unless it ended meanwhile."""
    confirmation, told = decided.confirmation, Told()
    if decided.receipt is not None:
        told.append(events.encode(build_operation_result(decided.receipt)))
    if confirmation is not None and decided.call_result is not None and resume_turn(conversation, confirmation, now):
        completed = build_completed(confirmation.call, public=decided.result_public, cards=decided.cards)
        told.append(events.encode(completed))
    return told


def build_operation_result(receipt: Receipt) -> events.OperationResult:
    return events.OperationResult(
        confirm=receipt.confirm,
        op=receipt.op,
        status=receipt.status,
        receipt=receipt.receipt,
        ssig=receipt.ssig,
        kid=receipt.kid,
    )


def finish_payment(context: AuditContext, conversation_id: UUID, confirmation_id: UUID) -> None:
    """Ask the outside system about an approved payment and tell what came of it; harmless to repeat.

    For any other confirmation it does nothing. What a crash leaves here, `settle_payments` finds.
    """
    processing = Confirmation.objects.filter(pk=confirmation_id, state=ConfirmationState.PROCESSING)
    if processing.exists():
        ask_gateway(context, confirmation_id=confirmation_id, now=timezone.now())
        retry_transaction(lambda: settle_payment(context, conversation_id, confirmation_id))


def settle_payment(context: AuditContext, conversation_id: UUID, confirmation_id: UUID) -> bool:
    """In the caller's transaction; False when nothing is new."""
    conversation = lock_conversation(conversation_id)
    now = timezone.now()
    decided = settle_confirmation(context, confirmation_id=confirmation_id, now=now)
    if decided is None:
        return False
    append_events(conversation, tell_outcome(conversation, decided, now), turn_id=get_turn_id(decided))
    return True


def settle_payments(engine: str, now: datetime) -> int:
    """Finish what the takers of decisions left, and tell outcomes that came late; return how many were looked at."""
    unsettled = list_unsettled(now)
    for confirmation in unsettled:
        finish_payment(build_engine_context(engine), confirmation.conversation_id, confirmation.pk)
    return len(unsettled)


def expire_questions(engine: str) -> int:
    """End every question whose time is over; the answers that waited go on."""
    return sum(expire_question(engine, due) for due in list_due_confirmations(timezone.now()))


@transaction.atomic(durable=True)
def expire_question(engine: str, due: Confirmation) -> bool:
    conversation = lock_conversation(due.conversation_id)
    now = timezone.now()
    expired = expire_confirmation(build_engine_context(engine), confirmation_id=due.pk, now=now)
    if expired is None:
        return False
    append_events(conversation, tell_closed(conversation, [expired], now), turn_id=expired.turn_id)
    return True


def ask_cooled(engine: str, now: datetime) -> int:
    """Ask again about every payment whose cooling off is over."""
    return sum(ask_cooled_payment(engine, cooled, now) for cooled in list_cooled(now))


@transaction.atomic(durable=True)
def ask_cooled_payment(engine: str, cooled: Confirmation, now: datetime) -> bool:
    conversation = lock_conversation(cooled.conversation_id)
    question = ask_again(build_engine_context(engine), confirmation_id=cooled.pk, now=now)
    if question is None:
        return False
    append_events(conversation, tell_asked(conversation, question, now), turn_id=question.turn_id)
    return True


def cancel_orphans(engine: str) -> int:
    """Stop every turn that waits for a decision while the session that asked was ended: its device may be lost."""
    revoked = DeviceSession.objects.filter(revoked_at__isnull=False, pk=OuterRef("session_id"))
    waiting = Turn.objects.filter(Exists(revoked), state=TurnState.AWAITING_CONFIRM)
    return sum(cancel_orphan(engine, turn_id) for turn_id in waiting.values_list("pk", flat=True))


@transaction.atomic(durable=True)
def cancel_orphan(engine: str, turn_id: UUID) -> bool:
    conversation = lock_conversation(Turn.objects.values_list("conversation_id", flat=True).get(pk=turn_id))
    turn = Turn.objects.filter(pk=turn_id, state=TurnState.AWAITING_CONFIRM).first()
    if turn is None:
        return False
    end_by_customer(build_engine_context(engine), conversation, turn, "", timezone.now())
    return True


def tend_questions(engine: str) -> dict[str, int]:
    """Do everything about questions that is due; return how many there were of each kind. A handful of rows."""
    return {
        "expired": expire_questions(engine),
        "settled": settle_payments(engine, timezone.now()),
        "asked_again": ask_cooled(engine, timezone.now()),
        "orphans": cancel_orphans(engine),
    }

"""What each command of a conversation does, whichever door it came through: the socket or REST.

Returns the reply as the phone gets it; errors are for the one table in `chat.socket.refusals`.
"""

from uuid import UUID

from accounts.tokens import AccessClaims
from audit.context import AuditContext
from audit.enums import AuditAction, Outcome
from audit.journal import record_refusal
from chat.enums import BusyPolicy
from chat.errors import ConversationNotFound, FileUnknown
from chat.protocol.codes import ErrorCode, ProtocolError
from chat.protocol.commands import ConfirmDecide, TurnCancel, TurnSubmit
from chat.protocol.replies import CancelReply, DecisionReply, TurnSubmitted
from chat.services.confirmations import decide_confirmation, finish_payment
from chat.services.turns import Submission, cancel_turn, start_turn

# A message older than this is not sent to the model any more, whatever the phone allows.
MAX_SUBMIT_AGE_MS = 24 * 3600 * 1000
# A yes that waited longer in the phone's outbox may no longer be what the customer wants.
MAX_DECISION_AGE_MS = 120 * 1000

ConversationCommand = TurnSubmit | TurnCancel | ConfirmDecide
ConversationReply = TurnSubmitted | CancelReply | DecisionReply


def carry_out(
    context: AuditContext, claims: AccessClaims, conversation_id: UUID, command: ConversationCommand
) -> ConversationReply:
    """Do one command for the bearer of `claims`; asking for what is somebody else's leaves an audit entry.

    Answer the phone, then call `follow_up`.

    Raises: ChatError, ConfirmationError, ProtocolError, SessionRevoked
    """
    try:
        return dispatch(context, claims, conversation_id, command)
    except ConversationNotFound:
        note_denied(context, claims, conversation_id, subject="conversation")
        raise
    except FileUnknown as error:
        note_denied(context, claims, error.file_id, subject="file")
        raise


def follow_up(context: AuditContext, conversation_id: UUID, command: ConversationCommand) -> None:
    """Do what need not hold up the reply: an approved payment that leaves the house is sent there."""
    if isinstance(command, ConfirmDecide) and command.decision == "approve":
        finish_payment(context, conversation_id, command.confirm)


def dispatch(
    context: AuditContext, claims: AccessClaims, conversation_id: UUID, command: ConversationCommand
) -> ConversationReply:
    match command:
        case TurnSubmit():
            return submit_turn(context, claims, conversation_id, command)
        case TurnCancel():
            return stop_turn(context, claims, conversation_id, command)
        case ConfirmDecide():
            return take_decision(context, claims, conversation_id, command)


def submit_turn(
    context: AuditContext, claims: AccessClaims, conversation_id: UUID, command: TurnSubmit
) -> TurnSubmitted:
    """Store the customer's message and queue its turn."""
    refuse_too_old(command.age_ms, min(command.max_age_ms or MAX_SUBMIT_AGE_MS, MAX_SUBMIT_AGE_MS))
    accepted = start_turn(
        context,
        customer_id=claims.customer_id,
        conversation_id=conversation_id,
        submission=Submission(
            mid=command.mid,
            text=command.text,
            device_id=claims.device_id,
            session_id=claims.session_id,
            busy=BusyPolicy(command.busy),
            is_new=command.new,
            file_ids=command.files,
        ),
    )
    return TurnSubmitted(
        turn=accepted.turn_id, msg=accepted.question_id, e=accepted.epoch, s=accepted.seq, dup=accepted.is_duplicate
    )


def stop_turn(context: AuditContext, claims: AccessClaims, conversation_id: UUID, command: TurnCancel) -> CancelReply:
    was_running = cancel_turn(
        context,
        customer_id=claims.customer_id,
        conversation_id=conversation_id,
        turn_id=command.turn,
        device_id=claims.device_id,
    )
    return CancelReply(state="cancelling" if was_running else "finished")


def take_decision(
    context: AuditContext, claims: AccessClaims, conversation_id: UUID, command: ConfirmDecide
) -> DecisionReply:
    """Take the customer's yes or no; everything it changes commits before this returns.

    Raises: ConfirmationError, ConversationNotFound, SessionRevoked
    """
    refuse_too_old(command.age_ms, MAX_DECISION_AGE_MS)
    return decide_confirmation(context, claims, conversation_id, command)


def refuse_too_old(age_ms: int, limit_ms: int) -> None:
    if age_ms > limit_ms:
        raise ProtocolError(ErrorCode.CMD_TOO_OLD, "the command waited too long", field="d.age_ms")


def note_denied(context: AuditContext, claims: AccessClaims, subject_id: UUID, *, subject: str) -> None:
    record_refusal(
        context,
        AuditAction.ACCESS_DENIED,
        subject=subject,
        subject_id=str(subject_id),
        customer_id=claims.customer_id,
        outcome=Outcome.REFUSED,
    )

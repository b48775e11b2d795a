"""The customer's yes or no, and what it does to the turn that waits for it."""

from uuid import UUID

from accounts.tokens import AccessClaims
from audit.context import AuditContext
from chat.protocol.commands import ConfirmDecide
from chat.protocol.replies import DecisionReply
from functions.errors import ConfirmationNotFound


def decide_confirmation(
    _context: AuditContext, _claims: AccessClaims, _conversation_id: UUID, _command: ConfirmDecide
) -> DecisionReply:
    """Raises: ConfirmationNotFound: no function asks anything yet"""
    raise ConfirmationNotFound

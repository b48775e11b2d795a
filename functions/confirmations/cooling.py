"""Payments that antifraud delayed: when their time is over, the customer is asked again."""

from datetime import datetime
from uuid import UUID

from audit.context import AuditContext
from functions.confirmations.asking import request_confirmation
from functions.confirmations.closing import lock_confirmation, withdraw_cooling
from functions.confirmations.moves import move_confirmation
from functions.confirmations.outcomes import read_plan
from functions.enums import ConfirmationState
from functions.models import Confirmation


def list_cooled(now: datetime) -> list[Confirmation]:
    """Return the payments whose cooling off is over, oldest first."""
    rows = Confirmation.objects.filter(state=ConfirmationState.COOLING_OFF, due_at__lte=now)
    return list(rows.order_by("due_at", "pk"))


def ask_again(context: AuditContext, *, confirmation_id: UUID, now: datetime) -> Confirmation | None:
    """Ask the customer the same once more, in the caller's transaction; None when nobody is to be asked.

    The fresh question has the same plan, so the suspended order is recognised and passes once. A plan whose function
    is another by now is withdrawn.
    """
    confirmation = lock_confirmation(confirmation_id)
    if confirmation is None or confirmation.state != ConfirmationState.COOLING_OFF:
        return None
    if confirmation.due_at is None or now < confirmation.due_at:
        return None
    found = read_plan(confirmation)
    if found is None:
        withdraw_cooling(context, confirmation)
        return None
    move_confirmation(confirmation, ConfirmationState.ASKED_AGAIN)
    function, plan = found
    return request_confirmation(
        context, call=confirmation.call, function=function, plan=plan, now=now, replaces=confirmation
    )

"""Reads of customers and device sessions."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.errors import SessionRevoked
from accounts.models import Customer, DeviceSession


def get_live_session(session_id: UUID) -> DeviceSession:
    """Return the session with its customer and login loaded; one query.

    Raises: SessionRevoked when it is unknown, revoked, over, or its login was deactivated.
    """
    found = DeviceSession.objects.select_related("customer__user").filter(pk=session_id).first()
    if found is None or not is_live(found, timezone.now()):
        raise SessionRevoked
    return found


# The rule of `is_live`, for where a millisecond counts: three joined models cost Django more than their query.
LIVE_CALLER = """
    SELECT customer.*, COALESCE(session.stepped_up_at, session.created_at) AS authenticated_at
    FROM accounts_devicesession session
    JOIN accounts_customer customer ON customer.id = session.customer_id
    JOIN auth_user login ON login.id = customer.user_id
    WHERE session.id = %s AND customer.id = %s
      AND session.revoked_at IS NULL AND session.expires_at > %s AND login.is_active
"""


@dataclass(frozen=True, slots=True)
class LiveCaller:
    """The customer of a live session, and when the password was given last."""

    customer: Customer
    authenticated_at: datetime


def find_live_caller(session_id: UUID, *, customer_id: UUID, now: datetime) -> LiveCaller | None:
    """Return the session's customer while the session lives; None for a stranger's session too. One query."""
    for customer in Customer.objects.raw(LIVE_CALLER, [session_id, customer_id, now]):
        return LiveCaller(customer, getattr(customer, "authenticated_at"))  # noqa: B009 - a column of the query alone
    return None


def is_live(session: DeviceSession, now: datetime) -> bool:
    return session.revoked_at is None and session.expires_at > now and session.customer.user.is_active


def find_customer(username: str) -> Customer | None:
    """Return the customer with this login name, its login loaded."""
    return Customer.objects.select_related("user").filter(user__username=username).first()


def list_revoked_since(moment: datetime) -> list[UUID]:
    """Return the ids of sessions revoked at or after `moment`.

    A revocation becomes visible when its transaction commits, a little after its `revoked_at`: a caller that asks
    again and again must ask from some seconds before its last question.
    """
    revoked = DeviceSession.objects.filter(revoked_at__gte=moment).order_by("revoked_at")
    return list(revoked.values_list("pk", flat=True))

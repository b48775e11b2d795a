"""Giving the password again within a session: what is at stake decides how fresh it must be."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.errors import SessionRevoked
from accounts.selectors import get_live_session
from accounts.services.logins import verify_login
from accounts.services.sessions import find_refusal, lock_session, record_session
from audit.context import AuditContext
from audit.enums import AuditAction


def step_up_session(context: AuditContext, *, session_id: UUID, password: str) -> None:
    """Make the session's password fresh, with its audit entry; a refusal is recorded and counted as a failed login.

    Must not run inside a transaction.

    Raises: CredentialsRefused, LoginThrottled, ThrottleUnavailable, SessionRevoked
    """
    username = get_live_session(session_id).customer.user.get_username()
    verify_login(context, username=username, password=password)
    with transaction.atomic(durable=True):
        now = timezone.now()
        session = lock_session(session_id)
        if find_refusal(session, now) is not None:
            raise SessionRevoked
        session.stepped_up_at = now
        session.save(update_fields=["stepped_up_at"])
        record_session(context, AuditAction.SESSION_STEPPED_UP, session)

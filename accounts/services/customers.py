"""Bringing customers in, and what follows when their password changes."""

from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from accounts.enums import Language, RevokeReason
from accounts.models import Customer, DeviceSession
from accounts.services.sessions import end_session
from audit.context import AuditContext


@transaction.atomic
def open_customer(user: User, *, first_name: str, last_name: str, phone: str, language: Language) -> Customer:
    """Make the customer who signs in with `user`.

    Records nothing: the caller knows on whose behalf customers come in, and records that in the same transaction.

    phone  E.164, or "" when unknown
    """
    customer = Customer(
        user=user,
        first_name=first_name,
        last_name=last_name,
        phone=phone,
        language=language,
        created_at=timezone.now(),
    )
    customer.save(force_insert=True)
    return customer


@transaction.atomic
def revoke_customer_sessions(context: AuditContext, *, customer_id: UUID, reason: RevokeReason) -> int:
    """End every open session of a customer, each with its audit entry; return how many there were."""
    now = timezone.now()
    # The same order of locks as a login has: a login that runs now is either ended here or starts after.
    Customer.objects.select_for_update(no_key=True).filter(pk=customer_id).first()
    sessions = DeviceSession.objects.select_for_update(no_key=True).filter(customer_id=customer_id, revoked_at=None)
    ended = list(sessions.order_by("pk"))
    for session in ended:
        end_session(context, session, reason, now)
    return len(ended)

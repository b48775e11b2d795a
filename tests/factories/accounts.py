"""Customers, staff and sessions for tests; no surprises in defaults."""

from datetime import timedelta
from itertools import count
from uuid import uuid4

from django.contrib.auth.models import User
from django.utils import timezone

from accounts.enums import RevokeReason
from accounts.models import Customer, DeviceSession
from accounts.tokens import issue_access_token
from audit.context import AuditContext
from audit.enums import ActorKind, Origin

PASSWORD = "correct-horse-battery"
_numbers = count(1)


def make_customer(username: str = "", *, password: str = PASSWORD, is_active: bool = True) -> Customer:
    name = username or f"customer{next(_numbers)}"
    user = User.objects.create_user(username=name, password=password, is_active=is_active)
    return Customer.objects.create(
        user=user, first_name="Анна", last_name="Ветрова", phone="+70000000001", created_at=timezone.now()
    )


def make_staff(username: str = "", *, password: str = PASSWORD) -> User:
    name = username or f"staff{next(_numbers)}"
    return User.objects.create_user(username=name, password=password, is_staff=True)


def make_session(customer: Customer, *, device_id: str = "", is_revoked: bool = False) -> DeviceSession:
    now = timezone.now()
    return DeviceSession.objects.create(
        customer=customer,
        device_id=device_id or uuid4().hex,
        created_at=now,
        last_used_at=now,
        expires_at=now + timedelta(days=30),
        revoked_at=now if is_revoked else None,
        revoke_reason=RevokeReason.LOGOUT if is_revoked else "",
    )


def make_bearer(customer: Customer) -> str:
    """Return the Authorization header of a fresh session of the customer."""
    return f"Bearer {issue_access_token(make_session(customer), timezone.now()).token}"


def make_context(ip: str = "198.51.100.7") -> AuditContext:
    return AuditContext(actor_kind=ActorKind.ANONYMOUS, actor_id="", origin=Origin.HTTP, request_id="req-1", ip=ip)

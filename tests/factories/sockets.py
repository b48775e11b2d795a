"""Sockets without a server below them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from accounts.tokens import AccessClaims
from chat.socket.hub import Hub
from chat.socket.session import Session
from chat.socket.settings import SocketSettings, read_socket_settings
from tests.fakes.transport import RecordedTransport


def make_limits(**changes: Any) -> SocketSettings:
    return replace(read_socket_settings(), **changes)


def make_claims(
    *, customer_id: UUID | None = None, device_id: str = "phone-a", lifetime_seconds: float = 600
) -> AccessClaims:
    now = timezone.now()
    return AccessClaims(
        customer_id=customer_id or uuid4(),
        session_id=uuid4(),
        device_id=device_id,
        issued_at=now,
        expires_at=now + timedelta(seconds=lifetime_seconds),
    )


def make_socket(hub: Hub | None = None, *, claims: AccessClaims | None = None, **limits: Any) -> Session:
    """Return a session that has said hello; its transport records."""
    session = Session(RecordedTransport(), hub or Hub(), make_limits(**limits))
    session.claims = claims or make_claims()
    return session


def get_transport(session: Session) -> RecordedTransport:
    transport = session.transport
    assert isinstance(transport, RecordedTransport)
    return transport

"""The life of a device session: opened by a password, kept alive by rotating refresh tokens, ended once.

Locks are taken customer first, then session; every change of a session or its tokens holds the session's row.
"""

import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.enums import RevokeReason
from accounts.errors import (
    AccountsError,
    RefreshRefused,
    SessionExpired,
    SessionNotFound,
    SessionRevoked,
    ThrottleUnavailable,
)
from accounts.models import Customer, DeviceSession, RefreshToken
from accounts.services.logins import is_worth_recording, verify_login
from accounts.throttles import build_window, count_hit, group_address
from accounts.tokens import IssuedToken, build_refresh_token, digest_secret, issue_access_token
from audit.context import AuditContext
from audit.enums import ActorKind, AuditAction, Outcome
from audit.journal import record_entry, record_refusal
from audit.pseudonyms import build_pseudonym


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """What a device holds after signing in or refreshing; `refresh_token` works once."""

    session: DeviceSession
    access: IssuedToken
    refresh_token: str = field(repr=False)


def open_session(context: AuditContext, *, username: str, password: str, device_id: str) -> OpenedSession:
    """Sign a customer in on a device; the device's older session, and the one unused longest above the limit, end.

    Session, token, revocations and audit entries commit together; a refusal is recorded by itself. Must not run inside
    a transaction.

    device_id  1..64 visible ASCII characters, chosen by the app and kept over its restarts
    Raises: CredentialsRefused, LoginThrottled, ThrottleUnavailable
    """
    customer = verify_login(context, username=username, password=password)
    return store_session(context, customer, device_id)


@transaction.atomic(durable=True)
def store_session(context: AuditContext, customer: Customer, device_id: str) -> OpenedSession:
    now = timezone.now()
    # Logins of one customer take turns, or two of them could both find room for the last device.
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    session = DeviceSession(
        customer=customer,
        device_id=device_id,
        created_at=now,
        last_used_at=now,
        expires_at=now + timedelta(days=settings.REFRESH_TOKEN_DAYS),
    )
    context = speak_as_customer(context, session)
    make_room(context, session, now)
    session.save(force_insert=True)
    opened = hand_out(session, predecessor=None, now=now)
    record_session(context, AuditAction.LOGIN_SUCCEEDED, session, device=build_pseudonym("device", device_id))
    return opened


def speak_as_customer(context: AuditContext, session: DeviceSession) -> AuditContext:
    """Return the context of somebody who has just proved to be the session's customer."""
    return replace(
        context, actor_kind=ActorKind.CUSTOMER, actor_id=str(session.customer_id), session_id=str(session.pk)
    )


def make_room(context: AuditContext, newcomer: DeviceSession, now: datetime) -> None:
    """Revoke the customer's open sessions that cannot stay beside `newcomer`."""
    open_rows = list(
        DeviceSession.objects.select_for_update(no_key=True)
        .filter(customer_id=newcomer.customer_id, revoked_at=None)
        .order_by("pk")
    )
    for session in open_rows:
        if session.device_id == newcomer.device_id:
            end_session(context, session, RevokeReason.REPLACED, now)
    others = [row for row in open_rows if row.revoked_at is None and row.expires_at > now]
    others.sort(key=lambda row: row.last_used_at, reverse=True)
    for session in others[settings.SESSIONS_PER_CUSTOMER - 1 :]:
        end_session(context, session, RevokeReason.TOO_MANY_DEVICES, now)


def hand_out(session: DeviceSession, *, predecessor: RefreshToken | None, now: datetime) -> OpenedSession:
    """Issue the session's next pair of tokens; the caller has spent the token before."""
    refresh_token = build_refresh_token()
    row = RefreshToken(session=session, digest=digest_secret(refresh_token), predecessor=predecessor, issued_at=now)
    row.save(force_insert=True)
    return OpenedSession(session, issue_access_token(session, now), refresh_token)


def refresh_session(context: AuditContext, *, refresh_token: str, attempt_id: UUID | None = None) -> OpenedSession:
    """Exchange a refresh token, which ends its life, for the next pair.

    A used token that comes back means that two parties hold it: the whole session is revoked. The one exception is a
    device whose answer got lost: it sends the same token with the same random `attempt_id`, within
    REFRESH_REUSE_GRACE_SECONDS, before anybody used the successor; the successor is void then and a new one issued.
    Refusals are recorded, and a revocation commits, although an error is raised. Must not run inside a transaction.

    Raises: RefreshRefused, SessionExpired, SessionRevoked
    Source: docs/decisions/0010-refresh-tokens.md
    """
    result = exchange_token(context, digest_secret(refresh_token), attempt_id)
    if isinstance(result, OpenedSession):
        return result
    if isinstance(result, RefreshRefused):
        record_unknown_token(context)
    raise result


@transaction.atomic(durable=True)
def exchange_token(context: AuditContext, digest: str, attempt_id: UUID | None) -> OpenedSession | AccountsError:
    """Do the exchange. Refusals are returned, not raised: what they change and record must commit."""
    now = timezone.now()
    found = RefreshToken.objects.filter(digest=digest).first()
    if found is None:
        return RefreshRefused()
    session = lock_session(found.session_id)
    refusal = find_refusal(session, now)
    if refusal is not None:
        record_session(context, AuditAction.SESSION_REFRESHED, session, outcome=Outcome.REFUSED, reason=refusal[1])
        return refusal[0]
    presented, unused = read_chain(session, digest)
    attempt_digest = digest_secret(str(attempt_id)) if attempt_id else ""
    is_repeat = presented.pk != unused.pk
    if is_repeat and not is_lost_answer(presented, unused, attempt_digest=attempt_digest, now=now):
        record_session(context, AuditAction.SESSION_REUSE_DETECTED, session, outcome=Outcome.REFUSED)
        end_session(context, session, RevokeReason.REUSE_DETECTED, now)
        return SessionRevoked()
    spend_token(unused, attempt_digest="" if is_repeat else attempt_digest, now=now)
    session.last_used_at = now
    session.save(update_fields=["last_used_at"])
    context = speak_as_customer(context, session)
    record_session(context, AuditAction.SESSION_REFRESHED, session, repeated=is_repeat)
    return hand_out(session, predecessor=presented, now=now)


def lock_session(session_id: UUID) -> DeviceSession:
    """Return the session with customer and login, its row locked until the transaction ends.

    Raises: SessionNotFound
    """
    rows = DeviceSession.objects.select_related("customer__user").select_for_update(no_key=True, of=("self",))
    found = rows.filter(pk=session_id).first()
    if found is None:
        raise SessionNotFound
    return found


def find_refusal(session: DeviceSession, now: datetime) -> tuple[AccountsError, str] | None:
    """Return why the session can no longer be used, as the error to raise and the word for the evidence."""
    if session.revoked_at is not None:
        return SessionRevoked(), "revoked"
    if not session.customer.user.is_active:
        return SessionRevoked(), "inactive"
    if session.expires_at <= now:
        return SessionExpired(), "expired"
    return None


def read_chain(session: DeviceSession, digest: str) -> tuple[RefreshToken, RefreshToken]:
    """Return the presented token and the session's one unused token, which may be the same row.

    The session must be locked: only then are they what they seem.
    """
    presented = RefreshToken.objects.get(digest=digest)
    return presented, RefreshToken.objects.get(session=session, used_at=None)


def is_lost_answer(presented: RefreshToken, unused: RefreshToken, *, attempt_digest: str, now: datetime) -> bool:
    """Whether a used token comes from the very device that used it, asking for an answer it never got."""
    if presented.used_at is None or not attempt_digest:
        return False
    return (
        hmac.compare_digest(presented.attempt_digest, attempt_digest)
        and unused.predecessor_id == presented.pk
        and now - presented.used_at <= timedelta(seconds=settings.REFRESH_REUSE_GRACE_SECONDS)
    )


def spend_token(token: RefreshToken, *, attempt_digest: str, now: datetime) -> None:
    token.used_at = now
    token.attempt_digest = attempt_digest
    token.save(update_fields=["used_at", "attempt_digest"])


def close_session(context: AuditContext, *, session_id: UUID) -> bool:
    """End the session because its customer signs out; return False when it had ended already.

    Raises: SessionNotFound
    """
    return revoke_session(context, session_id=session_id, reason=RevokeReason.LOGOUT)


@transaction.atomic
def revoke_session(context: AuditContext, *, session_id: UUID, reason: RevokeReason) -> bool:
    """End a session before its time, with its audit entry; return False when it had ended already.

    Server processes learn of it by `accounts.selectors.list_revoked_since` and close its sockets.

    Raises: SessionNotFound
    """
    session = lock_session(session_id)
    if session.revoked_at is not None:
        return False
    end_session(context, session, reason, timezone.now())
    return True


def end_session(context: AuditContext, session: DeviceSession, reason: RevokeReason, now: datetime) -> None:
    session.revoked_at = now
    session.revoke_reason = reason
    session.save(update_fields=["revoked_at", "revoke_reason"])
    record_session(context, AuditAction.SESSION_REVOKED, session, reason=reason.value)


def record_session(
    context: AuditContext,
    action: AuditAction,
    session: DeviceSession,
    *,
    outcome: Outcome = Outcome.OK,
    **details: str | bool,
) -> None:
    record_entry(
        context,
        action,
        subject="session",
        subject_id=str(session.pk),
        customer_id=session.customer_id,
        outcome=outcome,
        details=details,
    )


def record_unknown_token(context: AuditContext) -> None:
    """Record that somebody sent a refresh token we never issued; a flood from one address only by its doublings."""
    window = build_window("refresh-address", group_address(context.ip), limit=0, seconds=settings.LOGIN_WINDOW_SECONDS)
    try:
        attempts = count_hit(window)
    except ThrottleUnavailable:
        attempts = 1
    if is_worth_recording(attempts):
        record_refusal(
            context,
            AuditAction.LOGIN_REFUSED,
            subject="refresh_token",
            subject_id="",
            details={"reason": "unknown_token", "attempts": attempts},
        )

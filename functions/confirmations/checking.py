"""What a decision must show before it counts. Nothing here writes.

The order is fixed: whose question, does it still wait, is it this very question, who decides with which key, and only
then what was typed, so that nobody learns anything about a question by guessing.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from accounts.device_signatures import load_public_key
from accounts.enums import PayeeKind
from accounts.errors import RequisitesMalformed, SessionRevoked
from accounts.models import DeviceKey, DeviceSession
from accounts.selectors import get_live_session
from accounts.services.device_keys import find_device_key
from accounts.services.payees import normalise_phone
from accounts.vault import digest_target
from functions.confirmations.device_signatures import is_decision_signed
from functions.enums import ConfirmationState, ConfirmMethod
from functions.errors import (
    ConfirmationDecided,
    ConfirmationExpired,
    ConfirmationMismatch,
    ConfirmationSuperseded,
    DeviceRefused,
    SignatureRefused,
    StepUpNeeded,
)
from functions.models import Confirmation

APPROVE = "approve"
MAX_BAD_SIGNATURES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the phone sends.

    decision     "approve" or "reject"
    hash, nonce  of the payload that was shown
    kid, sig     the key and its signature, DER or 64 raw bytes; "" and b"" when nothing was signed
    payee        what the customer typed: a phone in any spelling
    """

    confirm: UUID
    decision: str
    hash: str
    nonce: str
    kid: str = ""
    sig: bytes = field(default=b"", repr=False)
    payee: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Who decides, as the server knows it: the session of the socket, never what the phone claims.

    asked_device  the device whose question led here, for CONFIRM_DEVICES=same_device; "" when unknown
    """

    customer_id: UUID
    session_id: UUID
    device_id: str
    asked_device: str = ""


def check_decision(confirmation: Confirmation, decision: Decision, *, decider: Decider, now: datetime) -> None:
    """Return when the decision counts. The confirmation must be locked.

    Raises: ConfirmationError; SignatureRefused must then be counted
    """
    check_state(confirmation, now)
    check_identity(confirmation, decision)
    session = get_session(decider)
    if settings.CONFIRM_DEVICES == "same_device" and decider.device_id != decider.asked_device:
        raise DeviceRefused
    if decision.decision != APPROVE:
        check_rejection_key(confirmation, decision, session)
        return
    check_freshness(confirmation, session, now)
    check_approval_key(confirmation, decision, session)
    check_payee(confirmation, decision)


def check_state(confirmation: Confirmation, now: datetime) -> None:
    if confirmation.state == ConfirmationState.SUPERSEDED:
        raise ConfirmationSuperseded
    if confirmation.state == ConfirmationState.EXPIRED:
        raise ConfirmationExpired
    if confirmation.state != ConfirmationState.PENDING:
        raise ConfirmationDecided(confirmation.state)
    if now >= confirmation.expires_at:
        raise ConfirmationExpired


def check_identity(confirmation: Confirmation, decision: Decision) -> None:
    """The decision must be about the bytes this confirmation showed."""
    if not hmac.compare_digest(decision.hash.encode(), confirmation.digest.encode()):
        raise ConfirmationMismatch("hash")
    if not hmac.compare_digest(decision.nonce.encode(), confirmation.nonce.encode()):
        raise ConfirmationMismatch("nonce")


def get_session(decider: Decider) -> DeviceSession:
    """Return the decider's session.

    Raises: DeviceRefused when it lives no more, or is another customer's or device's
    """
    try:
        session = get_live_session(decider.session_id)
    except SessionRevoked:
        raise DeviceRefused from None
    if session.customer_id != decider.customer_id or session.device_id != decider.device_id:
        raise DeviceRefused
    return session


def check_approval_key(confirmation: Confirmation, decision: Decision, session: DeviceSession) -> None:
    """A yes needs the signature of the deciding device's own key, unless a tap is enough."""
    if ConfirmMethod.TAP not in confirmation.methods.split():
        check_signature(confirmation, decision, session)


def check_rejection_key(confirmation: Confirmation, decision: Decision, session: DeviceSession) -> None:
    """A no needs the signature too, unless a tap is enough or the device has no key: no is the safe direction."""
    has_key = DeviceKey.objects.filter(
        customer_id=session.customer_id, device_id=session.device_id, revoked_at__isnull=True
    ).exists()
    if has_key:
        check_approval_key(confirmation, decision, session)


def check_signature(confirmation: Confirmation, decision: Decision, session: DeviceSession) -> None:
    """Raises: DeviceRefused, SignatureRefused"""
    row = find_device_key(session.customer_id, decision.kid)
    if row is None or row.revoked_at is not None or row.device_id != session.device_id:
        raise DeviceRefused
    key = load_public_key(bytes(row.public_key))
    payload = bytes(confirmation.payload)
    if not is_decision_signed(key, decision.sig, decision=decision.decision, payload=payload):
        raise SignatureRefused(max(0, MAX_BAD_SIGNATURES - 1 - confirmation.bad_signatures))


def check_freshness(confirmation: Confirmation, session: DeviceSession, now: datetime) -> None:
    limit = timedelta(seconds=settings.STEP_UP_SECONDS)
    if confirmation.needs_step_up and now - session.authenticated_at > limit:
        raise StepUpNeeded


def check_payee(confirmation: Confirmation, decision: Decision) -> None:
    """What the customer typed must be the plan's recipient; compared as keyed digests."""
    if not confirmation.needs_payee:
        return
    try:
        typed = digest_target(PayeeKind.SBP.value, normalise_phone(decision.payee or ""))
    except RequisitesMalformed:
        raise ConfirmationMismatch("payee") from None
    if not hmac.compare_digest(typed, str(confirmation.plan.get("payee_digest", ""))):
        raise ConfirmationMismatch("payee")

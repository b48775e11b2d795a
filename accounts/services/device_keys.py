"""Keys of customers' devices: enrolled with a fresh password and a proof, revoked by the customer, kept as evidence.

A key counts only together with a live session of its own device, so revoking a session needs nothing here. A device
that enrols again has its older key revoked.
"""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Max

from accounts.device_signatures import encode_public_key, is_signature_right
from accounts.errors import KeyRefused, NotFound, StepUpRequired
from accounts.models import Customer, DeviceKey, DeviceSession
from audit.canonical import JsonValue
from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry
from audit.pseudonyms import build_pseudonym

# What a device signs to prove that it holds the private half: this and the challenge's text.
PROOF_DOMAIN = b"asst-enroll-v1\0"
CHALLENGE_SECONDS = 120
CHALLENGE_SALT = "accounts.device_keys.challenge"


def build_challenge(session_id: UUID, now: datetime) -> str:
    """Return the text that a device of this session signs within CHALLENGE_SECONDS; nothing is stored for it."""
    return signing.dumps([str(session_id), int(now.timestamp())], salt=CHALLENGE_SALT)


def is_challenge_right(challenge: str, session_id: UUID, now: datetime) -> bool:
    try:
        named, made_at = signing.loads(challenge, salt=CHALLENGE_SALT)
    except signing.BadSignature:
        return False
    return bool(named == str(session_id) and now.timestamp() - made_at <= CHALLENGE_SECONDS)


@transaction.atomic
def enroll_device_key(
    context: AuditContext,
    *,
    session: DeviceSession,
    public_key: ec.EllipticCurvePublicKey,
    challenge: str,
    proof: bytes,
    now: datetime,
) -> DeviceKey:
    """Make this the one live key of the session's device; an older one is revoked in the same transaction.

    The same key again, while it lives, changes nothing: an answer that got lost may be asked for again.

    challenge  from `build_challenge` of the same session, at most CHALLENGE_SECONDS old
    proof      signature of the new key over PROOF_DOMAIN and the challenge

    Raises: StepUpRequired when the password is not fresh, KeyRefused (challenge, proof)
    """
    check_password_is_fresh(session, now)
    if not is_challenge_right(challenge, session.pk, now):
        raise KeyRefused("challenge")
    if not is_signature_right(public_key, proof, PROOF_DOMAIN + challenge.encode()):
        raise KeyRefused("proof")
    # Enrolments of one customer take turns, or two of them could take the same number.
    Customer.objects.select_for_update(no_key=True).get(pk=session.customer_id)
    encoded = encode_public_key(public_key)
    keys = DeviceKey.objects.filter(customer_id=session.customer_id, device_id=session.device_id)
    live = keys.filter(revoked_at__isnull=True).first()
    if live is not None:
        if bytes(live.public_key) == encoded:
            return live
        revoke_row(context, live, now)
    number = 1 + (keys.aggregate(last=Max("number"))["last"] or 0)
    key = DeviceKey(
        customer_id=session.customer_id,
        device_id=session.device_id,
        number=number,
        public_key=encoded,
        created_at=now,
    )
    key.save(force_insert=True)
    record_key(context, AuditAction.DEVICE_KEY_ENROLLED, key, {"sha256": hashlib.sha256(encoded).hexdigest()})
    return key


def check_password_is_fresh(session: DeviceSession, now: datetime) -> None:
    """Raises: StepUpRequired when the password was given longer than STEP_UP_SECONDS ago"""
    if now - session.authenticated_at > timedelta(seconds=settings.STEP_UP_SECONDS):
        raise StepUpRequired


@transaction.atomic
def revoke_device_key(context: AuditContext, *, customer_id: UUID, key_id: UUID, now: datetime) -> bool:
    """End a key of the customer's; False when it had ended already.

    Raises: NotFound
    """
    key = DeviceKey.objects.select_for_update(no_key=True).filter(pk=key_id, customer_id=customer_id).first()
    if key is None:
        raise NotFound
    if key.revoked_at is not None:
        return False
    revoke_row(context, key, now)
    return True


def revoke_row(context: AuditContext, key: DeviceKey, now: datetime) -> None:
    key.revoked_at = now
    key.save(update_fields=["revoked_at"])
    record_key(context, AuditAction.DEVICE_KEY_REVOKED, key, {})


def list_device_keys(customer_id: UUID) -> list[DeviceKey]:
    """Return the customer's keys that are not revoked, newest first."""
    live = DeviceKey.objects.filter(customer_id=customer_id, revoked_at__isnull=True)
    return list(live.order_by("-created_at", "-pk"))


def find_device_key(customer_id: UUID, kid: str) -> DeviceKey | None:
    """Return the customer's key of this name, revoked ones too."""
    device_id, _, number = kid.rpartition("#")
    if not (number.isascii() and number.isdigit() and len(number) <= 9):
        return None
    return DeviceKey.objects.filter(customer_id=customer_id, device_id=device_id, number=int(number)).first()


def record_key(context: AuditContext, action: AuditAction, key: DeviceKey, details: dict[str, JsonValue]) -> None:
    """Record it under the key's name, in which a pseudonym stands for what the app calls the device."""
    kid = f"{build_pseudonym('device', key.device_id)}#{key.number}"
    record_entry(
        context,
        action,
        subject="device_key",
        subject_id=str(key.pk),
        customer_id=key.customer_id,
        details={"kid": kid, **details},
    )

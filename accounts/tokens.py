"""Access tokens (signed, short-lived, never stored) and refresh tokens (opaque, stored as digests). No database here.

A valid access token says who its bearer was when it was issued; whether the session still lives is a question for
`accounts.selectors.get_live_session`.
"""

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.utils import timezone

from accounts.errors import TokenExpired, TokenInvalid
from accounts.keys import get_signing_key, get_verification_keys
from accounts.models import DeviceSession

ALGORITHM = "ES256"
# Clocks of two servers may differ by this much.
LEEWAY = timedelta(seconds=5)
# Ours have about 550 characters; nothing longer is worth parsing.
MAX_TOKEN_CHARS = 2048
REQUIRED_CLAIMS = ["sub", "sid", "did", "iat", "exp", "jti", "iss", "aud"]
REFRESH_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """An access token as the phone gets it."""

    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a verified access token says."""

    customer_id: UUID
    session_id: UUID
    device_id: str
    issued_at: datetime
    expires_at: datetime


def issue_access_token(session: DeviceSession, now: datetime) -> IssuedToken:
    """Sign an access token for `session`, valid for ACCESS_TOKEN_SECONDS but never longer than the session.

    Raises: ImproperlyConfigured when the signing key cannot be used.
    """
    key_id, key = get_signing_key()
    expires_at = min(now + timedelta(seconds=settings.ACCESS_TOKEN_SECONDS), session.expires_at).replace(microsecond=0)
    claims = {
        "iss": settings.JWT_ISSUER,
        "aud": settings.JWT_AUDIENCE,
        "sub": str(session.customer_id),
        "sid": str(session.pk),
        "did": session.device_id,
        "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
        "jti": str(uuid.uuid4()),
    }
    token = jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id})
    return IssuedToken(token, expires_at)


def verify_access_token(token: str) -> AccessClaims:
    """Return the claims of an access token that we signed and whose time is not over.

    Raises: TokenExpired (with the claims) when only the time is wrong, TokenInvalid otherwise.
    """
    payload = decode_payload(token, find_key(token))
    claims = read_claims(payload)
    if claims.expires_at + LEEWAY <= timezone.now():
        raise TokenExpired(claims)
    return claims


def find_key(token: str) -> ec.EllipticCurvePublicKey:
    """Return the public key the token's header names.

    Raises: TokenInvalid
    """
    if len(token) > MAX_TOKEN_CHARS:
        raise TokenInvalid("the token is too long")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, UnicodeError, ValueError, RecursionError) as error:
        raise TokenInvalid("not a token") from error
    key = get_verification_keys().get(str(header.get("kid")))
    if key is None:
        raise TokenInvalid("the token names an unknown key")
    return key


def decode_payload(token: str, key: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    """Return the payload after checking everything but its end, which the caller judges so that it can say "expired".

    Raises: TokenInvalid
    """
    try:
        return jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=settings.JWT_AUDIENCE,
            issuer=settings.JWT_ISSUER,
            leeway=LEEWAY,
            options={"require": REQUIRED_CLAIMS, "strict_aud": True, "verify_exp": False},
        )
    except (jwt.PyJWTError, UnicodeError, ValueError, RecursionError) as error:
        raise TokenInvalid("the token does not verify") from error


def read_claims(payload: Mapping[str, Any]) -> AccessClaims:
    """Turn a verified payload into claims.

    Raises: TokenInvalid when a claim has another form than we issue.
    """
    device_id, issued, expires = payload["did"], payload["iat"], payload["exp"]
    if not isinstance(device_id, str) or type(issued) is not int or type(expires) is not int:
        raise TokenInvalid("a claim has the wrong type")
    try:
        return AccessClaims(
            customer_id=UUID(payload["sub"]),
            session_id=UUID(payload["sid"]),
            device_id=device_id,
            issued_at=datetime.fromtimestamp(issued, UTC),
            expires_at=datetime.fromtimestamp(expires, UTC),
        )
    except (AttributeError, TypeError, ValueError, OverflowError, OSError) as error:
        raise TokenInvalid("a claim has the wrong form") from error


def build_refresh_token() -> str:
    """Return a fresh refresh token: 256 random bits."""
    return secrets.token_urlsafe(REFRESH_TOKEN_BYTES)


def digest_secret(secret: str) -> str:
    """Return the SHA-256 of a token or an attempt id, hexadecimal; the only form in which we keep one.

    Plain SHA-256 is enough, because what it hides was never guessable.
    """
    return hashlib.sha256(secret.encode()).hexdigest()

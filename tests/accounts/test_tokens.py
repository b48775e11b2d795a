import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.errors import TokenExpired, TokenInvalid
from accounts.keys import get_signing_key
from accounts.models import DeviceSession
from accounts.tokens import (
    AccessClaims,
    IssuedToken,
    build_refresh_token,
    digest_secret,
    issue_access_token,
    verify_access_token,
)

NOW = datetime(2026, 11, 24, 9, 15, 4, 123456, tzinfo=UTC)


def build_session(**changes: Any) -> DeviceSession:
    """Return an unsaved session: tokens need no database."""
    now = timezone.now()
    values = {"customer_id": uuid4(), "device_id": "phone-1", "expires_at": now + timedelta(days=30)}
    return DeviceSession(created_at=now, last_used_at=now, **(values | changes))


def build_claims(**changes: Any) -> dict[str, Any]:
    now = int(timezone.now().timestamp())
    return {
        "iss": "bank-assistant",
        "aud": "asst.v1",
        "sub": str(uuid4()),
        "sid": str(uuid4()),
        "did": "phone-1",
        "iat": now,
        "exp": now + 600,
        "jti": "j",
    } | changes


def sign(claims: dict[str, Any]) -> str:
    key_id, key = get_signing_key()
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": key_id})


def encode_part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_issue_access_token_names_customer_session_and_device(settings: Settings) -> None:
    session = build_session()
    issued = issue_access_token(session, timezone.now())
    claims = verify_access_token(issued.token)
    assert claims == AccessClaims(session.customer_id, session.pk, "phone-1", claims.issued_at, issued.expires_at)
    assert issued.expires_at - claims.issued_at == timedelta(seconds=settings.ACCESS_TOKEN_SECONDS)


def test_issue_access_token_shortly_before_session_ends_is_not_longer() -> None:
    session = build_session(expires_at=NOW + timedelta(seconds=7))
    assert issue_access_token(session, NOW).expires_at == datetime(2026, 11, 24, 9, 15, 11, tzinfo=UTC)


def test_issued_token_in_a_log_line_shows_no_token() -> None:
    assert "secret" not in repr(IssuedToken("secret", NOW))


def test_verify_access_token_after_its_time_tells_whose_it_was() -> None:
    session = build_session()
    issued = issue_access_token(session, timezone.now() - timedelta(seconds=606))
    with pytest.raises(TokenExpired) as caught:
        verify_access_token(issued.token)
    assert caught.value.claims.session_id == session.pk


def test_verify_access_token_within_leeway_is_accepted() -> None:
    session = build_session()
    issued = issue_access_token(session, timezone.now() - timedelta(seconds=602))
    assert verify_access_token(issued.token).session_id == session.pk


def test_verify_access_token_of_previous_key_is_accepted(settings: Settings) -> None:
    session = build_session()
    token = issue_access_token(session, timezone.now()).token
    public = get_signing_key()[1].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    settings.SECRET_KEY = "another secret, hence another signing key"
    with pytest.raises(TokenInvalid):
        verify_access_token(token)
    settings.JWT_PREVIOUS_KEYS = public
    assert verify_access_token(token).session_id == session.pk


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody else"},
        {"aud": "another-service"},
        {"aud": ["asst.v1"]},
        {"iat": 4_000_000_000},
        {"iat": "1"},
        {"exp": True},
        {"exp": 10**18},
        {"sub": "not a uuid"},
        {"sub": 7},
        {"sid": None},
        {"did": 7},
    ],
)
def test_verify_access_token_with_wrong_claim_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid) as caught:
        verify_access_token(sign(build_claims(**changes)))
    assert not isinstance(caught.value, TokenExpired)


@pytest.mark.parametrize("name", ["sub", "sid", "did", "iat", "exp", "jti", "iss", "aud"])
def test_verify_access_token_without_a_claim_is_refused(name: str) -> None:
    claims = build_claims()
    del claims[name]
    with pytest.raises(TokenInvalid):
        verify_access_token(sign(claims))


def test_verify_access_token_signed_by_stranger_is_refused() -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    forged = jwt.encode(build_claims(), stranger, algorithm="ES256", headers={"kid": get_signing_key()[0]})
    with pytest.raises(TokenInvalid):
        verify_access_token(forged)


def test_verify_access_token_of_another_algorithm_is_refused() -> None:
    key_id, key = get_signing_key()
    header = {"alg": "none", "typ": "JWT", "kid": key_id}
    unsigned = f"{encode_part(header)}.{encode_part(build_claims())}."
    # The classic confusion: our public key, known to all, used as an HMAC secret.
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{encode_part({'alg': 'HS256', 'typ': 'JWT', 'kid': key_id})}.{encode_part(build_claims())}"
    mac = base64.urlsafe_b64encode(hmac.digest(public, signed.encode(), "sha256")).rstrip(b"=").decode()
    confused = f"{signed}.{mac}"
    for token in (unsigned, confused):
        with pytest.raises(TokenInvalid):
            verify_access_token(token)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.é.é", "\ud800", "." * 3000, "[" * 2000, "a" * 5000])
def test_verify_access_token_of_nonsense_is_refused(token: str) -> None:
    with pytest.raises(TokenInvalid):
        verify_access_token(token)


@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_verify_access_token_with_any_character_changed_never_says_another_thing(position: int, letter: str) -> None:
    token = sign(build_claims(sub="0199f2c4-7a51-7c3e-9d0a-5b1f6a2e8c44"))
    at = position % len(token)
    changed = token[:at] + letter + token[at + 1 :]
    try:
        claims = verify_access_token(changed)
    except TokenInvalid:
        return
    # Only the last character of a base64 part has bits that mean nothing.
    assert claims.customer_id == UUID("0199f2c4-7a51-7c3e-9d0a-5b1f6a2e8c44")


def test_build_refresh_token_has_256_bits() -> None:
    token = build_refresh_token()
    assert len(base64.urlsafe_b64decode(token + "=")) == 32
    assert token != build_refresh_token()


def test_digest_secret_is_sha256() -> None:
    assert digest_secret("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

"""Keys of ours that sign: ECDSA on P-256, named by their thumbprint. Here: those of access tokens.

To exchange the signing key without refusing anybody: accept the next key's public part everywhere
(`JWT_PREVIOUS_KEYS`), then sign with it and accept the old one, and forget the old one after `ACCESS_TOKEN_SECONDS`.
"""

import base64
import hashlib
import json
import re
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

# The order of the group that P-256 generates (FIPS 186-5): a private key is a number from 1 to this minus 1.
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
TOKEN_PURPOSE = "accounts.keys access token signing v1"  # noqa: S105 - no secret
PEM_BLOCK = re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL)


def get_signing_key() -> tuple[str, ec.EllipticCurvePrivateKey]:
    """Return the id and the private key that new tokens are signed with.

    Raises: ImproperlyConfigured when JWT_SIGNING_KEY is not a P-256 private key.
    """
    return load_signing_key(
        settings.JWT_SIGNING_KEY, settings.SECRET_KEY, setting="JWT_SIGNING_KEY", purpose=TOKEN_PURPOSE
    )


def get_verification_keys() -> dict[str, ec.EllipticCurvePublicKey]:
    """Return every public key whose tokens are accepted, by its id.

    Raises: ImproperlyConfigured
    """
    key = get_signing_key()[1]
    return load_verification_keys(key, settings.JWT_PREVIOUS_KEYS, setting="JWT_PREVIOUS_KEYS")


@lru_cache(maxsize=8)
def load_signing_key(pem: str, secret: str, *, setting: str, purpose: str) -> tuple[str, ec.EllipticCurvePrivateKey]:
    """Return the id and the key of `pem`; without one, the key that is derived from `secret` for this purpose.

    Raises: ImproperlyConfigured, naming `setting`
    """
    key = parse_private_key(pem, setting=setting) if pem else derive_private_key(secret, purpose)
    return build_key_id(key.public_key()), key


@lru_cache(maxsize=8)
def load_verification_keys(
    key: ec.EllipticCurvePrivateKey, previous: str, *, setting: str
) -> dict[str, ec.EllipticCurvePublicKey]:
    """Return the public parts of the key we sign with and of those that went before it, by id, ours first.

    previous  blocks of PEM

    Raises: ImproperlyConfigured, naming `setting`
    """
    keys = [key.public_key(), *parse_public_keys(previous, setting=setting)]
    return {build_key_id(public): public for public in keys}


def derive_private_key(secret: str, purpose: str) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key that belongs to `secret`: every process with the same secret signs with the same key."""
    # 48 bytes for a 256-bit order: the remainder's bias is below 2^-128 (FIPS 186-5, A.2.1).
    seed = HKDF(algorithm=SHA256(), length=48, salt=None, info=purpose.encode()).derive(secret.encode())
    return ec.derive_private_key(int.from_bytes(seed, "big") % (P256_ORDER - 1) + 1, ec.SECP256R1())


def parse_private_key(pem: str, *, setting: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ImproperlyConfigured(f"{setting} is not an unencrypted private key in PEM") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ImproperlyConfigured(f"{setting} is not on the curve P-256")
    return key


def parse_public_keys(pem: str, *, setting: str) -> list[ec.EllipticCurvePublicKey]:
    blocks = PEM_BLOCK.findall(pem)
    if pem.strip() and not blocks:
        raise ImproperlyConfigured(f"{setting} holds no PEM block")
    return [parse_public_key(block, setting=setting) for block in blocks]


def parse_public_key(pem: str, *, setting: str) -> ec.EllipticCurvePublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as error:
        raise ImproperlyConfigured(f"{setting} holds something that is not a public key") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ImproperlyConfigured(f"{setting} holds a key that is not on the curve P-256")
    return key


def build_key_id(key: ec.EllipticCurvePublicKey) -> str:
    """Return the JWK thumbprint of the key (RFC 7638)."""
    canonical = json.dumps(build_jwk(key), separators=(",", ":"), sort_keys=True)
    return encode_base64url(hashlib.sha256(canonical.encode()).digest())


def build_jwk(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """Return the members that make the key as a JWK (RFC 7518, 6.2)."""
    point = key.public_numbers()
    return {"crv": "P-256", "kty": "EC", "x": encode_coordinate(point.x), "y": encode_coordinate(point.y)}


def encode_coordinate(number: int) -> str:
    return encode_base64url(number.to_bytes(32, "big"))


def encode_base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

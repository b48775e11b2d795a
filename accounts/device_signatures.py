"""Keys and signatures of customers' devices: ECDSA on P-256 with SHA-256, as phones and browsers give them. Pure.

A browser gives a signature as r and s side by side (IEEE P1363, 64 bytes), a phone's key store gives DER; a key comes
as SubjectPublicKeyInfo or as JWK. All bytes are base64url without padding on the wire.
"""

import base64
import binascii
import re
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
RAW_BYTES = 64
COORDINATE_BYTES = 32
# DER of two 32-byte integers with their sign bytes has 72.
MAX_SIGNATURE_BYTES = 72


def is_signature_right(key: ec.EllipticCurvePublicKey, signature: bytes, text: bytes) -> bool:
    """Whether `signature`, in DER or as 64 raw bytes, is the key's over `text`."""
    return any(is_der_right(key, der, text) for der in list_der_forms(signature))


def list_der_forms(signature: bytes) -> list[bytes]:
    """Return what the signature may be in DER: 64 bytes are nearly always r and s, but DER can be as short."""
    if not 0 < len(signature) <= MAX_SIGNATURE_BYTES:
        return []
    if len(signature) != RAW_BYTES:
        return [signature]
    r, s = signature[:COORDINATE_BYTES], signature[COORDINATE_BYTES:]
    return [encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big")), signature]


def is_der_right(key: ec.EllipticCurvePublicKey, signature: bytes, text: bytes) -> bool:
    try:
        key.verify(signature, text, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def load_public_key(encoded: bytes) -> ec.EllipticCurvePublicKey:
    """Return the key of a SubjectPublicKeyInfo in DER.

    Raises: ValueError for anything but a key on P-256
    """
    try:
        key = load_der_public_key(encoded)
    except (UnsupportedAlgorithm, TypeError) as error:
        raise ValueError("not a public key") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a key on P-256")  # noqa: TRY004 - callers wait for one kind of error
    return key


def load_jwk(jwk: Mapping[str, object]) -> ec.EllipticCurvePublicKey:
    """Return the key of a JWK (RFC 7518, 6.2); members beside kty, crv, x and y are not looked at.

    Raises: ValueError for anything but a public key on P-256
    """
    if (jwk.get("kty"), jwk.get("crv")) != ("EC", "P-256"):
        raise ValueError("not a key on P-256")
    x, y = (decode_base64url(str(jwk.get(name, ""))) for name in ("x", "y"))
    if {len(x), len(y)} != {COORDINATE_BYTES}:
        raise ValueError("a coordinate has 32 bytes")
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1())
    return numbers.public_key()


def encode_public_key(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the key as SubjectPublicKeyInfo in DER: the form we keep, the same for the same key."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def decode_base64url(text: str) -> bytes:
    """Return the bytes; b"" for what is no base64url without padding."""
    if not BASE64URL.fullmatch(text):
        return b""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_")
    except (binascii.Error, ValueError):
        return b""

"""The key of ours that signs what customers are asked and what they get as receipts."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings

from accounts.keys import encode_base64url, load_signing_key, load_verification_keys

PURPOSE = "functions.confirmations payload signing v1"
# A signature of one kind of text never fits another kind.
PAYLOAD_DOMAIN = b"asst-payload-v1\0"
RECEIPT_DOMAIN = b"asst-receipt-v1\0"


def get_server_key() -> tuple[str, ec.EllipticCurvePrivateKey]:
    """Return the id and the private key we sign with.

    Raises: ImproperlyConfigured when CONFIRM_SIGNING_KEY is not a P-256 private key
    """
    return load_signing_key(
        settings.CONFIRM_SIGNING_KEY, settings.SECRET_KEY, setting="CONFIRM_SIGNING_KEY", purpose=PURPOSE
    )


def get_public_keys() -> dict[str, ec.EllipticCurvePublicKey]:
    """Return every public key that a payload or receipt of ours may be signed with, by its id, today's first.

    Raises: ImproperlyConfigured
    """
    return load_verification_keys(get_server_key()[1], settings.CONFIRM_PREVIOUS_KEYS, setting="CONFIRM_PREVIOUS_KEYS")


def sign_text(domain: bytes, text: bytes) -> tuple[str, str]:
    """Return our signature of `domain` and `text`, DER in base64url, and the id of its key."""
    kid, key = get_server_key()
    return encode_base64url(key.sign(domain + text, ec.ECDSA(SHA256()))), kid

"""What a customer's device signs when it decides. Pure."""

from cryptography.hazmat.primitives.asymmetric import ec

from accounts.device_signatures import decode_base64url, is_signature_right

__all__ = ["DECISION_DOMAIN", "build_signed_text", "decode_base64url", "is_decision_signed"]

DECISION_DOMAIN = b"asst-confirm-v1\0"


def build_signed_text(decision: str, payload: bytes) -> bytes:
    """Return what is signed: the decision is inside, so a no can never be turned into a yes."""
    return DECISION_DOMAIN + decision.encode() + b"\0" + payload


def is_decision_signed(key: ec.EllipticCurvePublicKey, signature: bytes, *, decision: str, payload: bytes) -> bool:
    """Whether the signature is the key's over this decision on this payload."""
    return is_signature_right(key, signature, build_signed_text(decision, payload))

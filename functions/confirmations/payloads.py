"""The bytes a customer is shown and signs. Pure: nothing of the model's words gets in but through the plan's terms."""

import hashlib
import secrets
import unicodedata
from collections.abc import Mapping

from accounts.keys import encode_base64url
from audit.canonical import encode_canonical
from functions.models import Confirmation
from functions.plans import Plan

PAYLOAD_VERSION = 1
NONCE_BYTES = 16
# What the server says about the question itself; a term may not be called so.
RESERVED = frozenset({"id", "v", "act", "conv", "turn", "iat", "exp", "n"})


def build_nonce() -> str:
    """Return 128 random bits, base64url."""
    return encode_base64url(secrets.token_bytes(NONCE_BYTES))


def build_payload(confirmation: Confirmation, plan: Plan) -> bytes:
    """Return the canonical JSON (RFC 8785) of the plan's terms and of this very question.

    Besides the terms: id, v, act, conv, turn, n (the nonce), iat and exp in Unix seconds.

    Raises: ValueError when a term has a name of ours; audit.errors.EntryRefused for what has no canonical form
    """
    terms = build_terms(plan)
    if RESERVED & terms.keys():
        raise ValueError("a plan's term has a name of the payload's own")
    return encode_canonical(
        {
            **terms,
            "id": str(confirmation.pk),
            "v": PAYLOAD_VERSION,
            "act": plan.ACT,
            "conv": str(confirmation.conversation_id),
            "turn": str(confirmation.turn_id),
            "iat": int(confirmation.created_at.timestamp()),
            "exp": int(confirmation.expires_at.timestamp()),
            "n": confirmation.nonce,
        }
    )


def build_terms(plan: Plan) -> dict[str, str]:
    """Return the plan's terms as they are shown and compared: in NFC."""
    return normalise_terms(plan.build_terms())


def normalise_terms(terms: Mapping[str, str]) -> dict[str, str]:
    return {name: unicodedata.normalize("NFC", value) for name, value in terms.items()}


def digest_payload(payload: bytes) -> str:
    """Return the SHA-256 of the payload, base64url: what a decision names."""
    return encode_base64url(hashlib.sha256(payload).digest())

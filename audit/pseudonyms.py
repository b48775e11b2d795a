"""Keyed digests that stand in for personal data in evidence. Pure but for the key.

The same value gives the same pseudonym, so attempts from one address or on one login name can be linked; without the
key it cannot be turned back, not even by trying all addresses.
"""

import hashlib
import hmac

from django.conf import settings

PSEUDONYM_BYTES = 16


def build_pseudonym(kind: str, value: str) -> str:
    """Return 32 hex digits that stand for `value`; the same value under another `kind` looks unrelated.

    kind   what the value is: "ip", "username", "phone"
    """
    message = f"{kind}\x00{value}".encode(errors="surrogatepass")
    return hmac.digest(get_key(), message, hashlib.sha256)[:PSEUDONYM_BYTES].hex()


def get_key() -> bytes:
    # Derived when not set, so that the digest key is never the secret key itself.
    configured: str = settings.AUDIT_PSEUDONYM_KEY
    return configured.encode() or hashlib.sha256(b"audit pseudonyms\x00" + settings.SECRET_KEY.encode()).digest()

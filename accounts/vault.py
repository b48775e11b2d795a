"""Other people's phones and account numbers: kept encrypted, found again by a keyed digest.

Both keys come from BANK_DATA_KEY; when that is empty they are derived from SECRET_KEY, which a demonstration may do.
"""

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def seal_text(text: str) -> bytes:
    """Return `text` encrypted and authenticated; twice the same text gives two different results."""
    return Fernet(get_key("seal")).encrypt(text.encode())


def unseal_text(sealed: bytes | memoryview) -> str:
    """Return the text that was sealed.

    Raises: cryptography.fernet.InvalidToken when it was sealed with another key or changed
    """
    return Fernet(get_key("seal")).decrypt(bytes(sealed)).decode()


def digest_target(kind: str, value: str) -> str:
    """Return 64 hexadecimal digits that stand for `value`, the same every time; nothing leads back without the key.

    kind  what the value is ("phone", "account", "pan"): another kind gives an unrelated digest
    """
    return hmac.digest(get_key("digest"), f"{kind}\x00{value}".encode(), hashlib.sha256).hex()


def get_key(purpose: str) -> bytes:
    configured: str = settings.BANK_DATA_KEY or settings.SECRET_KEY
    return derive_key(configured, purpose)


@lru_cache(maxsize=8)
def derive_key(secret: str, purpose: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"bank data {purpose}".encode()).derive(
        secret.encode()
    )
    return base64.urlsafe_b64encode(derived)

"""Files at rest: AES-256-GCM under a named key, bound to the file's id.

A file is encrypted whole: the largest has 40 MB, and whoever reads one needs all of it at once. The stored bytes are
`MARK | length of key id | key id | nonce | ciphertext and tag`; everything before the nonce and the file's id are
authenticated with it, so that stored files cannot be exchanged for one another. Source: docs/decisions/0012.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from chat.errors import FileUnreadable

MARK = b"ASF1"
KEY_BYTES = 32
NONCE_BYTES = 12
DERIVED_KEY_ID = "derived"
KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,32}")
PURPOSE = b"chat.files content v1"


def encrypt_content(content: bytes, file_id: UUID) -> bytes:
    """Return what is stored of `content`, under the first of the configured keys.

    Raises: ImproperlyConfigured
    """
    key_id, key = next(iter(get_keys().items()))
    head = MARK + bytes([len(key_id)]) + key_id.encode()
    nonce = secrets.token_bytes(NONCE_BYTES)
    return head + nonce + AESGCM(key).encrypt(nonce, content, head + file_id.bytes)


def decrypt_content(stored: bytes, file_id: UUID) -> bytes:
    """Return the content of the file `file_id`.

    Raises: FileUnreadable for an unknown key, another file's bytes and changed bytes alike; ImproperlyConfigured
    """
    head_bytes = len(MARK) + 1 + (stored[len(MARK)] if len(stored) > len(MARK) else 0)
    head = stored[:head_bytes]
    key = get_keys().get(head[len(MARK) + 1 :].decode(errors="replace"))
    if not head.startswith(MARK) or key is None:
        raise FileUnreadable("not encrypted under a known key")
    nonce = stored[head_bytes : head_bytes + NONCE_BYTES]
    try:
        return AESGCM(key).decrypt(nonce, memoryview(stored)[head_bytes + NONCE_BYTES :], head + file_id.bytes)
    except (InvalidTag, ValueError):
        raise FileUnreadable("not this file's bytes") from None


def get_keys() -> Mapping[str, bytes]:
    """Return the configured keys by their ids, the one to encrypt with first.

    Raises: ImproperlyConfigured
    """
    return load_keys(settings.FILE_ENCRYPTION_KEYS, settings.SECRET_KEY)


@lru_cache(maxsize=8)
def load_keys(configured: str, secret: str) -> Mapping[str, bytes]:
    keys = dict(parse_key(entry) for entry in configured.replace(",", " ").split())
    return keys or {DERIVED_KEY_ID: derive_key(secret)}


def parse_key(entry: str) -> tuple[str, bytes]:
    """Return id and key of `id:base64`. Raises: ImproperlyConfigured, without the entry: it is a secret"""
    key_id, _, encoded = entry.partition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not KEY_ID.fullmatch(key_id) or len(key) != KEY_BYTES:
        raise ImproperlyConfigured("FILE_ENCRYPTION_KEYS is not a list of id:base64 with 32 bytes each")
    return key_id, key


def derive_key(secret: str) -> bytes:
    """Return the key that belongs to `secret`, for a laptop; production names its keys."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=PURPOSE).derive(secret.encode())

"""The token as all processes see it: Django's cache, with a lock and the last failure beside it.

The token is encrypted with a key derived from the credentials, so that a shared Redis holds no usable secret. A cache
that is down is a cache that holds nothing: each process then fetches a token of its own.
"""

import contextlib
import json
import math
import os
import secrets
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from accounts.shared_cache import add_value, delete_values, read_value, write_value
from chat.gigachat.credentials import Credentials
from chat.gigachat.errors import GigaChatError, SetupRefused, find_error_class
from chat.gigachat.oauth import Token

# Longer than one fetch can take (connect, read), shorter than the patience of those who wait.
LOCK_SECONDS = 20
# Long enough for a burst to share one failure, short enough not to be noticed after the cause is gone.
FAILURE_SECONDS = 2
# Settings do not heal by themselves; a restart with better ones reads another name.
SETUP_FAILURE_SECONDS = 10
MAX_FAILURE_SECONDS = 60
NONCE_BYTES = 12


class TokenCache:
    """Safe to use from several threads and processes."""

    def __init__(self, credentials: Credentials, *, auth_url: str) -> None:
        self._name = f"gigachat.token.{credentials.derive_cache_name(auth_url)}"
        self._lock_name = f"{self._name}.lock"
        self._failure_name = f"{self._name}.failure"
        self._cipher = AESGCM(credentials.derive_encryption_key())

    def find_token(self) -> Token | None:
        """Return the shared token, expired or not; None when there is none or it was not written by us."""
        sealed = read_value(self._name)
        if not isinstance(sealed, bytes):
            return None
        try:
            content = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._name.encode())
        except (InvalidTag, ValueError):
            return None
        value, issued_at, expires_at = json.loads(content)
        return Token(value=value, issued_at=issued_at, expires_at=expires_at)

    def store_token(self, token: Token, *, now: float) -> None:
        nonce = os.urandom(NONCE_BYTES)
        content = json.dumps([token.value, token.issued_at, token.expires_at]).encode()
        sealed = nonce + self._cipher.encrypt(nonce, content, self._name.encode())
        write_value(self._name, sealed, seconds=math.ceil(token.expires_at - now))

    def find_failure(self, *, now: float) -> GigaChatError | None:
        """Return what the last fetch met, while it is too early to try again."""
        content = read_value(self._failure_name)
        if not isinstance(content, str):
            return None
        code, status, retry_at = json.loads(content)
        kind = find_error_class(code) or GigaChatError
        return kind(status=status, retry_after_seconds=None if retry_at is None else max(retry_at - now, 0.0))

    def store_failure(self, error: GigaChatError, *, now: float) -> None:
        """Keep the failure for everybody, for as long as the service asked or for a moment."""
        seconds = SETUP_FAILURE_SECONDS if isinstance(error, SetupRefused) else FAILURE_SECONDS
        retry_at = None
        if error.retry_after_seconds is not None:
            seconds = max(seconds, min(math.ceil(error.retry_after_seconds), MAX_FAILURE_SECONDS))
            retry_at = now + error.retry_after_seconds
        write_value(self._failure_name, json.dumps([error.code, error.status, retry_at]), seconds=seconds)

    @contextlib.contextmanager
    def try_lock(self) -> Iterator[bool]:
        """Yield whether this caller alone may ask the token service now; never waits.

        A holder that dies frees the lock after LOCK_SECONDS.
        """
        owner = secrets.token_hex(16)
        is_held = add_value(self._lock_name, owner, seconds=LOCK_SECONDS)
        try:
            yield is_held
        finally:
            # Not atomic, the cache framework has no compare-and-delete: only a holder that stood still for LOCK_SECONDS
            # could free another's lock, and that costs one call to the token service.
            if is_held and read_value(self._lock_name) == owner:
                delete_values(self._lock_name)

"""Access tokens: opaque strings of the size and look of the real ones, known only to the instance that issued them."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from chat.gigachat.sandbox.errors import ApiError

_HEADER = b'{"cty":"jwt","enc":"A256CBC-HS512","alg":"RSA-OAEP-256"}'
# Encrypted key, initialisation vector, cipher text and tag; with the header this gives the recorded body of 1279 bytes.
_PART_SIZES_BYTES = (256, 16, 560, 32)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    token: str
    client_id: str
    expires_at: float  # Unix seconds


def _encode_part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def build_token() -> str:
    """Return five base64url parts like a JWE; nothing is encrypted in it."""
    parts = [_HEADER, *(secrets.token_bytes(size) for size in _PART_SIZES_BYTES)]
    return ".".join(_encode_part(part) for part in parts)


class TokenStore:
    def __init__(self, lifetime_seconds: float, clock: Callable[[], float]) -> None:
        self._lifetime_seconds = lifetime_seconds
        self._clock = clock
        self._tokens: dict[str, IssuedToken] = {}

    def issue(self, client_id: str) -> IssuedToken:
        self._drop_expired()
        issued = IssuedToken(build_token(), client_id, self._clock() + self._lifetime_seconds)
        self._tokens[issued.token] = issued
        return issued

    def get_client_id(self, token: str) -> str:
        """Return whose token it is.

        Raises: ApiError 401
        """
        issued = self._tokens.get(token)
        if issued is None:
            raise ApiError(401, "Unauthorized")
        if issued.expires_at <= self._clock():
            raise ApiError(401, "Token has expired")
        return issued.client_id

    def revoke_all(self) -> None:
        """Forget every token, as if the service had been restarted."""
        self._tokens.clear()

    def _drop_expired(self) -> None:
        # An hour of grace keeps the answer to a stale token "has expired" instead of "Unauthorized".
        horizon = self._clock() - 3600
        stale = [token for token, issued in self._tokens.items() if issued.expires_at < horizon]
        for token in stale:
            del self._tokens[token]

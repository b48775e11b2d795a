"""Who we are to GigaChat: three ways to authorise a call, one interface. Synchronous and thread-safe.

oauth  a token of the token service, the public hosts (`tokens.TokenKeeper`)
token  a fixed token from the settings
mtls   no token: the client certificate says it, the bank-internal contour
"""

import math
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from chat.gigachat.credentials import Credentials
from chat.gigachat.errors import TokenRefused
from chat.gigachat.oauth import Token


class AuthKind(StrEnum):
    OAUTH = "oauth"
    MTLS = "mtls"
    TOKEN = "token"  # noqa: S105 - the name of a way, not a token


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    credentials: Credentials
    auth_url: str


@dataclass(frozen=True, slots=True)
class StaticToken:
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CertificateOnly:
    pass


Auth = OAuth | StaticToken | CertificateOnly


class TokenSource(Protocol):
    """Where the bearer token of a call comes from.

    rejected  the value that GigaChat just answered with 401: it is dropped, by its value, so that a late 401 cannot
              drop the token that has taken its place
    Raises: TokenRefused when a rejected token cannot be replaced; what the token service raises
    """

    def request_token(self, *, rejected: str | None = None) -> Token | Future[Token] | None:
        """Return without blocking: the token, or the future all callers share; None when a call needs none."""

    def get_token(self, *, rejected: str | None = None) -> Token | None:
        """Return the token for a synchronous caller; may block."""

    def close(self) -> None: ...


class FixedSource:
    """The same token always, or none."""

    def __init__(self, value: str | None) -> None:
        self._token = None if value is None else Token(value=value, issued_at=0.0, expires_at=math.inf)

    def request_token(self, *, rejected: str | None = None) -> Token | None:
        return self.get_token(rejected=rejected)

    def get_token(self, *, rejected: str | None = None) -> Token | None:
        """Raises: TokenRefused, for there is no other"""
        if rejected is not None:
            raise TokenRefused(status=401)
        return self._token

    def close(self) -> None:
        """Nothing is open."""

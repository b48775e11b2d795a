"""Errors of the accounts app.

AccountsError
├── CredentialsRefused     unknown user, wrong password, no customer, locked out user: outside they look the same
├── LoginThrottled         too many failures; even the right password must wait
├── ThrottleUnavailable    the failures cannot be counted now, so nobody may guess
├── RefreshRefused         no such refresh token
├── SessionExpired         the session's time is over: sign in with the password
├── SessionRevoked         the session was ended before its time
├── SessionNotFound        unknown session (for staff)
└── TokenInvalid           not an access token of ours
    └── TokenExpired       ours, but its time is over; carries its claims
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.tokens import AccessClaims


class AccountsError(Exception):
    """Root of the accounts errors."""


class CredentialsRefused(AccountsError):
    """User name and password do not open a customer's session. Retrying with the same ones does not help."""


class LoginThrottled(AccountsError):
    """Too many failures in this window. Retrying helps after `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("too many failed logins")
        self.retry_after_seconds = retry_after_seconds


class ThrottleUnavailable(AccountsError):
    """The shared cache does not answer. Retrying helps once it does."""


class RefreshRefused(AccountsError):
    """The refresh token is not one of ours. Retrying does not help; signing in does."""


class SessionExpired(AccountsError):
    """The device session reached the end of its life. Retrying does not help; signing in does."""


class SessionRevoked(AccountsError):
    """The device session is unknown, was revoked, or its customer may not sign in. Signing in may help."""


class SessionNotFound(AccountsError):
    """There is no such device session. Retrying does not help."""


class TokenInvalid(AccountsError):
    """The text is not an access token that we signed for this audience. Retrying does not help."""


class TokenExpired(TokenInvalid):
    """The access token is ours but over; refreshing the session helps."""

    def __init__(self, claims: "AccessClaims") -> None:
        super().__init__("the access token is over")
        self.claims = claims

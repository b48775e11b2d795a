"""`Authorization: Bearer <access token>`: the only way to be somebody on the REST API.

DRF imports this module while it builds its own views, so nothing here may import them.
"""

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from typing_extensions import override

from accounts.api import problems
from accounts.api.problems import ApiError
from accounts.errors import SessionRevoked
from accounts.models import Customer
from accounts.selectors import get_live_session
from accounts.tokens import AccessClaims, verify_access_token


class BearerAuthentication(BaseAuthentication):
    """Sets `request.user` to the customer's login and `request.auth` to the token's claims; one query."""

    @override
    def authenticate(self, request: Request) -> tuple[User, AccessClaims] | None:
        """Return login and claims, or None when no bearer token is presented.

        Raises: TokenInvalid, TokenExpired, SessionRevoked
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        claims = verify_access_token(token.strip())
        session = get_live_session(claims.session_id)
        if session.customer_id != claims.customer_id:
            raise SessionRevoked
        return session.customer.user, claims

    @override
    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class IsCustomer(BasePermission):
    """Lets in whoever presented an access token: only customers have one."""

    @override
    def has_permission(self, request: Request, view: object) -> bool:
        return isinstance(request.auth, AccessClaims)


def get_claims(request: Request) -> AccessClaims:
    """Return the claims of an authenticated request.

    Raises: ApiError (auth.required)
    """
    if not isinstance(request.auth, AccessClaims):
        raise ApiError(problems.AUTH_REQUIRED)
    return request.auth


def get_customer(request: Request) -> Customer:
    """Return the customer of an authenticated request, loaded together with the session.

    Raises: ApiError (auth.required)
    """
    if not isinstance(request.user, User):
        raise ApiError(problems.AUTH_REQUIRED)
    return request.user.customer

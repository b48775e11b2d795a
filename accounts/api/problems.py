"""Every way a REST request can fail: HTTP status, code and developer's message, once, for the answer and the docs.

The codes are those of the socket protocol, which lives above this app; a test compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.errors import AccountsError


@dataclass(frozen=True, slots=True)
class Problem:
    """One row of the table: what the phone gets."""

    status: int
    code: str
    message: str
    is_retryable: bool = False


INVALID = Problem(400, "request.invalid", "the request is not what this path expects")
AUTH_REQUIRED = Problem(401, "auth.required", "an access token is needed")
AUTH_INVALID = Problem(401, "auth.invalid", "the token is not valid; sign in")
AUTH_REFUSED = Problem(401, "auth.refused", "these credentials are refused")
AUTH_EXPIRED = Problem(401, "auth.expired", "the access token is over; refresh the session", is_retryable=True)
AUTH_REVOKED = Problem(401, "auth.revoked", "the session was revoked; sign in")
AUTH_STEP_UP = Problem(403, "auth.step_up", "the password must be given again first", is_retryable=True)
NOT_FOUND = Problem(404, "not_found", "there is nothing here")
METHOD = Problem(405, "method.not_allowed", "this path does not know the method")
TOO_BIG = Problem(413, "limit.size", "the request body is too big")
MEDIA_TYPE = Problem(415, "request.media_type", "send application/json")
RATE = Problem(429, "limit.rate", "too many requests; wait", is_retryable=True)
INTERNAL = Problem(500, "server.internal", "something went wrong on our side", is_retryable=True)
OVERLOADED = Problem(503, "server.overloaded", "a part we need does not answer; try again", is_retryable=True)

PROBLEMS = (
    INVALID,
    AUTH_REQUIRED,
    AUTH_INVALID,
    AUTH_REFUSED,
    AUTH_EXPIRED,
    AUTH_REVOKED,
    AUTH_STEP_UP,
    NOT_FOUND,
    METHOD,
    TOO_BIG,
    MEDIA_TYPE,
    RATE,
    INTERNAL,
    OVERLOADED,
)


class ApiError(AccountsError):
    """A view's refusal, already in the words of the API.

    field    path of the offending value, e.g. `limit`
    details  more for the phone, never a value it sent
    """

    def __init__(
        self,
        problem: Problem,
        *,
        message: str = "",
        field: str | None = None,
        retry_after_seconds: int | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.message = message or problem.message
        self.field = field
        self.retry_after_seconds = retry_after_seconds
        self.details = details

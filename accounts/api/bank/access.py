"""What every path of the bank does first: read the query, and fetch what is the customer's own."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.serializers import Serializer

from accounts.api import problems
from accounts.api.authentication import get_claims
from accounts.api.context import build_context
from accounts.api.problems import ApiError
from accounts.errors import NotFound
from audit.enums import AuditAction
from audit.journal import record_refusal

Row = TypeVar("Row")


def read_query(serializer_class: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """Return the checked query parameters.

    Raises: rest_framework.exceptions.ValidationError
    """
    serializer = serializer_class(data=request.query_params.dict())
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data


def access_own(request: Request, access: Callable[[UUID, UUID], Row], wanted: str, *, subject: str) -> Row:
    """Return the bearer's row; foreign, unknown and misspelt ids get the same answer, queries and audit entry.

    access   a selector: customer's id and public id to the row, or NotFound
    subject  what is looked for, for the evidence

    Raises: ApiError (not_found)
    """
    customer_id = get_claims(request).customer_id
    public_id = parse_id(wanted)
    try:
        return access(customer_id, public_id)
    except NotFound:
        record_refusal(
            build_context(request),
            AuditAction.ACCESS_DENIED,
            subject=subject,
            subject_id=str(public_id),
            customer_id=customer_id,
        )
        raise ApiError(problems.NOT_FOUND) from None


def parse_id(text: str) -> UUID:
    """Return the id; a misspelt one becomes one that nobody has."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)

"""What the OpenAPI document says of tokens and errors; used by every view's `extend_schema`."""

import uuid
from collections.abc import Iterable
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers
from typing_extensions import override

from accounts.api import problems
from accounts.api.problems import Problem

EXAMPLE_TRACE = str(uuid.UUID("0199f2c4-7a51-7c3e-9d0a-5b1f6a2e8c44"))
# Any view may answer these.
EVERYWHERE = (problems.INTERNAL, problems.OVERLOADED)
# Any view that needs a token may answer these, too.
WITH_TOKEN = (
    problems.AUTH_REQUIRED,
    problems.AUTH_INVALID,
    problems.AUTH_EXPIRED,
    problems.AUTH_REVOKED,
    problems.RATE,
    *EVERYWHERE,
)
# Any view that reads a body may answer these, too.
WITH_BODY = (problems.INVALID, problems.TOO_BIG, problems.MEDIA_TYPE)


class ErrorSerializer(serializers.Serializer[Any]):
    """The one error shape: decide by `code`; `trace` finds the request in the server's logs."""

    code = serializers.CharField(help_text="What went wrong; the same codes as on the socket.")
    message = serializers.CharField(help_text="For developers, in English; never shown to customers.")
    retryable = serializers.BooleanField(help_text="Whether the same request can succeed later.")
    retry_after_ms = serializers.IntegerField(required=False, help_text="Wait this long, milliseconds.")
    field = serializers.CharField(required=False, help_text="Path of the offending value.")
    details = serializers.DictField(required=False)
    trace = serializers.CharField(help_text="Id of the request.")


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api.authentication.BearerAuthentication"
    name = "accessToken"

    @override
    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def describe_problems(*rows: Problem) -> dict[int, OpenApiResponse]:
    """Return the error responses of a view, one per status, with an example for each code."""
    by_status: dict[int, list[Problem]] = {}
    for row in rows:
        by_status.setdefault(row.status, []).append(row)
    return {status: describe_status(by_status[status]) for status in sorted(by_status)}


def describe_status(rows: Iterable[Problem]) -> OpenApiResponse:
    rows = list(rows)
    return OpenApiResponse(
        ErrorSerializer,
        description=" / ".join(f"`{row.code}`: {row.message}" for row in rows),
        examples=[OpenApiExample(row.code, value=build_example(row), response_only=True) for row in rows],
    )


def build_example(row: Problem) -> dict[str, object]:
    body: dict[str, object] = {"code": row.code, "message": row.message, "retryable": row.is_retryable}
    if row == problems.RATE:
        body["retry_after_ms"] = 42_000
    if row == problems.INVALID:
        body["field"] = "limit"
    return {**body, "trace": EXAMPLE_TRACE}

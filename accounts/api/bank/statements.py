"""Statements by HTTP: a file for the customer, made when it is asked for."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from accounts.api import problems
from accounts.api.bank.access import access_own, read_query
from accounts.api.bank.accounts import ACCOUNT_ID, access_own_account
from accounts.api.bank.queries import StatementQuerySerializer
from accounts.api.context import build_context
from accounts.api.documentation import WITH_TOKEN, describe_problems
from accounts.api.endpoint import Endpoint
from accounts.api.problems import ApiError
from accounts.enums import StatementFormat
from accounts.errors import StatementTooLong
from accounts.local_days import DateRange
from accounts.models import Account
from accounts.selectors.owned import access_statement_request
from accounts.statements import document, spreadsheet
from accounts.statements.content import Statement, build_statement, name_file
from audit.enums import AuditAction
from audit.journal import record_entry

Encoder = Callable[[Statement], bytes]
FORMATS: dict[StatementFormat, tuple[str, int, Encoder]] = {
    StatementFormat.PDF: ("application/pdf", document.MOST_ROWS, document.encode_document),
    StatementFormat.CSV: ("text/csv; charset=utf-8", spreadsheet.MOST_ROWS, spreadsheet.encode_spreadsheet),
}
REQUEST_ID = OpenApiParameter("request_id", UUID, OpenApiParameter.PATH, description="The ordered statement.")
FILE_RESPONSES: dict[Any, Any] = {
    (200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, description="The statement."),
    (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="The statement."),
}


def answer_statement(request: Request, account: Account, days: DateRange, kind: StatementFormat) -> HttpResponse:
    """Answer the file, and record that the customer took it.

    Raises: ApiError (request.invalid) when the period has too many lines for this form
    """
    media_type, most_rows, encode = FORMATS[kind]
    try:
        statement = build_statement(account, days, most_rows=most_rows)
    except StatementTooLong as error:
        message = f"more than {error.most_rows} lines; ask for fewer days"
        raise ApiError(problems.INVALID, message=message, field="from") from None
    content = encode(statement)
    with transaction.atomic():
        record_entry(
            build_context(request),
            AuditAction.STATEMENT_REQUESTED,
            subject="account",
            subject_id=str(account.public_id),
            customer_id=account.customer_id,
            details={"format": kind.value, "from": days.first.isoformat(), "to": days.last.isoformat()},
        )
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{name_file(statement, kind.value)}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


class StatementView(Endpoint):
    @extend_schema(
        operation_id="getStatement",
        summary="Fetch a statement of an account",
        description="Booked lines of at most two years as PDF or CSV, in the customer's language. CSV is UTF-8 with a "
        "byte order mark; in Russian its columns are separated by semicolons and kopecks by a comma.",
        tags=["statements"],
        parameters=[ACCOUNT_ID, StatementQuerySerializer],
        responses={
            **FILE_RESPONSES,
            **describe_problems(problems.INVALID, problems.NOT_FOUND, *WITH_TOKEN),
        },
    )
    def get(self, request: Request, account_id: str) -> HttpResponse:
        query = read_query(StatementQuerySerializer, request)
        account = access_own_account(request, account_id)
        days = DateRange(query["from"], query["to"])
        return answer_statement(request, account, days, StatementFormat(query["format"]))


class OrderedStatementView(Endpoint):
    @extend_schema(
        operation_id="getOrderedStatement",
        summary="Fetch a statement that was ordered in the chat",
        tags=["statements"],
        parameters=[REQUEST_ID],
        responses={
            **FILE_RESPONSES,
            **describe_problems(problems.INVALID, problems.NOT_FOUND, *WITH_TOKEN),
        },
    )
    def get(self, request: Request, request_id: str) -> HttpResponse:
        ordered = access_own(request, access_statement_request, request_id, subject="statement")
        days = DateRange(ordered.date_from, ordered.date_to)
        return answer_statement(request, ordered.account, days, StatementFormat(ordered.format))

"""Statement lines by HTTP: of all accounts or one, filtered, in pages that do not move."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import problems
from accounts.api.authentication import get_customer
from accounts.api.bank.access import access_own, read_query
from accounts.api.bank.accounts import ACCOUNT_ID, access_own_account
from accounts.api.bank.bodies import LinePageSerializer, LineSerializer
from accounts.api.bank.examples import LINE_EXAMPLE, LINES_EXAMPLE
from accounts.api.bank.queries import STATUSES, LineQuerySerializer
from accounts.api.documentation import WITH_TOKEN, describe_problems
from accounts.api.endpoint import Endpoint
from accounts.api.pagination import CursorScope, encode_cursor, find_last_row
from accounts.enums import Category, LineDirection
from accounts.local_days import DateRange
from accounts.models import AccountLine, Customer
from accounts.selectors.lines import SHOWN, LineCursor, LineFilter, list_lines
from accounts.selectors.owned import access_line

EARLIEST, LATEST = date(1900, 1, 1), date(9000, 1, 1)
LINE_ID = OpenApiParameter("line_id", UUID, OpenApiParameter.PATH, description="The line.")
DESCRIPTION = (
    "Newest first; booked lines and open holds. Pages are stable: what is booked meanwhile neither repeats nor hides "
    "a line. A hold that is booked meanwhile comes back as a new, booked line."
)


def build_filter(query: Mapping[str, Any], customer: Customer, accounts: tuple[UUID, ...]) -> LineFilter:
    """Return the query as the selectors have it."""
    days = None
    if "from" in query or "to" in query:
        days = DateRange(query.get("from", EARLIEST), query.get("to", LATEST))
    least, most = query.get("min_amount"), query.get("max_amount")
    return LineFilter(
        account_ids=accounts,
        days=days,
        text=query["text"],
        categories=(Category(query["category"]),) if "category" in query else (),
        direction=LineDirection(query["direction"]) if "direction" in query else None,
        min_minor=None if least is None else least.minor,
        max_minor=None if most is None else most.minor,
        statuses=(STATUSES[query["status"]],) if "status" in query else SHOWN,
        currency=query.get("currency", ""),
        zone=customer.zone,
    )


def answer_lines(request: Request, query: Mapping[str, Any], accounts: tuple[UUID, ...]) -> Response:
    """Answer one page of the customer's lines.

    Raises: ApiError (request.invalid) for a cursor of another list
    """
    customer = get_customer(request)
    asked = {name: value for name, value in query.items() if name not in {"limit", "cursor"}}
    scope = CursorScope("lines", {**asked, "accounts": accounts})
    after = None
    if query["cursor"]:
        own = AccountLine.objects.filter(account__customer=customer)
        last = find_last_row(own, query["cursor"], scope)
        after = LineCursor(last.booked_at, last.pk)
    page = list_lines(customer.pk, build_filter(query, customer, accounts), limit=query["limit"], after=after)
    cursor = encode_cursor(page.lines[-1].public_id, scope) if page.next else None
    return Response(LinePageSerializer({"results": page.lines, "next_cursor": cursor}).data)


class LineListView(Endpoint):
    @extend_schema(
        operation_id="listTransactions",
        summary="Search transactions of all accounts",
        description=f"{DESCRIPTION} An unknown or foreign `account` has no lines.",
        tags=["transactions"],
        parameters=[LineQuerySerializer],
        responses={200: LinePageSerializer, **describe_problems(problems.INVALID, *WITH_TOKEN)},
        examples=[LINES_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        query = read_query(LineQuerySerializer, request)
        accounts = (query["account"],) if "account" in query else ()
        return answer_lines(request, query, accounts)


class AccountLineListView(Endpoint):
    @extend_schema(
        operation_id="listAccountTransactions",
        summary="Search transactions of one account",
        description=DESCRIPTION,
        tags=["transactions"],
        parameters=[ACCOUNT_ID, LineQuerySerializer],
        responses={
            200: LinePageSerializer,
            **describe_problems(problems.INVALID, problems.NOT_FOUND, *WITH_TOKEN),
        },
        examples=[LINES_EXAMPLE],
    )
    def get(self, request: Request, account_id: str) -> Response:
        query = read_query(LineQuerySerializer, request)
        return answer_lines(request, query, (access_own_account(request, account_id).public_id,))


class LineView(Endpoint):
    @extend_schema(
        operation_id="getTransaction",
        summary="Read one transaction",
        description="Also a hold that was released (`void`), which lists leave out.",
        tags=["transactions"],
        parameters=[LINE_ID],
        responses={200: LineSerializer, **describe_problems(problems.NOT_FOUND, *WITH_TOKEN)},
        examples=[LINE_EXAMPLE],
    )
    def get(self, request: Request, line_id: str) -> Response:
        return Response(LineSerializer(access_own(request, access_line, line_id, subject="line")).data)

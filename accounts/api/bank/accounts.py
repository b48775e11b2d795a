"""Accounts, their balances and their requisites by HTTP."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import problems
from accounts.api.authentication import get_claims, get_customer
from accounts.api.bank.access import access_own, read_query
from accounts.api.bank.bodies import (
    AccountListSerializer,
    AccountSerializer,
    BalanceSerializer,
    RequisitesSerializer,
)
from accounts.api.bank.examples import ACCOUNT_EXAMPLE, ACCOUNTS_EXAMPLE, BALANCE_EXAMPLE, REQUISITES_EXAMPLE
from accounts.api.bank.queries import AccountQuerySerializer, BalanceQuerySerializer
from accounts.api.documentation import WITH_TOKEN, describe_problems
from accounts.api.endpoint import Endpoint
from accounts.api.problems import ApiError
from accounts.local_days import to_local_date
from accounts.models import Account
from accounts.selectors.balances import get_balance, get_balance_on
from accounts.selectors.owned import access_account, list_accounts

ACCOUNT_ID = OpenApiParameter("account_id", UUID, OpenApiParameter.PATH, description="The account.")


def access_own_account(request: Request, account_id: str) -> Account:
    """Return the bearer's account.

    Raises: ApiError (not_found)
    """
    return access_own(request, access_account, account_id, subject="account")


class AccountListView(Endpoint):
    @extend_schema(
        operation_id="listAccounts",
        summary="List accounts with their balances",
        description="All of them, the oldest first.",
        tags=["accounts"],
        parameters=[AccountQuerySerializer],
        responses={200: AccountListSerializer, **describe_problems(problems.INVALID, *WITH_TOKEN)},
        examples=[ACCOUNTS_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        query = read_query(AccountQuerySerializer, request)
        rows = list_accounts(get_claims(request).customer_id, with_closed=query["with_closed"])
        return Response(AccountListSerializer({"results": rows}).data)


class AccountView(Endpoint):
    @extend_schema(
        operation_id="getAccount",
        summary="Read one account",
        description="Somebody else's account looks like one that does not exist.",
        tags=["accounts"],
        parameters=[ACCOUNT_ID],
        responses={200: AccountSerializer, **describe_problems(problems.NOT_FOUND, *WITH_TOKEN)},
        examples=[ACCOUNT_EXAMPLE],
    )
    def get(self, request: Request, account_id: str) -> Response:
        return Response(AccountSerializer(access_own_account(request, account_id)).data)


class BalanceView(Endpoint):
    @extend_schema(
        operation_id="getBalance",
        summary="Read the balances of an account, now or at the end of a day",
        description="Three balances that are never mixed up: `booked`, `available`, `expected`.",
        tags=["accounts"],
        parameters=[ACCOUNT_ID, BalanceQuerySerializer],
        responses={
            200: BalanceSerializer,
            **describe_problems(problems.INVALID, problems.NOT_FOUND, *WITH_TOKEN),
        },
        examples=[BALANCE_EXAMPLE],
    )
    def get(self, request: Request, account_id: str) -> Response:
        day = read_query(BalanceQuerySerializer, request).get("on")
        account = access_own_account(request, account_id)
        now, zone = timezone.now(), get_customer(request).zone
        if day is not None and day > to_local_date(now, zone):
            raise ApiError(problems.INVALID, message="this day is not over", field="on")
        # Today has not ended: its balances are those of now.
        is_past = day is not None and day < to_local_date(now, zone)
        balance = get_balance_on(account, day=day, zone=zone) if day and is_past else get_balance(account, now=now)
        return Response(BalanceSerializer(balance).data)


class RequisitesView(Endpoint):
    @extend_schema(
        operation_id="getRequisites",
        summary="Read the requisites of an account",
        description="The whole account number, for the customer to pass on. It is shown nowhere else.",
        tags=["accounts"],
        parameters=[ACCOUNT_ID],
        responses={200: RequisitesSerializer, **describe_problems(problems.NOT_FOUND, *WITH_TOKEN)},
        examples=[REQUISITES_EXAMPLE],
    )
    def get(self, request: Request, account_id: str) -> Response:
        return Response(RequisitesSerializer(access_own_account(request, account_id)).data)

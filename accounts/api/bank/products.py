"""Cards, payees, bills, payments that come again, and exchange rates by HTTP."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import problems
from accounts.api.authentication import get_claims
from accounts.api.bank.access import read_query
from accounts.api.bank.bodies import (
    BillPageSerializer,
    CardListSerializer,
    PayeePageSerializer,
    RateListSerializer,
    ScheduledPaymentListSerializer,
    SubscriptionListSerializer,
)
from accounts.api.bank.examples import (
    BILLS_EXAMPLE,
    CARDS_EXAMPLE,
    PAYEES_EXAMPLE,
    RATES_EXAMPLE,
    SCHEDULED_EXAMPLE,
    SUBSCRIPTIONS_EXAMPLE,
)
from accounts.api.bank.queries import BillQuerySerializer, PageQuerySerializer
from accounts.api.documentation import WITH_TOKEN, describe_problems
from accounts.api.endpoint import Endpoint
from accounts.api.pagination import CursorScope, Page, read_page
from accounts.models import Subscription
from accounts.selectors.owned import find_bills, find_cards, find_payees, find_scheduled_payments
from accounts.selectors.rates import list_rates

PAGED = describe_problems(problems.INVALID, *WITH_TOKEN)
WHOLE = describe_problems(*WITH_TOKEN)


def build_page(page: Page[Any]) -> dict[str, Any]:
    return {"results": page.rows, "next_cursor": page.next_cursor}


class CardListView(Endpoint):
    @extend_schema(
        operation_id="listCards",
        summary="List cards",
        description="All of them, the oldest first, with the customer's own limits.",
        tags=["cards"],
        responses={200: CardListSerializer, **WHOLE},
        examples=[CARDS_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        rows = find_cards(get_claims(request).customer_id)
        return Response(CardListSerializer({"results": rows}).data)


class PayeeListView(Endpoint):
    @extend_schema(
        operation_id="listPayees",
        summary="List payees",
        description="The newest first; phones and numbers by their last digits.",
        tags=["payments"],
        parameters=[PageQuerySerializer],
        responses={200: PayeePageSerializer, **PAGED},
        examples=[PAYEES_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        query = read_query(PageQuerySerializer, request)
        rows = find_payees(get_claims(request).customer_id)
        page = read_page(rows, "created_at", scope=CursorScope("payees", {}), **query)
        return Response(PayeePageSerializer(build_page(page)).data)


class BillListView(Endpoint):
    @extend_schema(
        operation_id="listBills",
        summary="List bills",
        description="The latest due first.",
        tags=["payments"],
        parameters=[BillQuerySerializer],
        responses={200: BillPageSerializer, **PAGED},
        examples=[BILLS_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        query = read_query(BillQuerySerializer, request)
        asked = {"status": query.pop("status")} if "status" in query else {}
        rows = find_bills(get_claims(request).customer_id).filter(**asked)
        page = read_page(rows, "due_on", scope=CursorScope("bills", asked), **query)
        return Response(BillPageSerializer(build_page(page)).data)


class ScheduledPaymentListView(Endpoint):
    @extend_schema(
        operation_id="listScheduledPayments",
        summary="List payments ordered for the future",
        description="The next one first, ended ones last.",
        tags=["payments"],
        responses={200: ScheduledPaymentListSerializer, **WHOLE},
        examples=[SCHEDULED_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        rows = find_scheduled_payments(get_claims(request).customer_id)
        return Response(ScheduledPaymentListSerializer({"results": rows}).data)


class SubscriptionListView(Endpoint):
    @extend_schema(
        operation_id="listSubscriptions",
        summary="List regular charges that were noticed",
        description="The next one first.",
        tags=["payments"],
        responses={200: SubscriptionListSerializer, **WHOLE},
        examples=[SUBSCRIPTIONS_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        rows = Subscription.objects.select_related("account").filter(customer=get_claims(request).customer_id)
        return Response(SubscriptionListSerializer({"results": rows.order_by("next_on", "pk")}).data)


class RateListView(Endpoint):
    @extend_schema(
        operation_id="listRates",
        summary="List the exchange rates in force",
        tags=["rates"],
        responses={200: RateListSerializer, **WHOLE},
        examples=[RATES_EXAMPLE],
    )
    def get(self, _request: Request) -> Response:
        return Response(RateListSerializer({"results": list_rates(timezone.now())}).data)

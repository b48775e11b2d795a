"""Reading conversations by HTTP: the list, one of them, its finished messages, its event log."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api import problems
from accounts.api.authentication import get_claims
from accounts.api.context import build_context
from accounts.api.documentation import WITH_TOKEN, describe_problems
from accounts.api.endpoint import Endpoint
from accounts.api.problems import ApiError, Problem
from audit.enums import AuditAction
from audit.journal import record_refusal
from chat.api.events import choose_position, encode_event_page
from chat.api.examples import CONVERSATION_EXAMPLE, CONVERSATIONS_EXAMPLE, EVENTS_EXAMPLE, MESSAGES_EXAMPLE
from chat.api.pagination import Ordering, Page, read_page
from chat.api.serializers import (
    ConversationPageSerializer,
    ConversationSerializer,
    EventPageSerializer,
    EventQuerySerializer,
    MessagePageSerializer,
    MessageQuerySerializer,
    PageQuerySerializer,
)
from chat.errors import ConversationNotFound
from chat.models import Conversation
from chat.selectors import access_conversation, list_conversations, list_messages

CONV_NOT_FOUND = Problem(404, "conv.not_found", "there is no such conversation of yours")
LAST_USED_FIRST = Ordering("c", "last_turn_at", is_descending=True)
MESSAGE_ORDERS = {
    "oldest": Ordering("mo", "created_at", is_descending=False),
    "newest": Ordering("mn", "created_at", is_descending=True),
}
OWN_PROBLEMS = describe_problems(problems.INVALID, CONV_NOT_FOUND, *WITH_TOKEN)
ID_PARAMETER = OpenApiParameter("conversation_id", UUID, OpenApiParameter.PATH, description="The conversation.")


def read_query(serializer_class: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """Return the checked query parameters.

    Raises: rest_framework.exceptions.ValidationError
    """
    serializer = serializer_class(data=request.query_params.dict())
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data


def access_own(request: Request, conversation_id: str) -> Conversation:
    """Return the bearer's conversation; foreign, unknown and misspelt ids get the same refusal and audit entry.

    Raises: ApiError (conv.not_found)
    """
    customer_id = get_claims(request).customer_id
    try:
        wanted = UUID(conversation_id)
    except ValueError:
        wanted = UUID(int=0)
    try:
        return access_conversation(customer_id, wanted)
    except ConversationNotFound:
        record_refusal(
            build_context(request),
            AuditAction.ACCESS_DENIED,
            subject="conversation",
            subject_id=str(wanted),
            customer_id=customer_id,
        )
        raise ApiError(CONV_NOT_FOUND) from None


def answer_page(page: Page[Any], serializer_class: type[Serializer[Any]]) -> Response:
    return Response(serializer_class({"results": page.rows, "next_cursor": page.next_cursor}).data)


class ConversationListView(Endpoint):
    @extend_schema(
        operation_id="listConversations",
        summary="List conversations",
        description="The one used last comes first. A conversation that is used while pages are read moves to the "
        "front, so read the first page again to see it.",
        tags=["conversations"],
        parameters=[PageQuerySerializer],
        responses={200: ConversationPageSerializer, **describe_problems(problems.INVALID, *WITH_TOKEN)},
        examples=[CONVERSATIONS_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        query = read_query(PageQuerySerializer, request)
        rows = list_conversations(get_claims(request).customer_id)
        return answer_page(read_page(rows, LAST_USED_FIRST, **query), ConversationPageSerializer)


class ConversationView(Endpoint):
    @extend_schema(
        operation_id="getConversation",
        summary="Read one conversation",
        description="Somebody else's conversation looks like one that does not exist.",
        tags=["conversations"],
        parameters=[ID_PARAMETER],
        responses={200: ConversationSerializer, **describe_problems(CONV_NOT_FOUND, *WITH_TOKEN)},
        examples=[CONVERSATION_EXAMPLE],
    )
    def get(self, request: Request, conversation_id: str) -> Response:
        return Response(ConversationSerializer(access_own(request, conversation_id)).data)


class MessageListView(Endpoint):
    @extend_schema(
        operation_id="listMessages",
        summary="List the finished messages of a conversation",
        description="An answer appears here when its turn has ended; while it is being written, follow the events.",
        tags=["conversations"],
        parameters=[ID_PARAMETER, MessageQuerySerializer],
        responses={200: MessagePageSerializer, **OWN_PROBLEMS},
        examples=[MESSAGES_EXAMPLE],
    )
    def get(self, request: Request, conversation_id: str) -> Response:
        query = read_query(MessageQuerySerializer, request)
        ordering = MESSAGE_ORDERS[query.pop("order")]
        rows = list_messages(access_own(request, conversation_id)).select_related("turn")
        return answer_page(read_page(rows, ordering, **query), MessagePageSerializer)


class EventListView(Endpoint):
    @extend_schema(
        operation_id="listEvents",
        summary="Read the event log of a conversation",
        description="The same frames as on the socket, for a phone that cannot hold one. Keep `epoch` and the last "
        "`s`, and send them as `epoch` and `after`. A position of another log or beyond its end does not fail: the "
        "answer says `mode: snapshot` and starts from the first event.",
        tags=["conversations"],
        parameters=[ID_PARAMETER, EventQuerySerializer],
        responses={200: EventPageSerializer, **OWN_PROBLEMS},
        examples=[EVENTS_EXAMPLE],
    )
    def get(self, request: Request, conversation_id: str) -> HttpResponse:
        query = read_query(EventQuerySerializer, request)
        conversation = access_own(request, conversation_id)
        position = choose_position(conversation, epoch=query["epoch"], after=query["after"])
        return HttpResponse(encode_event_page(conversation, position, query["limit"]), content_type="application/json")

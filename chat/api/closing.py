"""Closing a conversation by HTTP."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import get_claims
from accounts.api.context import build_context
from accounts.api.documentation import WITH_TOKEN, describe_problems
from accounts.api.endpoint import Endpoint
from chat.api.commands import BUSY, to_api_error
from chat.api.examples import CLOSED_EXAMPLE
from chat.api.serializers import ConversationSerializer
from chat.api.views import CONV_NOT_FOUND, ID_PARAMETER, access_own
from chat.errors import TurnBusy
from chat.services.conversations import close_conversation
from chat.socket.refusals import build_error


class CloseView(Endpoint):
    @extend_schema(
        operation_id="closeConversation",
        summary="Close a conversation",
        description="Nothing can be asked in it any more (`conv.closed`); reading it stays possible. Its files are "
        "deleted at the model's provider. Refused with `turn.busy` while an answer is unfinished; harmless to repeat.",
        tags=["conversations"],
        parameters=[ID_PARAMETER],
        request=None,
        responses={200: ConversationSerializer, **describe_problems(CONV_NOT_FOUND, BUSY, *WITH_TOKEN)},
        examples=[CLOSED_EXAMPLE],
    )
    def post(self, request: Request, conversation_id: str) -> Response:
        # Fetched with permission first: it records who asked for somebody else's.
        wanted = access_own(request, conversation_id).pk
        claims = get_claims(request)
        try:
            closed = close_conversation(build_context(request), customer_id=claims.customer_id, conversation_id=wanted)
        except TurnBusy as error:
            raise to_api_error(build_error(error)) from None
        return Response(ConversationSerializer(closed).data)

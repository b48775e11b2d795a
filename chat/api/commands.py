"""One command of a conversation by HTTP, for a phone that cannot hold a socket: the frame's body in, the reply out."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.authentication import get_claims
from accounts.api.context import build_context
from accounts.api.documentation import WITH_BODY, WITH_TOKEN, describe_problems
from accounts.api.endpoint import Endpoint
from accounts.api.problems import ApiError, Problem
from chat.api.examples import CONVERSATION_ID, QUESTION_ID, TURN_ID
from chat.api.views import CONV_NOT_FOUND, ID_PARAMETER
from chat.errors import ChatError
from chat.protocol.bodies import ErrorBody
from chat.protocol.codes import ErrorCode, ProtocolError
from chat.protocol.commands import ConfirmDecide, TurnCancel, TurnSubmit, read_command
from chat.protocol.frames import encode_ok
from chat.services.commands import ConversationCommand, carry_out, follow_up
from chat.socket.refusals import build_error
from functions.errors import ConfirmationError

# Everything a command may be refused with; what is not here is a fault of the frame.
STATUSES: dict[ErrorCode, int] = {
    ErrorCode.CONV_NOT_FOUND: 404,
    ErrorCode.TURN_NOT_FOUND: 404,
    ErrorCode.FILE_NOT_FOUND: 404,
    ErrorCode.CONFIRM_NOT_FOUND: 404,
    ErrorCode.CONV_CLOSED: 409,
    ErrorCode.TURN_BUSY: 409,
    ErrorCode.IDEM_CONFLICT: 409,
    ErrorCode.CMD_TOO_OLD: 409,
    ErrorCode.CONFIRM_EXPIRED: 409,
    ErrorCode.CONFIRM_DECIDED: 409,
    ErrorCode.CONFIRM_MISMATCH: 409,
    ErrorCode.CONFIRM_SUPERSEDED: 409,
    ErrorCode.CONFIRM_SIGNATURE: 403,
    ErrorCode.CONFIRM_DEVICE: 403,
    ErrorCode.CONFIRM_ATTEMPTS: 403,
    ErrorCode.AUTH_STEP_UP: 403,
    ErrorCode.LIMIT_SIZE: 413,
    ErrorCode.LIMIT_RATE: 429,
    ErrorCode.SERVER_INTERNAL: 500,
    ErrorCode.UPSTREAM_QUEUE_FULL: 503,
}
BAD_FRAME = 400
NO_ID = "-"

NOT_HERE = Problem(404, "confirm.not_found", "no such question here")
CLOSED = Problem(409, "conv.closed", "the conversation is closed")
BUSY = Problem(409, "turn.busy", "a turn is unfinished", is_retryable=True)
DECIDED = Problem(409, "confirm.decided", "already decided")
SIGNATURE = Problem(403, "confirm.signature", "the signature does not fit")
STEP_UP = Problem(403, "auth.step_up", "the password must be given again first", is_retryable=True)
QUEUE_FULL = Problem(503, "upstream.queue_full", "too many questions are waiting", is_retryable=True)
BAD_BODY = Problem(400, "proto.invalid", "expected a value")
COMMAND_PROBLEMS = (BAD_BODY, SIGNATURE, STEP_UP, CONV_NOT_FOUND, NOT_HERE, CLOSED, BUSY, DECIDED, QUEUE_FULL)

SUBMIT_EXAMPLE = OpenApiExample(
    "submit",
    request_only=True,
    value={
        "t": "turn.submit",
        "id": "1",
        "d": {"mid": "6f1c1d9e-3a52-4f0b-9a77-0d6a3c1b2e5f", "text": "Сколько у меня на карте?", "new": True},
    },
)
REPLY_EXAMPLE = OpenApiExample(
    "submitted",
    response_only=True,
    status_codes=["200"],
    value={"t": "ok", "re": "1", "d": {"turn": TURN_ID, "msg": QUESTION_ID, "e": "5f0c2a9e", "s": 2, "dup": False}},
)


class CommandSerializer(serializers.Serializer[Any]):
    """One frame as a phone sends it on the socket; `c` may be left out, the path names the conversation."""

    t = serializers.ChoiceField(choices=["turn.submit", "turn.cancel", "confirm.decide"], help_text="Type.")
    id = serializers.CharField(required=False, max_length=64, help_text="Comes back as `re`.")
    c = serializers.UUIDField(required=False, help_text=f"The conversation of the path, as {CONVERSATION_ID}.")
    d = serializers.DictField(help_text="Body; its form depends on the type, see the protocol.")


class CommandReplySerializer(serializers.Serializer[Any]):
    """The reply exactly as the socket gives it."""

    t = serializers.ChoiceField(choices=["ok"])
    re = serializers.CharField(help_text="The command's id; `-` when it had none.")
    d = serializers.DictField(help_text="Body; its form depends on the command.")


class CommandView(Endpoint):
    @extend_schema(
        operation_id="sendCommand",
        summary="Send one command",
        description="`turn.submit`, `turn.cancel` and `confirm.decide` with the bodies they have on the socket, for a "
        "phone that cannot hold one; what follows is in the event log. Refusals have the codes of the protocol.",
        tags=["conversations"],
        parameters=[ID_PARAMETER],
        request=CommandSerializer,
        responses={200: CommandReplySerializer, **describe_problems(*COMMAND_PROBLEMS, *WITH_BODY, *WITH_TOKEN)},
        examples=[SUBMIT_EXAMPLE, REPLY_EXAMPLE],
    )
    def post(self, request: Request, conversation_id: str) -> HttpResponse:
        try:
            command_id, wanted, command = read_frame(request.data, conversation_id)
            context = build_context(request)
            done = carry_out(context, get_claims(request), wanted, command)
            follow_up(context, wanted, command)
        except (ProtocolError, ChatError, ConfirmationError) as error:
            raise to_api_error(build_error(error)) from None
        return HttpResponse(encode_ok(command_id or NO_ID, done), content_type="application/json")


def read_frame(frame: Any, conversation_id: str) -> tuple[str | None, UUID, ConversationCommand]:
    """Return id, conversation and body of a command for the conversation that the path names. Raises: ProtocolError"""
    if frame.get("c", conversation_id) != conversation_id:
        raise ProtocolError(ErrorCode.PROTO_INVALID, "expected the conversation of the path", field="c")
    command = read_command({**frame, "c": conversation_id})
    if command.conversation_id is None or not isinstance(command.body, TurnSubmit | TurnCancel | ConfirmDecide):
        raise ProtocolError(ErrorCode.PROTO_UNKNOWN_TYPE, "not a command of this path", field="t")
    return command.id, command.conversation_id, command.body


def to_api_error(error: ErrorBody) -> ApiError:
    """Return the same refusal in the words of REST."""
    problem = Problem(STATUSES.get(error.code, BAD_FRAME), error.code.value, error.message, error.retryable)
    seconds = None if error.retry_after_ms is None else -(-error.retry_after_ms // 1000)
    return ApiError(problem, field=error.field, retry_after_seconds=seconds, details=error.details)

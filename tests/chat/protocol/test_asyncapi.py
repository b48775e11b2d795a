import json
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator, ValidationError

from chat.protocol import events, replies
from chat.protocol.asyncapi import build_document
from chat.protocol.bodies import ErrorBody
from chat.protocol.codes import CloseCode, ErrorCode
from chat.protocol.commands import CommandType
from chat.protocol.events import EventType
from chat.protocol.frames import (
    digest_text,
    encode_error,
    encode_event_frame,
    encode_ok,
    encode_signal,
    encode_welcome,
)
from chat.protocol.states import StateContent, StateMessage, encode_state_frames
from tests.contract import check_command, check_sent

C = UUID("0199c0de-0000-7000-8000-000000000001")
M = UUID("0199c0de-0000-7000-8000-000000000002")
SUM = digest_text("ab")
LONG = StateMessage(msg=M, role="user", text="ab" * 40_000, bytes=80_000, sum=digest_text("ab" * 40_000))
QUESTION = events.ConfirmRequested(
    confirm=M, turn=M, call=M, payload='{"act":"a"}', hash="h", ssig="s", kid="k", exp_ms=1, methods=("tap",)
)
FAILURE = ErrorBody(code=ErrorCode.UPSTREAM_TIMEOUT, message="silent", details={"seconds": 150}, trace="t")


def test_build_document_is_valid_json_schema_throughout() -> None:
    for message in build_document()["components"]["messages"].values():
        Draft202012Validator.check_schema(message["payload"])


def test_build_document_names_every_command_event_and_code() -> None:
    document = build_document()
    messages = set(document["components"]["messages"])
    assert {f"phone.{kind.value}" for kind in CommandType} <= messages
    assert {kind.value for kind in EventType} <= messages
    assert {"welcome", "ok", "err", "conv.state", "ping", "pong", "bye", "drain", "limits", "notice"} <= messages
    assert [row["code"] for row in document["x-error-codes"]] == [code.value for code in ErrorCode]
    assert [row["code"] for row in document["x-close-codes"]] == [int(code) for code in CloseCode]


def test_build_document_has_no_dangling_references() -> None:
    document = build_document()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                target: Any = document
                for step in value["$ref"].removeprefix("#/").split("/"):
                    target = target[step]
            for child in value.values():
                walk(child)
        elif isinstance(value, list):
            for child in value:
                walk(child)

    walk(document)


@pytest.mark.parametrize(
    "event",
    [
        events.ConversationCreated(title="Карты"),
        events.ConversationUpdated(),
        events.TurnAccepted(turn=M, msg=M, mid=M, text="a", dev="d_A"),
        events.TurnStarted(turn=M, msg=M, attempt=1, model="GigaChat-2"),
        events.MessageReset(turn=M, msg=M, attempt=2, why="worker_lost"),
        events.TextDelta(msg=M, off=0, text="a"),
        events.MessageReplaced(msg=M, text="ab", bytes=2, sum=SUM, why="policy"),
        events.MessageSnapshot(msg=M, attempt=1, text="a"),
        events.FunctionStarted(turn=M, call=M, name="f", label="Смотрю", args_public={"account": "acc_1"}),
        events.FunctionCompleted(
            turn=M, call=M, status="ok", result_public={"rows": 1}, cards=({"kind": "requisites"},)
        ),
        events.FunctionCompleted(turn=M, call=M, status="denied"),
        QUESTION,
        QUESTION.model_copy(update={"needs_payee": True, "step_up": True, "warnings": ("new_payee",)}),
        events.ConfirmDecided(confirm=M, decision="approve", dev="d_A"),
        events.ConfirmClosed(confirm=M, why="expired"),
        events.OperationResult(confirm=M, op=M, status="done", receipt="{}", ssig="s", kid="k"),
        events.TurnCompleted(turn=M, msg=M, finish="stop", bytes=2, sum=SUM),
        events.TurnCancelled(turn=M, bytes=2, sum=SUM, dev="d_A"),
        events.TurnFailed(turn=M, partial=False, error=FAILURE),
    ],
)
def test_contract_allows_every_event_we_encode(event: events.Event) -> None:
    kind, body = events.encode(event)
    check_sent(json.loads(encode_event_frame(C, 1, covered=1, kind=kind, body=body)))


@pytest.mark.parametrize(
    "text",
    [
        encode_event_frame(C, 5, covered=3, kind="text.delta", body=events.encode_text_delta(M, 0, "a")),
        encode_error("1", FAILURE),
        encode_error(None, FAILURE),
        encode_ok("1", replies.Empty()),
        encode_ok("1", replies.TurnSubmitted(turn=M, msg=M, e="e1", s=3, dup=False)),
        encode_ok("1", replies.CancelReply(state="cancelling")),
        encode_ok("1", replies.DecisionReply(state="approved", s=4)),
        encode_ok("1", replies.RefreshReply(exp=1)),
        encode_ok("1", replies.DeniedAttachment(c=C)),
        encode_ok("1", replies.Attachment(c=C, e="e", top=0, mode=replies.ResumeMode.LIVE, active=None)),
        encode_signal(replies.Ping(n=1)),
        encode_signal(replies.Pong(), command_id="1"),
        encode_signal(replies.build_bye(CloseCode.RESTART)),
        encode_signal(replies.AuthExpiring(in_ms=60_000)),
        encode_signal(replies.Drain(reconnect_in_ms=1, deadline_ms=2, why="deploy")),
        encode_signal(replies.Limits(turns=replies.LimitState(left=0, reset_ms=1))),
        encode_signal(replies.Notice(code="x", message="y")),
        encode_signal(replies.TurnQueued(turn=M, position=1, eta_ms=5), conversation_id=C),
        *encode_state_frames(
            C, 4, StateContent(title="", messages=[LONG], older=False, active=None, confirms=[QUESTION])
        ),
    ],
)
def test_contract_allows_every_other_frame_we_encode(text: str) -> None:
    check_sent(json.loads(text))


def test_contract_allows_welcome_with_every_kind_of_attachment() -> None:
    active = replies.ActiveTurn(turn=M, state="queued", attempt=0, msg=M, queue=2)
    subs = (
        replies.Attachment(
            c=C, e="e", top=3, mode=replies.ResumeMode.SNAPSHOT, why=replies.SnapshotReason.OLD, active=active
        ),
        replies.Attachment(c=C, e="e", top=3, mode=replies.ResumeMode.REPLAY, active=None, confirms=(QUESTION,)),
        replies.DeniedAttachment(c=C),
    )
    welcome = replies.Welcome(conn="k", now=1, ping_ms=1, pong_ms=1, token_exp_ms=1, win=1, subs=subs)
    check_sent(json.loads(encode_welcome("1", welcome)))


@pytest.mark.parametrize(
    "frame",
    [
        {"t": "text.delta", "c": str(C), "s": 1, "n": 1, "d": {"msg": str(M), "off": 0, "text": "a"}},
        {"t": "text.delta", "c": str(C), "d": {"msg": str(M), "off": 0, "text": "a"}},
        {"t": "text.delta", "c": str(C), "s": 1, "d": {"msg": str(M), "off": 0, "text": None}},
        {"t": "text.delta", "c": "c_7", "s": 1, "d": {"msg": str(M), "off": 0, "text": "a"}},
        {"t": "conv.created", "c": str(C), "s": 1, "d": {"title": "a", "secret": 1}},
        {"t": "ok", "d": {}},
        {"t": "ok", "re": "1", "d": {"state": "maybe"}},
        {"t": "bye", "d": {"code": 4413}},
    ],
)
def test_contract_refuses_a_frame_that_is_not_as_specified(frame: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        check_sent(frame)


def test_contract_refuses_a_type_it_does_not_know() -> None:
    with pytest.raises(KeyError):
        check_sent({"t": "later.event", "c": str(C), "s": 1, "d": {}})


@pytest.mark.parametrize(
    "frame",
    [
        {"t": "hello", "id": "1", "d": {"v": 1, "dev": {"id": "d_A"}, "subs": [{"c": str(C), "e": "e1", "s": 5}]}},
        {"t": "turn.submit", "id": "1", "c": str(C), "d": {"mid": str(M), "text": "a", "new": True, "busy": "queue"}},
        {
            "t": "confirm.decide",
            "id": "1",
            "c": str(C),
            "d": {"confirm": str(M), "decision": "approve", "hash": "h", "nonce": "n", "kid": "k", "sig": "s", "at": 1},
        },
        {"t": "ack", "d": {str(C): 5}},
        {"t": "ping"},
    ],
)
def test_contract_allows_commands_of_a_phone(frame: dict[str, Any]) -> None:
    check_command(frame)


def test_contract_asks_for_the_conversation_where_one_is_meant() -> None:
    with pytest.raises(ValidationError):
        check_command({"t": "turn.cancel", "id": "1", "d": {"turn": str(M)}})

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.protocol import events
from chat.protocol.bodies import ErrorBody, UsageBody
from chat.protocol.codes import ErrorCode
from chat.protocol.events import EventType
from chat.protocol.frames import digest_text

T = UUID("0199c0de-0000-7000-8000-000000000001")
M = UUID("0199c0de-0000-7000-8000-000000000002")
SUM = digest_text("Привет")


@pytest.mark.parametrize(
    ("event", "kind", "body"),
    [
        (events.ConversationCreated(title="Карты"), "conv.created", {"title": "Карты"}),
        (events.ConversationUpdated(), "conv.updated", {}),
        (events.ConversationUpdated(closed=True), "conv.updated", {"closed": True}),
        (
            events.TurnAccepted(turn=T, msg=M, mid=M, text="Привет", dev="d_A"),
            "turn.accepted",
            {"turn": str(T), "msg": str(M), "mid": str(M), "text": "Привет", "dev": "d_A"},
        ),
        (
            events.TurnStarted(turn=T, msg=M, attempt=1, model="GigaChat-2"),
            "turn.started",
            {"turn": str(T), "msg": str(M), "attempt": 1, "model": "GigaChat-2"},
        ),
        (
            events.MessageReset(turn=T, msg=M, attempt=2, why="worker_lost"),
            "msg.reset",
            {"turn": str(T), "msg": str(M), "attempt": 2, "why": "worker_lost"},
        ),
        (events.TextDelta(msg=M, off=4, text="Ж"), "text.delta", {"msg": str(M), "off": 4, "text": "Ж"}),
        (
            events.MessageReplaced(msg=M, text="Привет", bytes=12, sum=SUM, why="policy"),
            "msg.replaced",
            {"msg": str(M), "text": "Привет", "bytes": 12, "sum": SUM, "why": "policy"},
        ),
        (
            events.MessageSnapshot(msg=M, attempt=1, text="Привет"),
            "msg.snapshot",
            {"msg": str(M), "attempt": 1, "text": "Привет"},
        ),
        (
            events.TurnCompleted(turn=T, msg=M, finish="stop", bytes=12, sum=SUM, usage=UsageBody(in_=212, out=11)),
            "turn.completed",
            {
                "turn": str(T),
                "msg": str(M),
                "finish": "stop",
                "bytes": 12,
                "sum": SUM,
                "usage": {"in": 212, "out": 11},
            },
        ),
        (
            events.TurnCancelled(turn=T, msg=None, bytes=0, sum=digest_text(""), dev="d_B"),
            "turn.cancelled",
            {"turn": str(T), "bytes": 0, "sum": digest_text(""), "dev": "d_B"},
        ),
        (
            events.TurnFailed(
                turn=T,
                msg=M,
                partial=True,
                bytes=12,
                sum=SUM,
                error=ErrorBody(code=ErrorCode.WORKER_LOST, message="the process died", trace="t"),
            ),
            "turn.failed",
            {
                "turn": str(T),
                "msg": str(M),
                "partial": True,
                "bytes": 12,
                "sum": SUM,
                "error": {"code": "worker.lost", "message": "the process died", "retryable": True, "trace": "t"},
            },
        ),
    ],
)
def test_encode_each_event_gives_its_type_and_compact_body(
    event: events.Event, kind: str, body: dict[str, object]
) -> None:
    encoded_kind, encoded = events.encode(event)
    assert encoded_kind == kind
    assert json.loads(encoded) == body
    assert encoded == json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def test_encode_knows_every_event_type() -> None:
    assert {member.TYPE for member in events.Event.__args__} == set(EventType)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 2**40))
def test_encode_text_delta_equals_encode(text: str, off: int) -> None:
    body = events.encode_text_delta(M, off, text)
    assert body == events.encode(events.TextDelta(msg=M, off=off, text=text))[1]
    assert events.read_delta_text(body) == text


def test_terminal_events_are_the_three_that_end_a_turn() -> None:
    assert {kind.value for kind in EventType if kind.is_terminal} == {
        "turn.completed",
        "turn.cancelled",
        "turn.failed",
    }


def test_event_body_with_a_bad_digest_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="sum"):
        events.TurnCancelled(turn=T, bytes=0, sum="short", dev="d")

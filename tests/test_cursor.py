import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.protocol import events
from chat.protocol.frames import digest_text, encode_event_frame
from chat.protocol.merging import MergedEvent, merge_events
from chat.protocol.states import StateContent, StateMessage, encode_state_frames
from tests.cursor import FollowedConversation, Verdict

C = UUID("0199c0de-0000-7000-8000-000000000001")
E = "e1"


def frame(event: MergedEvent) -> dict[str, Any]:
    text = encode_event_frame(C, event.seq, covered=event.covered, kind=event.type, body=event.body)
    decoded: dict[str, Any] = json.loads(text)
    return decoded


def store(*bodies: events.Event) -> list[MergedEvent]:
    """Return a log holding the events in order."""
    return [MergedEvent(seq, 1, *events.encode(event)) for seq, event in enumerate(bodies, 1)]


def read_log(log: list[MergedEvent]) -> dict[str, str]:
    """Return the texts a log amounts to; written without the cursor rule to check it."""
    texts: dict[str, str] = {}
    for event in log:
        body = json.loads(event.body)
        if event.type == "text.delta":
            texts[body["msg"]] = texts.get(body["msg"], "") + body["text"]
        elif event.type == "msg.reset":
            texts[body["msg"]] = ""
        elif event.type == "msg.replaced":
            texts[body["msg"]] = body["text"]
    return texts


def build_state(log: list[MergedEvent]) -> list[dict[str, Any]]:
    """Return the decoded `conv.state` frames as of the log's end."""
    messages = [
        StateMessage(msg=UUID(msg), role="assistant", text=text, bytes=len(text.encode()), sum=digest_text(text))
        for msg, text in read_log(log).items()
    ]
    content = StateContent(title="", messages=messages, older=False, active=None)
    return [json.loads(text) for text in encode_state_frames(C, len(log), content)]


@st.composite
def logs(draw: st.DrawFn) -> list[MergedEvent]:
    """A log of some answers: deltas, resets with a second attempt, withdrawn texts, honest terminal events."""
    bodies: list[events.Event] = []
    for number in range(draw(st.integers(1, 3))):
        msg, turn = UUID(int=number + 1), UUID(int=number + 100)
        text = ""
        for _ in range(draw(st.integers(0, 12))):
            piece = draw(st.text(st.sampled_from("aЖ₽😀"), min_size=1, max_size=5))
            bodies.append(events.TextDelta(msg=msg, off=len(text.encode()), text=piece))
            text += piece
            if draw(st.integers(0, 9)) == 0:
                bodies.append(events.MessageReset(turn=turn, msg=msg, attempt=2, why="worker_lost"))
                text = ""
        if draw(st.integers(0, 4)) == 0:
            text = "нет"
            bodies.append(events.MessageReplaced(msg=msg, text=text, bytes=6, sum=digest_text(text), why="policy"))
        end = events.TurnCompleted(turn=turn, msg=msg, finish="stop", bytes=len(text.encode()), sum=digest_text(text))
        bodies.append(end)
    return store(*bodies)


def merge_randomly(data: st.DataObject, log: list[MergedEvent]) -> list[MergedEvent]:
    """Return the log's events cut into random stretches, the deltas of each stretch merged."""
    merged: list[MergedEvent] = []
    rest = log
    while rest:
        size = data.draw(st.integers(1, 6))
        merged += merge_events(rest[:size])
        rest = rest[size:]
    return merged


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_cursor_rule_over_a_bad_network_never_loses_or_doubles_a_character(data: st.DataObject) -> None:
    log = data.draw(logs())
    held = FollowedConversation(str(C), epoch=E)
    # Loss, repetition and disorder: any frames of any mergings, in any order.
    pool = merge_randomly(data, log) + merge_randomly(data, log) + log
    for event in data.draw(st.lists(st.sampled_from(pool), max_size=40)):
        before = held.cursor
        verdict = held.receive(frame(event))
        assert verdict is not Verdict.RESYNC
        assert held.cursor == (event.seq if verdict is Verdict.APPLIED else before)
        expected = read_log(log[: held.cursor])
        assert held.texts == expected
        if held.asked and data.draw(st.booleans()):
            resume(data, held, log)
    resume(data, held, log)
    assert held.cursor == len(log)
    assert held.texts == read_log(log)


def resume(data: st.DataObject, held: FollowedConversation, log: list[MergedEvent]) -> None:
    """Answer an attach as the server does: the missed events merged anew, or the whole state."""
    if data.draw(st.integers(0, 3)) == 0:
        held.take_attachment({"c": str(C), "e": E, "top": len(log), "mode": "snapshot", "why": "old", "active": None})
        for state in build_state(log):
            held.receive(state)
        return
    held.take_attachment({"c": str(C), "e": E, "top": len(log), "mode": "replay", "active": None})
    for event in merge_randomly(data, log[held.cursor :]):
        assert held.receive(frame(event)) is Verdict.APPLIED


def follow_log(*bodies: events.Event) -> tuple[FollowedConversation, list[Verdict]]:
    held = FollowedConversation(str(C), epoch=E)
    return held, [held.receive(frame(event)) for event in store(*bodies)]


M = UUID(int=1)
T = UUID(int=100)


def test_receive_of_a_hole_applies_nothing_and_asks() -> None:
    log = store(*[events.TextDelta(msg=M, off=off, text="a") for off in range(3)])
    held = FollowedConversation(str(C), epoch=E)
    assert held.receive(frame(log[0])) is Verdict.APPLIED
    assert held.receive(frame(log[2])) is Verdict.ATTACH
    assert (held.cursor, held.texts) == (1, {str(M): "a"})
    assert held.get_position() == {"e": E, "s": 1}


def test_receive_of_a_merged_frame_over_the_own_position_asks() -> None:
    log = store(*[events.TextDelta(msg=M, off=off, text="a") for off in range(3)])
    held = FollowedConversation(str(C), epoch=E)
    held.receive(frame(log[0]))
    assert held.receive(frame(merge_events(log)[0])) is Verdict.ATTACH
    assert held.texts == {str(M): "a"}


def test_receive_while_an_answer_is_awaited_asks_only_once() -> None:
    log = store(*[events.TextDelta(msg=M, off=off, text="a") for off in range(5)])
    held = FollowedConversation(str(C), epoch=E)
    assert [held.receive(frame(event)) for event in log[2:]] == [Verdict.ATTACH, Verdict.WAITING, Verdict.WAITING]
    held.take_attachment({"c": str(C), "e": E, "top": 5, "mode": "replay", "active": None})
    assert held.receive(frame(merge_events(log)[0])) is Verdict.APPLIED
    assert held.texts == {str(M): "aaaaa"}


def test_receive_of_an_unknown_event_moves_the_cursor() -> None:
    held = FollowedConversation(str(C), epoch=E)
    assert held.receive({"t": "later.event", "c": str(C), "s": 1, "d": {}}) is Verdict.APPLIED
    assert held.cursor == 1


@pytest.mark.parametrize(
    "wrong",
    [
        events.TextDelta(msg=M, off=0, text="a"),
        events.TurnCompleted(turn=T, msg=M, finish="stop", bytes=2, sum=digest_text("b")),
        events.TurnCompleted(turn=T, msg=M, finish="stop", bytes=3, sum=digest_text("ab")),
        events.TurnCancelled(turn=T, msg=M, bytes=0, sum=digest_text(""), dev="d"),
    ],
)
def test_receive_of_an_event_that_proves_the_text_wrong_asks_for_everything(wrong: events.Event) -> None:
    held, verdicts = follow_log(events.TextDelta(msg=M, off=0, text="ab"), wrong)
    assert verdicts == [Verdict.APPLIED, Verdict.RESYNC]
    assert held.cursor == 1


def test_receive_of_a_failed_turn_without_text_is_applied() -> None:
    error = {"code": "upstream.timeout", "message": "", "retryable": True, "trace": ""}
    held = FollowedConversation(str(C), epoch=E)
    failed = {"t": "turn.failed", "c": str(C), "s": 1, "d": {"turn": str(T), "partial": False, "error": error}}
    assert held.receive(failed) is Verdict.APPLIED
    assert held.ended == {str(T): "turn.failed"}


def test_events_before_a_promised_state_wait_for_it() -> None:
    log = store(*[events.TextDelta(msg=M, off=off, text="a") for off in range(4)])
    held = FollowedConversation(str(C), epoch="lost", cursor=99, texts={str(M): "other"})
    held.take_attachment({"c": str(C), "e": E, "top": 3, "mode": "snapshot", "why": "epoch", "active": None})
    assert held.receive(frame(log[2])) is Verdict.WAITING
    assert [held.receive(part) for part in build_state(log[:3])] == [Verdict.APPLIED]
    assert held.receive(frame(log[3])) is Verdict.APPLIED
    assert (held.get_position(), held.texts) == ({"e": E, "s": 4}, {str(M): "aaaa"})


def test_state_in_parts_is_taken_only_when_whole() -> None:
    text = "Ж" * 70_000
    parts = build_state(store(events.MessageReplaced(msg=M, text=text, bytes=140_000, sum=digest_text(text), why="x")))
    held = FollowedConversation(str(C), epoch=E, cursor=7, texts={str(M): "old"})
    assert held.receive(parts[0]) is Verdict.WAITING
    assert (held.cursor, held.texts) == (7, {str(M): "old"})
    assert held.receive(parts[-1]) is Verdict.RESYNC
    assert held.texts == {str(M): "old"}
    held.take_attachment({"c": str(C), "e": E, "top": 1, "mode": "snapshot", "why": "new", "active": None})
    assert [held.receive(part) for part in parts][-1] is Verdict.APPLIED
    assert held.texts == {str(M): text}

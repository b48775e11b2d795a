import json
from typing import Any
from uuid import UUID

import pytest

from chat.protocol.frames import MAX_FRAME_BYTES, digest_text
from chat.protocol.replies import ActiveTurn
from chat.protocol.states import StateContent, StateMessage, encode_state_frames

C = UUID("0199c0de-0000-7000-8000-000000000001")


def build_message(text: str, number: int = 2) -> StateMessage:
    return StateMessage(
        msg=UUID(int=number), role="assistant", text=text, bytes=len(text.encode()), sum=digest_text(text)
    )


def encode(*messages: StateMessage) -> list[dict[str, Any]]:
    content = StateContent(title="Карты", messages=messages, older=True, active=None)
    frames = encode_state_frames(C, 9, content)
    assert all(len(frame.encode()) <= MAX_FRAME_BYTES for frame in frames)
    return [json.loads(frame) for frame in frames]


def test_encode_state_frames_of_nothing_is_one_frame() -> None:
    assert encode() == [
        {
            "t": "conv.state",
            "c": str(C),
            "s": 9,
            "snap": True,
            "d": {"part": 1, "of": 1, "title": "Карты", "msgs": [], "older": True, "active": None, "confirms": []},
        }
    ]


def test_encode_state_frames_puts_the_position_only_on_the_last_part() -> None:
    frames = encode(*[build_message("Ж" * 10_000, number) for number in range(7)])
    assert len(frames) == 3
    assert [(frame.get("s"), frame.get("snap")) for frame in frames] == [(None, None), (None, None), (9, True)]
    assert [(frame["d"]["part"], frame["d"]["of"]) for frame in frames] == [(1, 3), (2, 3), (3, 3)]
    assert [item["msg"] for frame in frames for item in frame["d"]["msgs"]] == [str(UUID(int=n)) for n in range(7)]


@pytest.mark.parametrize("letter", ["x", "Ж", "😀", "\u0001"])
def test_encode_state_frames_cuts_a_long_text_into_joining_pieces(letter: str) -> None:
    text = letter * 70_001
    pieces = [item for frame in encode(build_message(text)) for item in frame["d"]["msgs"]]
    assert "".join(piece["text"] for piece in pieces) == text
    off = 0
    for piece in pieces:
        assert (piece["off"], piece["bytes"], piece["sum"]) == (off, len(text.encode()), digest_text(text))
        off += len(piece["text"].encode())


def test_encode_state_frames_marks_an_unfinished_answer() -> None:
    message = build_message("так").model_copy(update={"partial": True, "turn": UUID(int=5)})
    assert encode(message)[0]["d"]["msgs"] == [
        {
            "msg": str(UUID(int=2)),
            "turn": str(UUID(int=5)),
            "role": "assistant",
            "text": "так",
            "bytes": 6,
            "sum": digest_text("так"),
            "partial": True,
        }
    ]


def test_encode_state_frames_says_which_turn_is_unfinished() -> None:
    active = ActiveTurn(turn=UUID(int=5), state="queued", attempt=0, msg=UUID(int=6))
    frames = encode_state_frames(C, 9, StateContent(title="", messages=[], older=False, active=active))
    assert json.loads(frames[0])["d"]["active"] == {
        "turn": str(UUID(int=5)),
        "state": "queued",
        "attempt": 0,
        "msg": str(UUID(int=6)),
    }


def test_encode_state_frames_says_in_every_part_that_the_conversation_is_closed() -> None:
    messages = [build_message("Ж" * 10_000, number) for number in range(7)]
    content = StateContent(title="", messages=messages, older=False, active=None, is_closed=True)
    frames = encode_state_frames(C, 9, content)
    assert [json.loads(frame)["d"]["closed"] for frame in frames] == [True] * 3

"""One answer between the model and the log: order, offsets, bounds, loss."""

import asyncio

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.engine.answer import MAX_DELTA_CHARS, MAX_PENDING_CHARS, AnswerLog
from chat.errors import RunLost
from tests.factories.chat import make_claimed


def make_answer() -> AnswerLog:
    return AnswerLog(make_claimed())


@given(st.lists(st.text(min_size=1, max_size=9000), max_size=6))
def test_take_delta_hands_out_every_character_once_with_joining_offsets(pieces: list[str]) -> None:
    answer = make_answer()
    for piece in pieces:
        answer.add(piece)
    taken = ""
    while answer.has_pending:
        body = orjson.loads(answer.take_delta().body)
        assert body["off"] == len(taken.encode())
        assert 0 < len(body["text"]) <= MAX_DELTA_CHARS
        taken += body["text"]
        answer.confirm_delta(answer.seq + 1)

    assert taken == "".join(pieces) == answer.text
    assert answer.is_drained


def test_confirm_delta_tells_what_to_announce() -> None:
    answer = make_answer()
    answer.add("да")
    delta = answer.take_delta()

    appended = answer.confirm_delta(4)

    assert appended.conversation_id == answer.claimed.conversation_id
    assert [(event.seq, event.type, event.body) for event in appended.events] == [(4, "text.delta", delta.body)]
    assert answer.seq == 4


def test_confirm_delta_without_one_in_flight_is_a_bug() -> None:
    with pytest.raises(RuntimeError):
        make_answer().confirm_delta(4)


async def test_wait_until_drained_returns_when_the_last_piece_is_committed() -> None:
    answer = make_answer()
    answer.add("да")
    waiting = asyncio.create_task(answer.wait_until_drained())
    answer.take_delta()
    await asyncio.sleep(0)
    assert not waiting.done()

    answer.confirm_delta(4)

    await asyncio.wait_for(waiting, 5)


async def test_lose_wakes_whoever_waits() -> None:
    answer = make_answer()
    answer.add("да")
    waiting = asyncio.create_task(answer.wait_until_drained())
    await asyncio.sleep(0)

    answer.lose()

    with pytest.raises(RunLost):
        await asyncio.wait_for(waiting, 5)
    with pytest.raises(RunLost):
        await answer.wait_for_room()


async def test_wait_for_room_holds_the_model_back_while_much_is_pending() -> None:
    answer = make_answer()
    await asyncio.wait_for(answer.wait_for_room(), 5)
    answer.add("я" * (MAX_PENDING_CHARS + 1))
    waiting = asyncio.create_task(answer.wait_for_room())
    await asyncio.sleep(0)
    assert not waiting.done()

    answer.take_delta()
    answer.confirm_delta(4)

    await asyncio.wait_for(waiting, 5)

"""Rates and the window, against the definitions they implement."""

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from chat.socket.limits import Strikes, TokenBucket
from chat.socket.window import SendWindow


@given(st.lists(st.floats(0, 2), max_size=80))
def test_token_bucket_never_allows_more_than_capacity_and_refill(gaps: list[float]) -> None:
    bucket, now, allowed = TokenBucket(5, 10.0), 0.0, 0
    for gap in gaps:
        now += gap
        allowed += bucket.take(now) == 0.0

    assert allowed <= 5 + now * 5 / 10.0 + 1e-6


def test_token_bucket_tells_when_the_next_one_is_free() -> None:
    bucket = TokenBucket(2, 10.0)
    assert [bucket.take(0.0), bucket.take(0.0)] == [0.0, 0.0]

    wait = bucket.take(0.0)

    assert wait == 5.0
    assert bucket.take(wait) == 0.0


def test_strikes_count_only_within_the_window() -> None:
    strikes = Strikes(3, 60.0)

    assert [strikes.add(0.0), strikes.add(30.0), strikes.add(61.0), strikes.add(62.0)] == [False, False, False, True]


def test_window_is_full_by_bytes_and_opens_with_the_ack() -> None:
    window, conversation_id = SendWindow(max_bytes=100, max_frames=10), uuid4()
    window.add(conversation_id, 1, 60)
    assert window.has_room
    window.add(conversation_id, 2, 60)
    assert not window.has_room

    window.confirm({conversation_id: 1})

    assert window.has_room


def test_window_is_full_by_frames() -> None:
    window, conversation_id = SendWindow(max_bytes=10_000, max_frames=2), uuid4()
    window.add(conversation_id, 1, 1)
    window.add(conversation_id, 2, 1)

    assert not window.has_room


def test_window_ack_of_one_conversation_leaves_the_others() -> None:
    window, one, other = SendWindow(max_bytes=100, max_frames=10), uuid4(), uuid4()
    window.add(one, 5, 60)
    window.add(other, 5, 60)

    window.confirm({other: 4, uuid4(): 99})
    assert not window.has_room
    window.forget(one)

    assert window.has_room

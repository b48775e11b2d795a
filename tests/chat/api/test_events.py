import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.api.events import PAGE_BYTES, Position, choose_position, cut_page, encode_event_page
from chat.models import Conversation
from chat.protocol.replies import ResumeMode, SnapshotReason
from chat.stream import StoredEvent
from tests.factories.chat import ask, list_event_types

LIVE, REPLAY, SNAPSHOT = ResumeMode.LIVE, ResumeMode.REPLAY, ResumeMode.SNAPSHOT


@pytest.mark.parametrize(
    ("epoch", "after", "expected"),
    [
        ("", None, Position(0, SNAPSHOT, SnapshotReason.NEW)),
        ("e1", None, Position(0, SNAPSHOT, SnapshotReason.NEW)),
        ("e1", 0, Position(0, REPLAY)),
        ("e1", 4, Position(4, REPLAY)),
        ("", 4, Position(4, REPLAY)),
        ("e1", 5, Position(5, LIVE)),
        ("e1", 6, Position(0, SNAPSHOT, SnapshotReason.AHEAD)),
        ("e0", 4, Position(0, SNAPSHOT, SnapshotReason.EPOCH)),
        ("e0", 99, Position(0, SNAPSHOT, SnapshotReason.EPOCH)),
    ],
)
def test_choose_position_follows_the_sockets_rules(epoch: str, after: int | None, expected: Position) -> None:
    assert choose_position(Conversation(epoch="e1", top=5), epoch=epoch, after=after) == expected


def read(conversation: Conversation, position: Position, limit: int = 100) -> Any:
    return json.loads(encode_event_page(conversation, position, limit))


@pytest.mark.django_db
def test_encode_event_page_holds_the_frames_of_the_socket() -> None:
    asked = ask()
    conversation = Conversation.objects.get(pk=asked.conversation_id)
    page = read(conversation, Position(0, REPLAY))
    assert (page["epoch"], page["top"], page["from"], page["more"]) == (conversation.epoch, conversation.top, 0, False)
    assert [frame["t"] for frame in page["events"]] == list_event_types(conversation.pk)
    assert [frame["s"] for frame in page["events"]] == list(range(1, conversation.top + 1))
    assert all(frame.keys() == {"t", "c", "s", "d"} for frame in page["events"])
    assert {frame["c"] for frame in page["events"]} == {str(conversation.pk)}


@pytest.mark.django_db
def test_encode_event_page_leaves_events_beyond_its_head_to_the_next_page() -> None:
    asked = ask()
    conversation = Conversation.objects.get(pk=asked.conversation_id)
    before = conversation.top
    ask(asked.customer, conversation_id=asked.conversation_id)
    page = read(conversation, Position(0, REPLAY))
    assert (page["top"], len(page["events"]), page["more"]) == (before, before, False)


@pytest.mark.django_db
def test_encode_event_page_by_ones_reaches_the_end() -> None:
    conversation = Conversation.objects.get(pk=ask().conversation_id)
    after, seen, more = 0, [], True
    while more:
        page = read(conversation, Position(after, REPLAY), limit=1)
        seen += [frame["s"] for frame in page["events"]]
        after, more = seen[-1], page["more"]
    assert seen == list(range(1, conversation.top + 1))


@given(st.lists(st.integers(0, PAGE_BYTES), max_size=6))
def test_cut_page_makes_progress_and_stays_small(sizes: list[int]) -> None:
    events = [StoredEvent(seq, "text.delta", "x" * size) for seq, size in enumerate(sizes, 1)]
    page = cut_page(events)
    assert list(page) == events[: len(page)]
    assert bool(page) == bool(events)
    assert len(page) == 1 or sum(len(event.body) for event in page) <= PAGE_BYTES


def test_cut_page_counts_bytes_not_letters() -> None:
    long = "ж" * (PAGE_BYTES // 4)
    events = [StoredEvent(seq, "text.delta", long) for seq in range(1, 5)]
    assert len(cut_page(events)) == 2

from dataclasses import dataclass
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.protocol.events import encode_text_delta, read_delta_text
from chat.protocol.merging import MERGED_BODY_BYTES, MergedEvent, merge_deltas, merge_events

M1 = UUID("0199c0de-0000-7000-8000-000000000001")
M2 = UUID("0199c0de-0000-7000-8000-000000000002")


@dataclass(frozen=True)
class Stored:
    seq: int
    type: str
    body: str


def build_deltas(*texts: str, first_seq: int = 1, off: int = 0, msg: UUID = M1) -> list[Stored]:
    deltas = []
    for seq, text in enumerate(texts, first_seq):
        deltas.append(Stored(seq, "text.delta", encode_text_delta(msg, off, text)))
        off += len(text.encode())
    return deltas


def test_merge_events_joins_neighbouring_deltas() -> None:
    assert merge_events(build_deltas("Курс", " евро", " 98,40 ₽")) == [
        MergedEvent(3, 3, "text.delta", encode_text_delta(M1, 0, "Курс евро 98,40 ₽"))
    ]


def test_merge_events_sends_a_lone_delta_as_it_was_stored() -> None:
    odd = Stored(4, "text.delta", f'{{"off":0, "msg":"{M1}", "text":"x", "later":1}}')
    assert merge_events([odd]) == [MergedEvent(4, 1, "text.delta", odd.body)]


def test_merge_events_of_nothing_is_nothing() -> None:
    assert merge_events([]) == []


def test_merge_events_never_crosses_another_event() -> None:
    reset = Stored(3, "msg.reset", "{}")
    events = [*build_deltas("a", "b"), reset, *build_deltas("c", "d", first_seq=4)]
    assert [(event.seq, event.covered, event.type) for event in merge_events(events)] == [
        (2, 2, "text.delta"),
        (3, 1, "msg.reset"),
        (5, 2, "text.delta"),
    ]


@pytest.mark.parametrize(
    "second",
    [
        build_deltas("b", first_seq=2, off=1, msg=M2),
        build_deltas("b", first_seq=2, off=0),
        build_deltas("b", first_seq=2, off=2),
        build_deltas("b", first_seq=3, off=1),
    ],
    ids=["another message", "overlap", "gap", "hole in positions"],
)
def test_merge_events_keeps_apart_what_does_not_join(second: list[Stored]) -> None:
    assert [event.covered for event in merge_events([*build_deltas("a"), *second])] == [1, 1]


def test_merge_events_stays_under_the_size_of_a_frame() -> None:
    merged = merge_events(build_deltas(*["\u0001" * 500] * 20))
    assert sum(event.covered for event in merged) == 20
    assert len(merged) == 4
    assert all(len(event.body.encode()) <= MERGED_BODY_BYTES for event in merged)


TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), min_size=1, max_size=40)


@given(TEXTS)
def test_merge_deltas_keeps_every_character(texts: list[str]) -> None:
    bodies = [delta.body for delta in build_deltas(*texts, off=7)]
    merged = merge_deltas(bodies)
    assert read_delta_text(merged) == "".join(texts)
    assert merged == encode_text_delta(M1, 7, "".join(texts))


def test_merge_deltas_that_do_not_join_is_refused() -> None:
    bodies = [encode_text_delta(M1, 0, "a"), encode_text_delta(M1, 5, "b")]
    with pytest.raises(ValueError, match="one frame"):
        merge_deltas(bodies)
    with pytest.raises(ValueError, match="one frame"):
        merge_deltas([])

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat.gigachat.errors import EventTooLarge
from chat.gigachat.sse import EventDecoder, join_data_lines
from tests.chat.gigachat.recordings import NAMES, read_recording


def decode(*packets: bytes, max_event_bytes: int = 1024) -> list[bytes]:
    """Return the events of these packets; `TOO LARGE` where the decoder fails."""
    decoder = EventDecoder(max_event_bytes=max_event_bytes)
    events = []
    try:
        for packet in packets:
            events += decoder.feed(packet)
        events += decoder.finish()
    except EventTooLarge:
        events.append(b"TOO LARGE")
    return events


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: one\n\n", [b"one"]),
        (b"data: one\n\ndata: two\n\n", [b"one", b"two"]),
        (b"data:one\n\n", [b"one"]),
        (b"data:  one\n\n", [b" one"]),
        (b"data: one\ndata: two\n\n", [b"one\ntwo"]),
        (b"data\n\n", [b""]),
        (b"data: \n\n", [b""]),
        (b": beat\n\n", []),
        (b": beat\ndata: one\n\n", [b"one"]),
        (b"event: x\nid: 7\nretry: 10\ndata: one\n\n", [b"one"]),
        (b"event: x\n\n", []),
        (b"database: one\n\n", []),
        (b" data: one\n\n", []),
        (b"\n\n\n\ndata: one\n\n\n\n\ndata: two\n\n", [b"one", b"two"]),
        (b"data: one\r\n\r\ndata: two\r\n\r\n", [b"one", b"two"]),
        (b"data: one\r\rdata: two\r\r", [b"one", b"two"]),
        (b"data: one\r\n\ndata: two\n\r\n", [b"one", b"two"]),
        (b"\xef\xbb\xbfdata: one\n\n", [b"one"]),
        (b"data: one\n\ndata: two", [b"one", b"two"]),
        (b"data: one\n\ndata: two\n", [b"one", b"two"]),
        (b"\xef\xbb", []),
        (b"", []),
        ("data: мёд\n\n".encode(), ["мёд".encode()]),
    ],
)
def test_decode_stream_cut_at_every_byte_returns_the_same_events(stream: bytes, events: list[bytes]) -> None:
    assert decode(stream) == events
    assert decode(*(bytes([byte]) for byte in stream)) == events
    for cut in range(len(stream) + 1):
        assert decode(stream[:cut], stream[cut:]) == events


@pytest.mark.parametrize("name", NAMES)
def test_decode_recording_cut_at_every_byte_returns_the_same_events(name: str) -> None:
    stream = read_recording(name)
    whole = decode(stream)
    assert whole
    assert decode(*(bytes([byte]) for byte in stream)) == whole
    for cut in range(len(stream) + 1):
        assert decode(stream[:cut], stream[cut:]) == whole


@given(st.sampled_from(NAMES), st.lists(st.integers(min_value=0, max_value=1000), max_size=8))
def test_decode_recording_cut_anywhere_returns_the_same_events(name: str, cuts: list[int]) -> None:
    stream = read_recording(name)
    borders = [0, *sorted(cuts), len(stream)]
    packets = [stream[start:end] for start, end in itertools.pairwise(borders)]
    assert decode(*packets) == decode(stream)


# Pieces in which every rule of the format meets every other.
PIECES = st.lists(
    st.sampled_from([b"data: ", b"data:", b"a", b"b: c", b"\n", b"\r", b"\r\n", b":", b"\xef\xbb\xbf", b"data"]),
    max_size=24,
)


@example([b"data:12345678", b"\n", b"\n", b"\n"], 13)
@given(PIECES, st.integers(min_value=1, max_value=12))
def test_decode_any_bytes_does_not_depend_on_the_cuts(pieces: list[bytes], limit: int) -> None:
    stream = b"".join(pieces)
    whole = decode(stream, max_event_bytes=limit)
    assert decode(*pieces, max_event_bytes=limit) == whole
    assert decode(*(bytes([byte]) for byte in stream), max_event_bytes=limit) == whole


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_decode_random_bytes_never_fails_in_another_way(packets: list[bytes]) -> None:
    assert isinstance(decode(*packets, max_event_bytes=16), list)


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8")), min_size=1, max_size=3)))
def test_decode_written_events_returns_what_was_written(events: list[list[str]]) -> None:
    stream = "".join("".join(f"data: {line}\n" for line in lines) + "\n" for lines in events)
    assert decode(stream.encode()) == ["\n".join(lines).encode() for lines in events]


def test_feed_event_over_the_bound_returns_the_ones_before_it_and_then_fails() -> None:
    decoder = EventDecoder(max_event_bytes=10)
    assert decoder.feed(b"data: one\n\ndata: far too long\n\ndata: two\n\n") == [b"one"]
    with pytest.raises(EventTooLarge):
        decoder.feed(b"data: two\n\n")
    with pytest.raises(EventTooLarge):
        decoder.finish()


def test_feed_endless_line_fails_without_keeping_it() -> None:
    decoder = EventDecoder(max_event_bytes=10)
    with pytest.raises(EventTooLarge):
        decoder.feed(b"data: never ends")
    assert not decoder._pending


def test_finish_with_event_over_the_bound_fails() -> None:
    decoder = EventDecoder(max_event_bytes=10)
    assert decoder.feed(b"data: 12345") == []
    with pytest.raises(EventTooLarge):
        decoder.finish()


def test_feed_event_of_one_mebibyte_in_single_bytes_stays_linear() -> None:
    decoder = EventDecoder()
    decoder.feed(b"data: ")
    for _ in range(200_000):
        decoder.feed(b"x")
    assert decoder.feed(b"\n\n") == [b"x" * 200_000]


def test_join_data_lines_of_comment_returns_none() -> None:
    assert join_data_lines(b": comment") is None

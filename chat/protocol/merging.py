"""Merging neighbouring deltas of one answer into one frame, for the sender and for REST; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import orjson

from chat.protocol.events import EventType, encode_text_delta

# Upper bound of a merged body's JSON; well under the 64 KiB of a frame, whatever the text escapes to.
MERGED_BODY_BYTES = 16 * 1024


class LogEvent(Protocol):
    """What a stored event must show to be sent."""

    @property
    def seq(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def body(self) -> str: ...


class MergedEvent(NamedTuple):
    """One event to send: it moves a cursor from `seq - covered` to `seq`."""

    seq: int
    covered: int
    type: str
    body: str


@dataclass(slots=True)
class _Piece:
    """Deltas that join: one message, no gap and no overlap in bytes or positions."""

    seq: int
    msg: str
    off: int
    end: int
    size_bytes: int
    bodies: list[str]
    texts: list[str]

    def accepts(self, other: "_Piece") -> bool:
        return (
            other.msg == self.msg
            and other.off == self.end
            and other.seq == self.seq + 1
            and self.size_bytes + other.size_bytes <= MERGED_BODY_BYTES
        )

    def append(self, other: "_Piece") -> None:
        self.seq = other.seq
        self.end = other.end
        self.size_bytes += other.size_bytes
        self.bodies += other.bodies
        self.texts += other.texts

    def to_event(self) -> MergedEvent:
        # A lone delta goes out as it was stored.
        body = self.bodies[0] if len(self.bodies) == 1 else encode_text_delta(self.msg, self.off, "".join(self.texts))
        return MergedEvent(self.seq, len(self.bodies), EventType.TEXT_DELTA, body)


def _read_piece(seq: int, body: str) -> _Piece:
    delta = orjson.loads(body)
    text = delta["text"]
    return _Piece(
        seq=seq,
        msg=delta["msg"],
        off=delta["off"],
        end=delta["off"] + len(text.encode()),
        size_bytes=len(body.encode()),
        bodies=[body],
        texts=[text],
    )


def merge_events(events: Sequence[LogEvent]) -> list[MergedEvent]:
    """Return the events in order, neighbouring deltas of one message merged up to `MERGED_BODY_BYTES`.

    Everything that is not a `text.delta` goes out alone and ends the merging before it, so a merged frame never
    crosses a reset, another message or a hole.
    """
    if len(events) == 1:
        # What a live answer consists of: nothing to merge, so nothing is read.
        return [MergedEvent(events[0].seq, 1, events[0].type, events[0].body)]
    merged: list[MergedEvent] = []
    open_piece: _Piece | None = None
    for event in events:
        piece = _read_piece(event.seq, event.body) if event.type == EventType.TEXT_DELTA else None
        if open_piece is not None and piece is not None and open_piece.accepts(piece):
            open_piece.append(piece)
            continue
        if open_piece is not None:
            merged.append(open_piece.to_event())
        open_piece = piece
        if piece is None:
            merged.append(MergedEvent(event.seq, 1, event.type, event.body))
    if open_piece is not None:
        merged.append(open_piece.to_event())
    return merged


def merge_deltas(bodies: Sequence[str]) -> str:
    """Return one body for consecutive `text.delta` bodies of one message.

    bodies  1..n, offsets joining, at most `MERGED_BODY_BYTES` together
    Raises: ValueError when they do not join or are too much for one frame.
    """
    merged = merge_events([MergedEvent(seq, 1, EventType.TEXT_DELTA, body) for seq, body in enumerate(bodies, 1)])
    if len(merged) != 1:
        raise ValueError("these deltas do not make one frame")
    return merged[0].body

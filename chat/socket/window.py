"""The send window of one socket: how much the phone has not confirmed yet. Pure."""

from collections import deque
from typing import NamedTuple
from uuid import UUID


class SentFrame(NamedTuple):
    conversation_id: UUID
    seq: int
    size_bytes: int


class SendWindow:
    """Bytes and frames on their way to the phone; full means that the log is read no further for it.

    The servers below give no back-pressure that could be relied on, so the phone's acks do.
    """

    def __init__(self, *, max_bytes: int, max_frames: int) -> None:
        self._max_bytes = max_bytes
        self._max_frames = max_frames
        self._sent: deque[SentFrame] = deque()
        self._bytes = 0

    @property
    def has_room(self) -> bool:
        return self._bytes < self._max_bytes and len(self._sent) < self._max_frames

    def add(self, conversation_id: UUID, seq: int, size_bytes: int) -> None:
        self._sent.append(SentFrame(conversation_id, seq, size_bytes))
        self._bytes += size_bytes

    def confirm(self, positions: dict[UUID, int]) -> bool:
        """Forget the frames that the phone has stored; return whether there were any.

        positions  the cumulative position by conversation
        """
        kept = deque(frame for frame in self._sent if frame.seq > positions.get(frame.conversation_id, 0))
        has_freed = len(kept) < len(self._sent)
        self._bytes = sum(frame.size_bytes for frame in kept)
        self._sent = kept
        return has_freed

    def forget(self, conversation_id: UUID) -> None:
        """Drop what is outstanding of a conversation that was detached or starts over."""
        self._sent = deque(frame for frame in self._sent if frame.conversation_id != conversation_id)
        self._bytes = sum(frame.size_bytes for frame in self._sent)

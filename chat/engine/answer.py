"""One answer on its way from the model to the log: what is committed, what waits, whether it is still ours."""

import asyncio

from chat.errors import RunLost
from chat.protocol.events import encode_text_delta
from chat.services.claims import ClaimedRun
from chat.stream import Appended, PendingDelta, StoredEvent

# One event carries at most this much text, so that a frame stays far below its 64 KiB limit.
MAX_DELTA_CHARS = 4096
# The model is read no further than this ahead of the log; bounds the memory of one answer.
MAX_PENDING_CHARS = 64 * 1024


class AnswerLog:
    """The pieces of one answer. Written by its run, drained by the committer, both on the same event loop.

    An answer that waited for the customer goes on behind what phones hold of it already.
    """

    def __init__(self, claimed: ClaimedRun) -> None:
        self.claimed = claimed
        self.seq = claimed.seq
        self.is_lost = False
        # Written out once: Python takes longer over a UUID's text than over a piece of the answer.
        self._message_id = str(claimed.message_id)
        self._pieces: list[str] = []
        self._pending_chars = 0
        self._in_flight = ""
        self._delta: PendingDelta | None = None
        self._committed: list[str] = [claimed.shown] if claimed.shown else []
        self._offset_bytes = len(claimed.shown.encode())
        self._progress = asyncio.Event()

    @property
    def text(self) -> str:
        """The committed text."""
        return "".join(self._committed)

    @property
    def has_pending(self) -> bool:
        return bool(self._pieces)

    @property
    def is_drained(self) -> bool:
        return not self._pieces and self._delta is None

    def add(self, text: str) -> None:
        self._pieces.append(text)
        self._pending_chars += len(text)

    def take_delta(self) -> PendingDelta:
        """Hand the pending text, up to one event's worth, to the committer."""
        text = "".join(self._pieces)
        self._in_flight, rest = text[:MAX_DELTA_CHARS], text[MAX_DELTA_CHARS:]
        self._pieces = [rest] if rest else []
        self._pending_chars = len(rest)
        body = encode_text_delta(self._message_id, self._offset_bytes, self._in_flight)
        claimed = self.claimed
        self._delta = PendingDelta(claimed.conversation_id, claimed.turn_id, claimed.fence, body)
        return self._delta

    def confirm_delta(self, seq: int) -> Appended:
        """Note that the delta taken last stands in the log at `seq`; return what to announce."""
        delta = self._delta
        if delta is None:
            raise RuntimeError("no delta is being committed")
        self._committed.append(self._in_flight)
        self._offset_bytes += len(self._in_flight.encode())
        self.seq = seq
        self._delta = None
        self._progress.set()
        return Appended(delta.conversation_id, (StoredEvent(seq, "text.delta", delta.body),))

    def rewind(self, text: str, seq: int) -> None:
        """Go on behind `text` instead, as the log says since `seq`. Only while nothing is pending."""
        if not self.is_drained:
            raise RuntimeError("pieces are still being committed")
        self._committed = [text]
        self._offset_bytes = len(text.encode())
        self.seq = seq

    def lose(self) -> None:
        """Note that the turn belongs to somebody else now; whoever waits on this answer gets RunLost."""
        self.is_lost = True
        self._pieces.clear()
        self._delta = None
        self._progress.set()

    @property
    def has_room(self) -> bool:
        """Whether the model may be read on without waiting."""
        return not self.is_lost and self._pending_chars <= MAX_PENDING_CHARS

    async def wait_for_room(self) -> None:
        """Wait until little enough is pending to read more from the model. Raises: RunLost"""
        while not (self.has_room or self.is_lost):
            await self._wait_for_progress()
        self.refuse_lost()

    async def wait_until_drained(self) -> None:
        """Wait until every piece is committed. Raises: RunLost"""
        while not self.is_lost and not self.is_drained:
            await self._wait_for_progress()
        self.refuse_lost()

    def refuse_lost(self) -> None:
        if self.is_lost:
            raise RunLost

    async def _wait_for_progress(self) -> None:
        self._progress.clear()
        await self._progress.wait()

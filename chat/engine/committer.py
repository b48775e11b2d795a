"""Group commit: the pending pieces of all running answers of this process in one transaction at a time.

Each transaction takes everything that gathered since the one before. A piece that comes alone waits for one commit;
under load the batches grow by themselves and the number of commits per second stays bounded, however many answers
stream.
"""

import asyncio
import logging
from collections.abc import Sequence

from django.db import InterfaceError, OperationalError

from chat.database import run_in_database
from chat.engine.answer import AnswerLog
from chat.engine.log_connection import LogConnection
from chat.stream import PendingDelta, announce, append_deltas, find_committed_delta

logger = logging.getLogger(__name__)

DATABASE_FAULTS = (OperationalError, InterfaceError)
RETRY_SECONDS = 0.25
# After each commit, so that the next has more to carry. A commit costs the same for one piece as for ten, here and in
# PostgreSQL; a phone does not see the two milliseconds, and a piece that comes after a rest never waits for them.
GATHER_SECONDS = 0.002


class Committer:
    """Commits the pieces of answers; one per process, on the engine's event loop."""

    def __init__(self) -> None:
        self._log = LogConnection()
        self._dirty: dict[AnswerLog, None] = {}
        self._wake = asyncio.Event()

    def add(self, answer: AnswerLog, text: str) -> None:
        """Queue a piece of text for the next commit."""
        answer.add(text)
        self._dirty[answer] = None
        self._wake.set()

    async def run(self) -> None:
        """Commit until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._dirty:
                await self._commit(self._take_batch())
                await asyncio.sleep(GATHER_SECONDS)

    async def aclose(self) -> None:
        """Give the database connection back; call after `run` ended."""
        await self._log.aclose()

    def _take_batch(self) -> list[tuple[AnswerLog, PendingDelta]]:
        batch = [(answer, answer.take_delta()) for answer in self._dirty if answer.has_pending]
        self._dirty.clear()
        return batch

    async def _commit(self, batch: Sequence[tuple[AnswerLog, PendingDelta]]) -> None:
        positions = await self._append(batch)
        appended = []
        for (answer, _delta), seq in zip(batch, positions, strict=True):
            if seq is None:
                answer.lose()
                continue
            appended.append(answer.confirm_delta(seq))
            if answer.has_pending:
                self._dirty[answer] = None
        if appended:
            announce(appended)

    async def _append(self, batch: Sequence[tuple[AnswerLog, PendingDelta]]) -> list[int | None]:
        """Append until the database answers; a connection lost during a commit leaves the outcome open."""
        deltas = [delta for _answer, delta in batch]
        known = [answer.seq for answer, _delta in batch]
        append = self._log.append(deltas)
        while True:
            try:
                return await append
            except DATABASE_FAULTS as error:
                logger.warning("commit of deltas failed, trying again", extra={"error": type(error).__name__})
            await asyncio.sleep(RETRY_SECONDS)
            append = run_in_database(append_missing, deltas, known)


def append_missing(deltas: Sequence[PendingDelta], known: Sequence[int]) -> list[int | None]:
    """Append those deltas that an interrupted commit did not leave in the log; None where the fence moved on.

    known  the last position each answer is sure of
    """
    found = [find_committed_delta(delta, after=seq) for delta, seq in zip(deltas, known, strict=True)]
    missing = [delta for delta, seq in zip(deltas, found, strict=True) if seq is None]
    appended = append_deltas(missing) if missing else {}
    return [
        appended.get(delta.conversation_id) if seq is None else seq for delta, seq in zip(deltas, found, strict=True)
    ]

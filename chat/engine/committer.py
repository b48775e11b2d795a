"""Group commit: the pending pieces of all running answers of this process in one transaction at a time.

The next transaction starts when the last is done, with everything that gathered meanwhile. At low load a piece waits
for one commit; under load the batches grow by themselves and the number of commits per second stays bounded by the
commit time, however many answers stream.
"""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db import InterfaceError, OperationalError, connection

from chat.engine.answer import AnswerLog
from chat.stream import PendingDelta, announce, append_deltas, find_committed_delta

logger = logging.getLogger(__name__)

DATABASE_FAULTS = (OperationalError, InterfaceError)
RETRY_SECONDS = 0.25


class Committer:
    """Commits the pieces of answers; one per process, on the engine's event loop, with one database thread."""

    def __init__(self) -> None:
        # One thread with a connection of its own: a pooled one would be checked and reset for every commit.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="committer")
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

    async def aclose(self) -> None:
        """Give the database connection back; call after `run` ended."""
        await asyncio.get_running_loop().run_in_executor(self._thread, close_connection)
        self._thread.shutdown()

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
        loop = asyncio.get_running_loop()
        is_first = True
        while True:
            work = append_batch if is_first else append_missing
            known = [answer.seq for answer, _delta in batch]
            try:
                return await loop.run_in_executor(self._thread, work, deltas, known)
            except DATABASE_FAULTS as error:
                logger.warning("commit of deltas failed, trying again", extra={"error": type(error).__name__})
            is_first = False
            await asyncio.sleep(RETRY_SECONDS)


def close_connection() -> None:
    """Close the calling thread's connection: `connection` means another one on each thread."""
    connection.close()


def append_batch(deltas: Sequence[PendingDelta], _known: Sequence[int]) -> list[int | None]:
    """Append one delta to each conversation; None where the fence moved on."""
    try:
        positions = append_deltas(deltas)
    except DATABASE_FAULTS:
        connection.close()
        raise
    return [positions.get(delta.conversation_id) for delta in deltas]


def append_missing(deltas: Sequence[PendingDelta], known: Sequence[int]) -> list[int | None]:
    """Append those deltas that an interrupted commit did not leave in the log.

    known  the last position each answer is sure of
    """
    try:
        found = [find_committed_delta(delta, after=seq) for delta, seq in zip(deltas, known, strict=True)]
    except DATABASE_FAULTS:
        connection.close()
        raise
    missing = [delta for delta, seq in zip(deltas, found, strict=True) if seq is None]
    appended = iter(append_batch(missing, known) if missing else [])
    return [next(appended) if seq is None else seq for seq in found]

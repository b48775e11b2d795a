"""The committer's own connection: positions, fences, and what is left after a fault or a cancellation."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from django.db import OperationalError, connection, transaction

from chat.database import run_in_database
from chat.engine.log_connection import LogConnection
from chat.models import ConversationEvent
from chat.protocol.events import encode_text_delta
from chat.services.claims import ClaimedRun, claim_runs
from chat.stream import PendingDelta, lock_conversation
from tests.factories.chat import ENGINE, ask

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 5


@pytest.fixture
async def log() -> AsyncIterator[LogConnection]:
    made = LogConnection()
    yield made
    await made.aclose()


async def claim(number: int) -> list[ClaimedRun]:
    for _ in range(number):
        await run_in_database(ask)
    return await run_in_database(claim_runs, ENGINE, capacity=number)


def make_delta(run: ClaimedRun, *, behind: int = 0, off: int = 0) -> PendingDelta:
    body = encode_text_delta(run.message_id, off, "да")
    return PendingDelta(run.conversation_id, run.turn_id, run.fence - behind, body)


def count_deltas(run: ClaimedRun) -> int:
    return ConversationEvent.objects.filter(conversation_id=run.conversation_id, type="text.delta").count()


def end_committers() -> int:
    """Do to every committer's connection what a restart of the server does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'committer'"
        )
        return int(cursor.fetchone()[0])


@contextmanager
def holding(conversation_id: UUID) -> Iterator[None]:
    """Hold the conversation's row in another transaction."""
    is_held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                lock_conversation(conversation_id)
                is_held.set()
                may_end.wait(PATIENCE_SECONDS)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert is_held.wait(PATIENCE_SECONDS)
        yield
    finally:
        may_end.set()
        holder.join(PATIENCE_SECONDS)


async def test_append_returns_positions_in_order_and_none_for_a_fenced_turn(log: LogConnection) -> None:
    first, second, third = await claim(3)

    positions = await log.append([make_delta(first), make_delta(second, behind=1), make_delta(third)])

    assert positions == [first.seq + 1, None, third.seq + 1]
    assert [await run_in_database(count_deltas, run) for run in (first, second, third)] == [1, 0, 1]


async def test_append_after_a_broken_connection_says_so_once_and_opens_another(log: LogConnection) -> None:
    [run] = await claim(1)
    await log.append([make_delta(run)])
    assert await run_in_database(end_committers) == 1

    with pytest.raises(OperationalError):
        await log.append([make_delta(run, off=4)])

    assert await log.append([make_delta(run, off=4)]) == [run.seq + 2]


async def test_append_cancelled_while_it_waits_leaves_the_connection_to_nobody(log: LogConnection) -> None:
    waiting, other = await claim(2)
    await log.append([make_delta(other)])

    with holding(waiting.conversation_id):
        append = asyncio.create_task(log.append([make_delta(waiting)]))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await asyncio.shield(append)
        append.cancel()
        with pytest.raises(asyncio.CancelledError):
            await append
        assert await log.append([make_delta(other, off=4)]) == [other.seq + 2]

    assert await run_in_database(count_deltas, waiting) == 0

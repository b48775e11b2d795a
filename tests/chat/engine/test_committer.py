"""Group commit on the real database: batching, fencing, and connections that break."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
from django.db import connection

from chat.database import run_in_database
from chat.engine.answer import AnswerLog
from chat.engine.committer import Committer, append_missing
from chat.models import ConversationEvent
from chat.protocol.events import read_delta_text
from chat.services.claims import ClaimedRun, claim_runs
from chat.stream import Appended, PendingDelta, add_listener, append_deltas, remove_listener
from tests.factories.chat import ENGINE, ask

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def committer() -> AsyncIterator[Committer]:
    made = Committer()
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await made.aclose()


@pytest.fixture
def announced() -> Iterator[list[Sequence[Appended]]]:
    batches: list[Sequence[Appended]] = []
    add_listener(batches.append)
    yield batches
    remove_listener(batches.append)


async def claim(number: int) -> list[AnswerLog]:
    """Return answers that an engine has begun, each in a conversation of its own."""
    for _ in range(number):
        await run_in_database(ask)
    return [AnswerLog(run) for run in await run_in_database(claim_runs, ENGINE, capacity=number)]


def read_text(run: ClaimedRun) -> str:
    deltas = ConversationEvent.objects.filter(conversation_id=run.conversation_id, type="text.delta").order_by("seq")
    return "".join(read_delta_text(body) for body in deltas.values_list("body", flat=True))


def break_other_connections() -> int:
    """Do to every other connection of this database what a restart of the server does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


async def drain(answers: Sequence[AnswerLog]) -> None:
    await asyncio.wait_for(asyncio.gather(*[answer.wait_until_drained() for answer in answers]), 10)


async def test_commit_of_many_answers_is_one_transaction(
    committer: Committer, announced: list[Sequence[Appended]]
) -> None:
    answers = await claim(5)
    announced.clear()

    for answer in answers:
        committer.add(answer, "да")
    await drain(answers)

    assert [len(batch) for batch in announced] == [5]
    assert {item.conversation_id for item in announced[0]} == {answer.claimed.conversation_id for answer in answers}


async def test_commit_joins_the_pieces_that_gathered(committer: Committer, announced: list[Sequence[Appended]]) -> None:
    [answer] = await claim(1)
    announced.clear()

    for piece in ("Курс", " — ", "98,40"):
        committer.add(answer, piece)
    await drain([answer])

    assert len(announced) == 1
    assert await run_in_database(read_text, answer.claimed) == "Курс — 98,40" == answer.text


async def test_commit_survives_a_broken_connection_without_loss_or_doubling(committer: Committer) -> None:
    [answer] = await claim(1)
    committer.add(answer, "до ")
    await drain([answer])

    assert await run_in_database(break_other_connections) >= 1
    committer.add(answer, "после")
    await drain([answer])

    assert await run_in_database(read_text, answer.claimed) == "до после"


async def test_commit_of_a_fenced_answer_loses_it_and_keeps_the_others(committer: Committer) -> None:
    kept, lost = await claim(2)
    zombie = AnswerLog(
        ClaimedRun(
            turn_id=lost.claimed.turn_id,
            run_id=lost.claimed.run_id,
            conversation_id=lost.claimed.conversation_id,
            customer_id=lost.claimed.customer_id,
            message_id=lost.claimed.message_id,
            attempt=1,
            fence=lost.claimed.fence - 1,
            model="m",
            seq=lost.claimed.seq,
        )
    )

    committer.add(kept, "да")
    committer.add(zombie, "нет")
    await drain([kept])

    assert zombie.is_lost
    assert await run_in_database(read_text, kept.claimed) == "да"
    assert await run_in_database(read_text, lost.claimed) == ""


async def test_append_missing_finds_what_an_interrupted_commit_left_behind() -> None:
    committed, missing = await claim(2)
    deltas: list[PendingDelta] = []
    for answer in (committed, missing):
        answer.add("да")
        deltas.append(answer.take_delta())
    await run_in_database(append_deltas, deltas[:1])

    positions = await run_in_database(append_missing, deltas, [committed.seq, missing.seq])

    assert positions == [committed.seq + 1, missing.seq + 1]
    assert await run_in_database(read_text, committed.claimed) == "да"
    assert await run_in_database(read_text, missing.claimed) == "да"

"""A whole engine on the real database, with a scripted model: claims, cancels, recovers, stops."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone
from pytest_django import Settings
from typing_extensions import override

from chat.database import run_in_database
from chat.engine.supervisor import Engine
from chat.enums import RunState, TurnState
from chat.gigachat.types import TextDelta
from chat.models import Run, Turn
from chat.services.turns import cancel_turn
from tests.factories.chat import Asked, ask, claim_one, make_context
from tests.fakes.upstream import STOP, ScriptedCalls, ScriptedUpstream

pytestmark = pytest.mark.django_db(transaction=True)


@asynccontextmanager
async def run_engine(
    upstream: ScriptedUpstream, *, max_runs: int = 4, grace_seconds: float = 0.0
) -> AsyncIterator[Engine]:
    engine = Engine(upstream, ScriptedCalls(), max_runs=max_runs)
    engine.start()
    try:
        yield engine
    finally:
        await asyncio.wait_for(engine.stop(grace_seconds=grace_seconds), 10)


async def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until the database shows what `condition` looks for; at most 10 s."""
    async with asyncio.timeout(10):
        while not await run_in_database(condition):
            pass


def is_final(asked: Asked) -> bool:
    return asked.turn.finished_at is not None


async def test_engine_answers_a_question_asked_before_it_started() -> None:
    asked = await run_in_database(ask)

    async with run_engine(ScriptedUpstream()):
        await wait_for(lambda: is_final(asked))

    assert (await run_in_database(lambda: asked.turn)).state == TurnState.COMPLETED


async def test_engine_answers_a_question_asked_while_it_runs() -> None:
    async with run_engine(ScriptedUpstream()):
        asked = await run_in_database(ask)
        await wait_for(lambda: is_final(asked))

    assert (await run_in_database(lambda: asked.turn)).state == TurnState.COMPLETED


async def test_engine_never_asks_more_at_once_than_it_may() -> None:
    gate = asyncio.Event()
    upstream = ScriptedUpstream([gate, TextDelta("да"), STOP])
    asked = [await run_in_database(ask) for _ in range(9)]

    async with run_engine(upstream, max_runs=2):
        await asyncio.wait_for(upstream.two_open.wait(), 5)
        gate.set()
        for one in asked:
            await wait_for(partial(is_final, one))

    assert upstream.most_open == 2
    assert len(upstream.prompts) == 9


async def test_engine_closes_the_model_when_the_customer_cancels() -> None:
    upstream = ScriptedUpstream([TextDelta("Курс"), asyncio.Event(), STOP])
    async with run_engine(upstream) as engine:
        asked = await run_in_database(ask)
        await asyncio.wait_for(upstream.opened.wait(), 5)

        await run_in_database(
            cancel_turn,
            make_context(asked.customer),
            customer_id=asked.customer.pk,
            conversation_id=asked.conversation_id,
            turn_id=asked.accepted.turn_id,
            device_id="phone-b",
        )

        await asyncio.wait_for(upstream.closed.wait(), 5)
        await wait_for(lambda: engine.running == 0)


async def test_engine_closes_the_model_when_a_hint_says_the_turn_is_gone() -> None:
    upstream = ScriptedUpstream([asyncio.Event(), STOP])
    async with run_engine(upstream) as engine:
        asked = await run_in_database(ask)
        await asyncio.wait_for(upstream.opened.wait(), 5)
        await run_in_database(
            lambda: Turn.objects.filter(pk=asked.accepted.turn_id).update(lease_owner="another-engine")
        )

        engine.hint([asked.conversation_id])

        await asyncio.wait_for(upstream.closed.wait(), 5)


async def test_engine_takes_over_the_turn_of_a_dead_one() -> None:
    asked = await run_in_database(ask)
    await run_in_database(claim_one, "dead")
    await run_in_database(lambda: Turn.objects.update(lease_until=timezone.now() - timedelta(seconds=1)))

    async with run_engine(ScriptedUpstream()):
        await wait_for(lambda: is_final(asked))

    runs = await run_in_database(lambda: list(Run.objects.order_by("attempt").values_list("state", flat=True)))
    assert runs == [RunState.LOST, RunState.COMPLETED]


async def test_engine_keeps_its_leases_while_it_answers(settings: Settings) -> None:
    settings.ENGINE_LEASE_SECONDS = 0.3
    gate = asyncio.Event()
    upstream = ScriptedUpstream([gate, TextDelta("Курс"), STOP])
    asked = await run_in_database(ask)
    async with run_engine(upstream):
        await asyncio.wait_for(upstream.opened.wait(), 5)
        claimed_until = (await run_in_database(lambda: asked.turn)).lease_until
        assert claimed_until is not None
        await wait_for(lambda: (asked.turn.lease_until or claimed_until) > claimed_until + timedelta(seconds=0.3))
        gate.set()
        await wait_for(lambda: is_final(asked))

    assert await run_in_database(Run.objects.count) == 1


async def test_engine_learns_whether_the_account_has_the_model(caplog: pytest.LogCaptureFixture) -> None:
    logged = asyncio.Event()

    class Watch(logging.Handler):
        @override
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno == logging.ERROR:
                logged.set()

    watch = Watch()
    logging.getLogger("chat.engine.supervisor").addHandler(watch)
    engine = Engine(ScriptedUpstream(), ScriptedCalls(models=["GigaChat-3"]), max_runs=1)
    engine.start()
    await asyncio.wait_for(logged.wait(), 5)
    await engine.stop(grace_seconds=0)
    logging.getLogger("chat.engine.supervisor").removeHandler(watch)

    assert "the configured model is not one of this account" in caplog.text


async def test_stop_lets_running_answers_end_within_the_grace() -> None:
    gate = asyncio.Event()
    upstream = ScriptedUpstream([TextDelta("Курс"), gate, STOP])
    asked = await run_in_database(ask)
    engine = Engine(upstream, ScriptedCalls(), max_runs=1)
    engine.start()
    await asyncio.wait_for(upstream.opened.wait(), 5)

    stopping = asyncio.create_task(engine.stop(grace_seconds=5))
    gate.set()
    await asyncio.wait_for(stopping, 10)

    assert (await run_in_database(lambda: asked.turn)).state == TurnState.COMPLETED


async def test_stop_hands_over_what_it_cannot_finish() -> None:
    upstream = ScriptedUpstream([TextDelta("Курс"), asyncio.Event()])
    asked = await run_in_database(ask)
    async with run_engine(upstream):
        await asyncio.wait_for(upstream.opened.wait(), 5)

    turn = await run_in_database(lambda: asked.turn)
    assert turn.state == TurnState.RUNNING
    assert turn.lease_until is not None
    assert turn.lease_until <= timezone.now()
    async with run_engine(ScriptedUpstream()):
        await wait_for(lambda: is_final(asked))

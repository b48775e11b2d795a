"""GigaChat's parallel streams: never one too many, never one lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from chat.models import StreamSlot
from chat.services.claims import ClaimedRun, claim_runs, release_runs, renew_leases
from chat.services.runs import RunResult, finish_run
from chat.services.slots import prepare_slots, release_slots
from chat.services.turns import cancel_turn
from tests.factories.chat import ENGINE, ask, claim_one, make_context

pytestmark = pytest.mark.django_db

RESULT = RunResult(text="да", finish_reason="stop")


@pytest.fixture(autouse=True)
def two_streams(settings: Settings) -> None:
    settings.GIGACHAT_STREAMS = 2
    prepare_slots()


def count_held() -> int:
    return StreamSlot.objects.filter(run_id__isnull=False).count()


def test_claim_runs_takes_as_many_turns_as_there_are_streams() -> None:
    for _ in range(4):
        ask()

    claimed = claim_runs(ENGINE, capacity=4)

    assert len(claimed) == 2
    assert set(StreamSlot.objects.values_list("run_id", flat=True)) == {run.run_id for run in claimed}
    assert claim_runs("other", capacity=4) == []


def test_finish_run_gives_the_stream_to_the_next_turn() -> None:
    for _ in range(3):
        ask()
    first, _second = claim_runs(ENGINE, capacity=3)

    finish_run(first, RESULT, engine=ENGINE)

    assert count_held() == 1
    assert claim_one().attempt == 1


def test_cancel_turn_keeps_the_stream_until_the_engine_closed_it() -> None:
    asked = ask()
    claimed = claim_one()
    cancel_turn(
        make_context(asked.customer),
        customer_id=asked.customer.pk,
        conversation_id=asked.conversation_id,
        turn_id=asked.accepted.turn_id,
        device_id="phone-b",
    )
    assert count_held() == 1

    release_slots([claimed.run_id])
    release_slots([claimed.run_id])

    assert count_held() == 0


def test_slot_of_a_dead_process_comes_back_by_its_lease() -> None:
    for _ in range(3):
        ask()
    claim_runs("dead", capacity=2)
    assert claim_runs(ENGINE, capacity=1) == []

    StreamSlot.objects.filter(number=1).update(lease_until=timezone.now() - timedelta(seconds=1))

    assert len(claim_runs(ENGINE, capacity=1)) == 1


def test_renew_leases_keeps_the_slot_of_a_turn_that_was_taken_away_until_it_is_closed() -> None:
    ask()
    claimed = claim_one()
    before = StreamSlot.objects.get(run_id=claimed.run_id).lease_until
    assert before is not None

    assert renew_leases("somebody else", [claimed]) == set()

    after = StreamSlot.objects.get(run_id=claimed.run_id).lease_until
    assert after is not None
    assert after > before


def test_release_runs_frees_the_slots_of_an_engine_that_stops() -> None:
    ask()

    release_runs(ENGINE, [claim_one()])

    assert count_held() == 0


def test_prepare_slots_follows_a_licence_that_grew_and_shrank(settings: Settings) -> None:
    settings.GIGACHAT_STREAMS = 5
    prepare_slots()
    prepare_slots()
    assert StreamSlot.objects.count() == 5
    settings.GIGACHAT_STREAMS = 1
    for _ in range(2):
        ask()

    assert len(claim_runs(ENGINE, capacity=2)) == 1


def test_slot_cannot_be_held_twice_by_one_run() -> None:
    ask()
    claimed = claim_one()

    with pytest.raises(Exception, match="one_slot_per_run"):
        StreamSlot.objects.filter(number=2).update(run_id=claimed.run_id, lease_until=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_claim_runs_by_many_engines_never_holds_one_stream_too_many() -> None:
    for _ in range(12):
        ask()
    barrier = Barrier(4)
    most_held: list[int] = []

    def work(number: int) -> int:
        barrier.wait(5)
        done = 0
        try:
            for _ in range(40):
                claimed: list[ClaimedRun] = claim_runs(f"engine-{number}", capacity=3)
                most_held.append(count_held())
                for run in claimed:
                    finish_run(run, RESULT, engine=ENGINE)
                done += len(claimed)
        finally:
            connection.close()
        return done

    with ThreadPoolExecutor(4) as threads:
        finished = sum(threads.map(work, range(4)))

    assert finished == 12
    assert max(most_held) == 2
    assert count_held() == 0

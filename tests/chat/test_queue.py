"""The queue for GigaChat's streams: order, places, estimates, bounds."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from audit.enums import AuditAction
from audit.models import AuditEntry
from chat.enums import TurnState
from chat.errors import QueueFull
from chat.models import Run, Turn
from chat.queue import USUAL_ANSWER, estimate_wait, list_places, list_waiting_turns, measure_answer_time
from chat.services.recovery import expire_waiting_turns
from chat.services.runs import RunResult, finish_run
from tests.factories.accounts import make_customer
from tests.factories.chat import ENGINE, ask, claim_one, list_event_types

pytestmark = pytest.mark.django_db


def test_list_places_numbers_the_waiting_turns_as_they_will_be_served(settings: Settings) -> None:
    settings.GIGACHAT_STREAMS = 2
    eager = make_customer()
    first, second = ask(eager), ask(eager)
    third = ask()

    places = list_places()

    assert [(place.turn_id, place.position) for place in places] == [
        (first.accepted.turn_id, 1),
        (third.accepted.turn_id, 2),
        (second.accepted.turn_id, 3),
    ]
    assert [place.wait_ms for place in places] == [3000, 6000, 9000]


def test_list_waiting_turns_leaves_out_what_waits_for_its_own_conversation() -> None:
    asked = ask()
    ask(asked.customer, conversation_id=asked.conversation_id)
    claim_one()

    assert list_waiting_turns() == []
    assert list_places() == []


def test_measure_answer_time_follows_recent_answers() -> None:
    assert measure_answer_time() == USUAL_ANSWER
    ask()
    finish_run(claim_one(), RunResult(text="да", finish_reason="stop"), engine=ENGINE)
    now = timezone.now()
    Run.objects.update(started_at=now - timedelta(seconds=4), finished_at=now)

    assert measure_answer_time() == timedelta(seconds=4)


def test_estimate_wait_shares_the_streams() -> None:
    assert estimate_wait(20, streams=10, answer_time=timedelta(seconds=3)) == timedelta(seconds=6)


def test_start_turn_with_a_full_queue_is_refused_early(settings: Settings) -> None:
    settings.QUEUE_LIMIT = 1
    settings.GIGACHAT_STREAMS = 2
    ask()

    with pytest.raises(QueueFull) as refused:
        ask()

    assert refused.value.retry_after_ms == 3000
    assert Turn.objects.count() == 1


def test_expire_waiting_turns_ends_what_waited_too_long() -> None:
    asked, fresh = ask(), ask()
    Turn.objects.filter(pk=asked.accepted.turn_id).update(accepted_at=timezone.now() - timedelta(seconds=61))

    assert expire_waiting_turns(ENGINE) == 1

    assert (asked.turn.state, asked.turn.error_code) == (TurnState.FAILED, "upstream.queue_timeout")
    assert fresh.turn.state == TurnState.QUEUED
    assert list_event_types(asked.conversation_id)[-1] == "turn.failed"
    assert AuditEntry.objects.filter(action=AuditAction.TURN_FAILED, turn_id=asked.accepted.turn_id).count() == 1


def test_expire_waiting_turns_does_not_count_the_time_behind_an_older_turn() -> None:
    asked = ask()
    claimed = claim_one()
    waiting = ask(asked.customer, conversation_id=asked.conversation_id)
    Turn.objects.update(accepted_at=timezone.now() - timedelta(seconds=90))
    assert expire_waiting_turns(ENGINE) == 0

    finish_run(claimed, RunResult(text="да", finish_reason="stop"), engine=ENGINE)

    assert expire_waiting_turns(ENGINE) == 0
    assert waiting.turn.state == TurnState.QUEUED

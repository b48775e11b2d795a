"""The engine's acts: claiming, finishing, failing, taking over; always with rows, events and audit entries."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import orjson
import pytest
from django.db import connection
from django.utils import timezone

from audit.enums import AuditAction
from audit.models import AuditEntry
from chat.enums import Role, RunState, TurnState
from chat.errors import RunLost
from chat.models import Conversation, ConversationEvent, Message, Run, Turn
from chat.protocol.codes import ErrorCode
from chat.protocol.events import encode_text_delta
from chat.protocol.frames import digest_text
from chat.services.claims import ClaimedRun, claim_runs, release_runs, renew_leases
from chat.services.recovery import recover_lost_runs
from chat.services.runs import ModelCall, RunFailure, RunResult, fail_run, finish_run, record_model_call
from chat.stream import PendingDelta, append_deltas
from tests.factories.accounts import make_customer
from tests.factories.chat import ENGINE, ask, claim_one, list_event_types

pytestmark = pytest.mark.django_db

RESULT = RunResult(
    text="98,40 ₽",
    finish_reason="stop",
    upstream_request_id="r-1",
    prompt_tokens=17,
    completion_tokens=3,
    cached_tokens=2,
)


def write(claimed: ClaimedRun, text: str, *, off: int = 0) -> None:
    body = encode_text_delta(claimed.message_id, off, text)
    append_deltas([PendingDelta(claimed.conversation_id, claimed.turn_id, claimed.fence, body)])


def get_last_event(claimed: ClaimedRun) -> ConversationEvent:
    return ConversationEvent.objects.filter(conversation_id=claimed.conversation_id).order_by("-seq")[0]


def expire_leases() -> None:
    Turn.objects.filter(state=TurnState.RUNNING).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_claim_runs_begins_an_attempt_and_announces_it() -> None:
    asked = ask()

    claimed = claim_one()

    turn, run = asked.turn, Run.objects.get()
    assert (turn.state, turn.attempt, turn.lease_owner, turn.fence) == (TurnState.RUNNING, 1, ENGINE, claimed.fence)
    assert (run.pk, run.state, run.attempt, run.engine) == (claimed.run_id, RunState.RUNNING, 1, ENGINE)
    assert list_event_types(asked.conversation_id) == ["conv.created", "turn.accepted", "turn.started"]
    assert (claimed.seq, claimed.message_id) == (3, turn.answer_id)


def test_claim_runs_serves_every_customer_before_one_twice() -> None:
    eager, patient = make_customer(), make_customer()
    first, second = ask(eager), ask(eager)
    third = ask(patient)

    order = [run.turn_id for run in claim_runs(ENGINE, capacity=3)]

    assert order == [first.accepted.turn_id, third.accepted.turn_id, second.accepted.turn_id]


def test_claim_runs_counts_what_a_customer_has_running() -> None:
    eager, patient = make_customer(), make_customer()
    ask(eager)
    claim_one()
    ask(eager)
    waiting = ask(patient)

    assert claim_one().turn_id == waiting.accepted.turn_id


def test_claim_runs_answers_one_turn_of_a_conversation_at_a_time() -> None:
    asked = ask()
    claimed = claim_one()
    second = ask(asked.customer, conversation_id=asked.conversation_id)
    assert claim_runs(ENGINE, capacity=2) == []

    finish_run(claimed, RESULT, engine=ENGINE)

    assert claim_one().turn_id == second.accepted.turn_id


@pytest.mark.django_db(transaction=True)
def test_claim_runs_by_many_engines_at_once_gives_each_turn_to_one() -> None:
    turns = {ask().accepted.turn_id for _ in range(12)}
    barrier = Barrier(4)

    def claim(number: int) -> list[ClaimedRun]:
        barrier.wait(5)
        try:
            return [run for _ in range(6) for run in claim_runs(f"engine-{number}", capacity=12)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        claimed = [run for runs in threads.map(claim, range(4)) for run in runs]

    assert len(claimed) == len(turns)
    assert {run.turn_id for run in claimed} == turns
    assert Run.objects.count() == len(turns)


def test_record_model_call_notes_sizes_and_digest_without_text() -> None:
    ask()
    claimed = claim_one()

    record_model_call(claimed, ModelCall(messages=2, size_bytes=120, digest=digest_text("x")), engine=ENGINE)

    run = Run.objects.get()
    assert (run.prompt_messages, run.prompt_bytes, run.prompt_digest) == (2, 120, digest_text("x"))
    entry = AuditEntry.objects.get(action=AuditAction.MODEL_ASKED)
    assert entry.turn_id == claimed.turn_id
    assert orjson.loads(entry.body)["details"]["bytes"] == 120


def test_finish_run_stores_answer_states_event_and_entry() -> None:
    asked = ask()
    claimed = claim_one()
    write(claimed, RESULT.text)

    finish_run(claimed, RESULT, engine=ENGINE)

    assert (asked.turn.state, asked.turn.finish_reason, asked.turn.lease_until) == (TurnState.COMPLETED, "stop", None)
    run = Run.objects.get()
    assert (run.state, run.prompt_tokens, run.completion_tokens, run.cached_tokens, run.upstream_request_id) == (
        RunState.COMPLETED,
        17,
        3,
        2,
        "r-1",
    )
    answer = Message.objects.get(role=Role.ASSISTANT)
    assert (answer.pk, answer.text) == (claimed.message_id, RESULT.text)
    event = get_last_event(claimed)
    assert event.type == "turn.completed"
    assert orjson.loads(event.body) == {
        "turn": str(claimed.turn_id),
        "msg": str(claimed.message_id),
        "finish": "stop",
        "bytes": len(RESULT.text.encode()),
        "sum": digest_text(RESULT.text),
        "usage": {"in": 17, "out": 3, "cached": 2},
    }
    assert AuditEntry.objects.filter(action=AuditAction.TURN_FINISHED, turn_id=claimed.turn_id).count() == 1


def test_finish_run_twice_is_refused_and_writes_nothing() -> None:
    ask()
    claimed = claim_one()
    finish_run(claimed, RESULT, engine=ENGINE)
    before = ConversationEvent.objects.count()

    with pytest.raises(RunLost):
        finish_run(claimed, RESULT, engine=ENGINE)

    assert ConversationEvent.objects.count() == before
    assert Message.objects.filter(role=Role.ASSISTANT).count() == 1


def test_finish_run_without_usage_leaves_it_out_of_the_event() -> None:
    ask()
    claimed = claim_one()

    finish_run(claimed, RunResult(text="да", finish_reason="length"), engine=ENGINE)

    body = orjson.loads(get_last_event(claimed).body)
    assert (body["finish"], "usage" in body) == ("length", False)


def test_fail_run_keeps_the_partial_text_and_says_so() -> None:
    asked = ask()
    claimed = claim_one()

    failure = RunFailure(text="Курс", error=ErrorCode.UPSTREAM_TIMEOUT, reason="read_idle_timeout")
    fail_run(claimed, failure, engine=ENGINE)

    assert (asked.turn.state, asked.turn.error_code) == (TurnState.FAILED, "upstream.timeout")
    assert (Run.objects.get().state, Run.objects.get().error_code) == (RunState.FAILED, "upstream.timeout")
    assert Message.objects.get(role=Role.ASSISTANT).text == "Курс"
    body = orjson.loads(get_last_event(claimed).body)
    assert (body["partial"], body["bytes"], body["error"]["code"], body["error"]["retryable"]) == (
        True,
        8,
        "upstream.timeout",
        True,
    )
    entry = AuditEntry.objects.get(action=AuditAction.TURN_FAILED)
    assert (entry.outcome, orjson.loads(entry.body)["details"]["reason"]) == ("failed", "read_idle_timeout")


def test_fail_run_without_text_has_no_message() -> None:
    ask()
    claimed = claim_one()

    fail_run(claimed, RunFailure(text="", error=ErrorCode.UPSTREAM_UNAVAILABLE, reason="unreachable"), engine=ENGINE)

    body = orjson.loads(get_last_event(claimed).body)
    assert (body["partial"], "msg" in body, "bytes" in body) == (False, False, False)
    assert not Message.objects.filter(role=Role.ASSISTANT).exists()


def test_renew_leases_extends_only_what_is_still_owned() -> None:
    kept, lost = ask(), ask()
    runs = {run.turn_id: run for run in claim_runs(ENGINE, capacity=2)}
    Turn.objects.filter(pk=lost.accepted.turn_id).update(lease_owner="other")
    before = kept.turn.lease_until

    owned = renew_leases(ENGINE, list(runs.values()))

    assert owned == {kept.accepted.turn_id}
    assert kept.turn.lease_until is not None
    assert before is not None
    assert kept.turn.lease_until > before
    assert renew_leases(ENGINE, []) == set()


def test_recover_lost_runs_without_text_starts_a_silent_second_attempt() -> None:
    asked = ask()
    claim_one("dead")
    expire_leases()

    assert recover_lost_runs(ENGINE) == 1

    assert asked.turn.state == TurnState.QUEUED
    assert Run.objects.get().state == RunState.LOST
    second = claim_one()
    assert (second.attempt, list_event_types(asked.conversation_id)[2:]) == (2, ["turn.started", "turn.started"])
    assert AuditEntry.objects.filter(action=AuditAction.TURN_RECOVERED).count() == 1


def test_recover_lost_runs_with_text_tells_the_phone_to_discard_it() -> None:
    asked = ask()
    first = claim_one("dead")
    write(first, "Вот план")
    expire_leases()
    recover_lost_runs(ENGINE)

    second = claim_one()
    write(second, "Иначе")
    finish_run(second, RunResult(text="Иначе", finish_reason="stop"), engine=ENGINE)

    assert list_event_types(asked.conversation_id)[3:] == [
        "text.delta",
        "msg.reset",
        "turn.started",
        "text.delta",
        "turn.completed",
    ]
    assert Message.objects.get(role=Role.ASSISTANT).text == "Иначе"


def test_recover_lost_runs_fences_the_former_engine_off() -> None:
    ask()
    zombie = claim_one("dead")
    expire_leases()
    recover_lost_runs(ENGINE)

    late = PendingDelta(zombie.conversation_id, zombie.turn_id, zombie.fence, encode_text_delta("m", 0, "x"))

    assert append_deltas([late]) == {}
    with pytest.raises(RunLost):
        finish_run(zombie, RESULT, engine="dead")


def test_recover_lost_runs_after_the_last_attempt_ends_the_turn_honestly() -> None:
    asked = ask()
    claim_one("dead")
    expire_leases()
    recover_lost_runs(ENGINE)
    second = claim_one("dead too")
    write(second, "Половина")
    expire_leases()

    recover_lost_runs(ENGINE)

    assert (asked.turn.state, asked.turn.error_code) == (TurnState.FAILED, "worker.lost")
    assert Message.objects.get(role=Role.ASSISTANT).text == "Половина"
    body = orjson.loads(get_last_event(second).body)
    assert (body["partial"], body["error"]["code"]) == (True, "worker.lost")


def test_recover_lost_runs_of_an_old_question_does_not_answer_afresh() -> None:
    asked = ask()
    claim_one("dead")
    expire_leases()
    Turn.objects.update(accepted_at=timezone.now() - timedelta(minutes=3))

    recover_lost_runs(ENGINE)

    assert asked.turn.state == TurnState.FAILED


def test_recover_lost_runs_leaves_living_ones_alone() -> None:
    ask()
    claim_one()

    assert recover_lost_runs("other") == 0
    assert Run.objects.get().state == RunState.RUNNING


def test_release_runs_lets_another_engine_take_over_at_once() -> None:
    asked = ask()
    claimed = claim_one()

    release_runs(ENGINE, [claimed])

    assert recover_lost_runs("other") == 1
    assert asked.turn.state == TurnState.QUEUED


@pytest.mark.django_db(transaction=True)
def test_append_deltas_from_overlapping_batches_leaves_no_hole_and_no_deadlock() -> None:
    for _ in range(4):
        ask()
    runs = claim_runs(ENGINE, capacity=4)
    barrier = Barrier(2)

    def append(ordered: list[ClaimedRun]) -> None:
        barrier.wait(5)
        try:
            for _ in range(25):
                batch = [
                    PendingDelta(run.conversation_id, run.turn_id, run.fence, encode_text_delta(run.message_id, 0, "a"))
                    for run in ordered
                ]
                assert len(append_deltas(batch)) == 4
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(append, runs), threads.submit(append, runs[::-1])]:
            future.result(30)

    for run in runs:
        seqs = ConversationEvent.objects.filter(conversation_id=run.conversation_id).order_by("seq")
        assert list(seqs.values_list("seq", flat=True)) == list(range(1, 54))
        assert Conversation.objects.get(pk=run.conversation_id).top == 53

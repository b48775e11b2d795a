"""Submitting and cancelling: rows, audit entries and events of each act, and who may do it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from audit.enums import AuditAction
from audit.models import AuditEntry
from chat.enums import BusyPolicy, Role, TurnState
from chat.errors import ConversationNotFound, MessageConflict, TooManyTurns, TurnBusy, TurnNotFound
from chat.models import Conversation, ConversationEvent, Message, Turn
from chat.protocol.frames import digest_text
from chat.services.claims import claim_runs
from chat.services.turns import AcceptedTurn, cancel_turn, start_turn
from chat.stream import PendingDelta, append_deltas
from tests.factories.accounts import make_customer
from tests.factories.chat import QUESTION, Asked, ask, claim_one, list_event_types, make_context, make_submission

pytestmark = pytest.mark.django_db


def list_actions(asked: Asked) -> list[str]:
    entries = AuditEntry.objects.filter(conversation_id=asked.conversation_id).order_by("occurred_at", "id")
    return list(entries.values_list("action", flat=True))


def cancel(asked: Asked) -> bool:
    return cancel_turn(
        make_context(asked.customer),
        customer_id=asked.customer.pk,
        conversation_id=asked.conversation_id,
        turn_id=asked.accepted.turn_id,
        device_id="phone-b",
    )


def test_start_turn_in_new_conversation_stores_rows_events_and_entries() -> None:
    asked = ask()

    conversation = Conversation.objects.get(pk=asked.conversation_id)
    assert (conversation.customer_id, conversation.top, conversation.title) == (asked.customer.pk, 2, QUESTION)
    assert asked.turn.state == TurnState.QUEUED
    message = Message.objects.get()
    assert (message.pk, message.role, message.text, message.size_bytes, message.digest) == (
        asked.accepted.question_id,
        Role.USER,
        QUESTION,
        len(QUESTION.encode()),
        digest_text(QUESTION),
    )
    assert list_event_types(asked.conversation_id) == ["conv.created", "turn.accepted"]
    assert asked.accepted == AcceptedTurn(asked.turn.pk, message.pk, conversation.epoch, 2, is_duplicate=False)
    assert list_actions(asked) == [AuditAction.CONVERSATION_OPENED, AuditAction.TURN_STARTED]


def test_start_turn_entries_carry_no_text() -> None:
    asked = ask(text="секрет-42")

    bodies = [bytes(entry.body).decode() for entry in AuditEntry.objects.filter(conversation_id=asked.conversation_id)]

    assert len(bodies) == 2
    assert not [body for body in bodies if "секрет" in body]


def test_start_turn_with_repeated_mid_returns_same_turn_and_writes_nothing() -> None:
    customer, conversation_id, submission = make_customer(), uuid4(), make_submission()
    first = start_turn(
        make_context(customer), customer_id=customer.pk, conversation_id=conversation_id, submission=submission
    )
    before = (ConversationEvent.objects.count(), AuditEntry.objects.count(), Message.objects.count())

    second = start_turn(
        make_context(customer), customer_id=customer.pk, conversation_id=conversation_id, submission=submission
    )

    assert second == AcceptedTurn(first.turn_id, first.question_id, first.epoch, first.seq, is_duplicate=True)
    assert (ConversationEvent.objects.count(), AuditEntry.objects.count(), Message.objects.count()) == before


def test_start_turn_with_repeated_mid_and_other_text_is_a_conflict() -> None:
    customer, conversation_id, mid = make_customer(), uuid4(), uuid4()
    context = make_context(customer)
    start_turn(context, customer_id=customer.pk, conversation_id=conversation_id, submission=make_submission(mid=mid))

    with pytest.raises(MessageConflict):
        start_turn(
            context,
            customer_id=customer.pk,
            conversation_id=conversation_id,
            submission=make_submission(mid=mid, text="другое"),
        )

    assert Turn.objects.count() == 1


@pytest.mark.parametrize("is_new", [True, False])
def test_start_turn_in_foreign_conversation_is_refused_like_an_unknown_one(is_new: bool) -> None:
    asked = ask()
    stranger = make_customer()

    with pytest.raises(ConversationNotFound):
        start_turn(
            make_context(stranger),
            customer_id=stranger.pk,
            conversation_id=asked.conversation_id,
            submission=make_submission(is_new=is_new),
        )

    assert Turn.objects.count() == 1


def test_start_turn_in_unknown_conversation_is_refused() -> None:
    customer = make_customer()

    with pytest.raises(ConversationNotFound):
        start_turn(
            make_context(customer),
            customer_id=customer.pk,
            conversation_id=uuid4(),
            submission=make_submission(is_new=False),
        )

    assert not Conversation.objects.exists()


def test_start_turn_while_another_is_unfinished_is_refused_and_names_it() -> None:
    asked = ask()

    with pytest.raises(TurnBusy) as refused:
        start_turn(
            make_context(asked.customer),
            customer_id=asked.customer.pk,
            conversation_id=asked.conversation_id,
            submission=make_submission(busy=BusyPolicy.REJECT),
        )

    assert refused.value.turn_id == asked.accepted.turn_id
    assert Turn.objects.count() == 1


def test_start_turn_that_interrupts_cancels_what_was_unfinished() -> None:
    asked = ask()

    accepted = start_turn(
        make_context(asked.customer),
        customer_id=asked.customer.pk,
        conversation_id=asked.conversation_id,
        submission=make_submission(busy=BusyPolicy.INTERRUPT, text="Нет, доллара"),
    )

    assert asked.turn.state == TurnState.CANCELLED
    assert Turn.objects.get(pk=accepted.turn_id).state == TurnState.QUEUED
    assert list_event_types(asked.conversation_id) == [
        "conv.created",
        "turn.accepted",
        "turn.cancelled",
        "turn.accepted",
    ]


def test_start_turn_that_queues_keeps_order_and_has_a_bound() -> None:
    asked = ask()
    for number in range(5):
        ask(asked.customer, conversation_id=asked.conversation_id, text=f"вопрос {number}")

    with pytest.raises(TurnBusy):
        ask(asked.customer, conversation_id=asked.conversation_id)

    assert claim_one().turn_id == asked.accepted.turn_id
    assert claim_runs("other", capacity=5) == []


def test_start_turn_above_the_minute_rate_tells_how_long_to_wait(settings: Settings) -> None:
    settings.TURNS_PER_MINUTE = 2
    asked = ask()
    ask(asked.customer)

    with pytest.raises(TooManyTurns) as refused:
        ask(asked.customer)

    assert (refused.value.limit, refused.value.window_seconds) == (2, 60)
    assert 0 < refused.value.retry_after_ms <= 60_001
    assert ask().turn.state == TurnState.QUEUED, "another customer is not concerned"


def test_start_turn_after_the_window_is_served_again(settings: Settings) -> None:
    settings.TURNS_PER_MINUTE = 1
    asked = ask()
    Turn.objects.update(accepted_at=timezone.now() - timedelta(seconds=61))

    assert ask(asked.customer).turn.state == TurnState.QUEUED


def test_cancel_turn_that_streams_keeps_exactly_the_committed_text() -> None:
    asked = ask()
    claimed = claim_one()
    append_deltas(
        [PendingDelta(asked.conversation_id, claimed.turn_id, claimed.fence, '{"msg":"m","off":0,"text":"Курс — "}')]
    )

    assert cancel(asked) is True

    answer = Message.objects.get(role=Role.ASSISTANT)
    assert (answer.text, answer.pk) == ("Курс — ", asked.turn.answer_id)
    assert asked.turn.state == TurnState.CANCELLED
    event = ConversationEvent.objects.get(type="turn.cancelled")
    assert '"bytes":13' in event.body
    assert f'"sum":"{digest_text("Курс — ")}"' in event.body
    assert list_actions(asked)[-1] == AuditAction.TURN_CANCELLED
    assert asked.turn.runs.get().state == "cancelled"


def test_cancel_turn_stops_the_engine_from_writing_more() -> None:
    asked = ask()
    claimed = claim_one()
    cancel(asked)

    late = PendingDelta(asked.conversation_id, claimed.turn_id, claimed.fence, '{"msg":"m","off":0,"text":"поздно"}')

    assert append_deltas([late]) == {}
    assert list_event_types(asked.conversation_id)[-1] == "turn.cancelled"


def test_cancel_turn_twice_is_harmless() -> None:
    asked = ask()

    assert [cancel(asked), cancel(asked)] == [True, False]
    assert list_event_types(asked.conversation_id).count("turn.cancelled") == 1
    assert not Message.objects.filter(role=Role.ASSISTANT).exists()


def test_cancel_turn_of_a_stranger_changes_nothing() -> None:
    asked = ask()
    stranger = make_customer()

    with pytest.raises(ConversationNotFound):
        cancel_turn(
            make_context(stranger),
            customer_id=stranger.pk,
            conversation_id=asked.conversation_id,
            turn_id=asked.accepted.turn_id,
            device_id="x",
        )

    assert asked.turn.state == TurnState.QUEUED


def test_cancel_turn_of_another_conversation_is_not_found() -> None:
    asked = ask()
    other = ask(asked.customer)

    with pytest.raises(TurnNotFound):
        cancel_turn(
            make_context(asked.customer),
            customer_id=asked.customer.pk,
            conversation_id=asked.conversation_id,
            turn_id=other.accepted.turn_id,
            device_id="x",
        )


@pytest.mark.django_db(transaction=True)
def test_start_turn_a_hundred_times_at_once_makes_one_turn() -> None:
    customer, conversation_id, submission = make_customer(), uuid4(), make_submission()
    barrier = Barrier(5)

    def submit() -> set[AcceptedTurn]:
        barrier.wait(5)
        try:
            return {
                start_turn(
                    make_context(customer),
                    customer_id=customer.pk,
                    conversation_id=conversation_id,
                    submission=submission,
                )
                for _ in range(20)
            }
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as threads:
        answers = [answer for future in [threads.submit(submit) for _ in range(5)] for answer in future.result(30)]

    assert {answer.turn_id for answer in answers} == {Turn.objects.get().pk}
    assert sum(not answer.is_duplicate for answer in answers) == 1
    assert Message.objects.count() == 1
    assert list_event_types(conversation_id) == ["conv.created", "turn.accepted"]
    assert AuditEntry.objects.filter(action=AuditAction.TURN_STARTED).count() == 1

"""A conversation ends once, by its owner's wish, and not in the middle of an answer."""

from uuid import uuid4

import pytest

from audit.models import AuditEntry
from chat.errors import ConversationClosed, ConversationNotFound, TurnBusy
from chat.models import Conversation, ConversationEvent
from chat.services.conversations import close_conversation
from chat.services.runs import RunResult, finish_run
from chat.services.turns import start_turn
from tests.factories.accounts import make_customer
from tests.factories.chat import ENGINE, Asked, ask, claim_one, list_event_types, make_context, make_submission

pytestmark = pytest.mark.django_db


def ask_and_answer() -> Asked:
    asked = ask()
    finish_run(claim_one(), RunResult(text="Да", finish_reason="stop"), engine=ENGINE)
    return asked


def close(asked: Asked) -> Conversation:
    context = make_context(asked.customer)
    return close_conversation(context, customer_id=asked.customer.pk, conversation_id=asked.conversation_id)


def count_entries() -> int:
    return AuditEntry.objects.filter(action="conversation.closed").count()


def test_close_conversation_stores_row_event_and_entry_once() -> None:
    asked = ask_and_answer()

    closed = close(asked)

    found = Conversation.objects.get(pk=asked.conversation_id)
    assert (found.closed_at, found.top) == (closed.closed_at, closed.top)
    assert found.closed_at is not None
    event = ConversationEvent.objects.get(conversation=found, seq=found.top)
    assert (event.type, event.body) == ("conv.updated", '{"closed":true}')
    entry = AuditEntry.objects.get(action="conversation.closed")
    assert (entry.customer_id, entry.conversation_id) == (asked.customer.pk, found.pk)
    again = close(asked)
    assert (again.closed_at, again.top, count_entries()) == (found.closed_at, found.top, 1)


def test_close_conversation_while_a_turn_is_unfinished_is_refused() -> None:
    asked = ask()

    with pytest.raises(TurnBusy) as caught:
        close(asked)
    assert caught.value.turn_id == asked.accepted.turn_id
    assert Conversation.objects.get().closed_at is None
    assert count_entries() == 0


def test_close_conversation_of_somebody_else_or_nobody_looks_alike() -> None:
    asked = ask_and_answer()
    stranger = make_customer()
    for conversation_id in (asked.conversation_id, uuid4()):
        with pytest.raises(ConversationNotFound):
            close_conversation(make_context(stranger), customer_id=stranger.pk, conversation_id=conversation_id)
    assert Conversation.objects.get().closed_at is None


def test_start_turn_in_a_closed_conversation_is_refused_but_what_was_sent_before_is_known() -> None:
    asked = ask_and_answer()
    close(asked)
    before = list_event_types(asked.conversation_id)

    for is_new in (False, True):
        with pytest.raises(ConversationClosed):
            start_turn(
                make_context(asked.customer),
                customer_id=asked.customer.pk,
                conversation_id=asked.conversation_id,
                submission=make_submission(is_new=is_new),
            )
    repeated = start_turn(
        make_context(asked.customer),
        customer_id=asked.customer.pk,
        conversation_id=asked.conversation_id,
        submission=make_submission(mid=asked.turn.mid),
    )

    assert (repeated.turn_id, repeated.is_duplicate) == (asked.accepted.turn_id, True)
    assert list_event_types(asked.conversation_id) == before

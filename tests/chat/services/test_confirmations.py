"""What the customer's decision, time and new messages do to a turn that waits: rows, events, evidence, money."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.services.sessions import close_session
from audit.models import AuditEntry
from chat.enums import BusyPolicy, RunState, TurnState
from chat.errors import ConversationNotFound, TurnBusy
from chat.models import Conversation, Run, Turn
from chat.protocol.replies import DecisionReply
from chat.queue import list_overdue_turns, list_waiting_turns
from chat.services.confirmations import (
    decide_confirmation,
    finish_payment,
    settle_payments,
    tend_questions,
)
from chat.services.recovery import recover_lost_runs
from chat.services.turns import cancel_turn
from functions.enums import CallStatus, ConfirmationState
from functions.errors import (
    ConfirmationDecided,
    ConfirmationError,
    ConfirmationExpired,
    ConfirmationMismatch,
    ConfirmationNotFound,
    ConfirmationSuperseded,
    DeviceRefused,
    SignatureRefused,
    TooManySignatures,
)
from functions.models import Confirmation, FunctionCall
from tests.factories.accounts import make_customer, make_session
from tests.factories.chat import ENGINE, ask, claim_one, make_context
from tests.factories.confirmations import make_phone
from tests.factories.ledger import build_context, make_payee
from tests.factories.talks import AMOUNT, Talk

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk() -> Talk:
    return Talk()


@pytest.fixture
def asked(talk: Talk) -> Confirmation:
    return talk.wait_for_transfer()


def decide(talk: Talk, asked: Confirmation, decision: str = "approve", **changes: Any) -> DecisionReply:
    command = talk.build_decision(asked, decision, **changes)
    return decide_confirmation(make_context(talk.customer), talk.claims, talk.conversation_id, command)


def cancel(talk: Talk) -> bool:
    return cancel_turn(
        make_context(talk.customer),
        customer_id=talk.customer.pk,
        conversation_id=talk.conversation_id,
        turn_id=talk.turn.pk,
        device_id="phone-b",
    )


def list_new(talk: Talk, before: int) -> list[tuple[str, dict[str, object]]]:
    return talk.read_events()[before:]


def test_approve_moves_the_money_once_and_lets_the_turn_go_on(talk: Talk, asked: Confirmation) -> None:
    before = len(talk.read_events())

    reply = decide(talk, asked)

    assert (reply.state, reply.s) == ("approved", before + 1)
    decided, result, completed = list_new(talk, before)
    assert decided == ("confirm.decided", {"confirm": str(asked.pk), "decision": "approve", "dev": "phone-1"})
    assert (result[0], result[1]["confirm"], result[1]["status"]) == ("op.result", str(asked.pk), "done")
    assert completed[0] == "function.completed"
    assert (completed[1]["call"], completed[1]["status"]) == (str(asked.call_id), "ok")
    assert talk.read_balances() == (500_00, AMOUNT)
    turn = talk.turn
    assert (turn.state, turn.lease_owner) == (TurnState.QUEUED, "")
    assert turn.resumed_at is not None
    assert FunctionCall.objects.get(pk=asked.call_id).status == CallStatus.OK


def test_resumed_turn_goes_on_with_the_same_answer(talk: Talk) -> None:
    asked = talk.wait_for_transfer()
    decide(talk, asked)
    before = talk.list_types()

    claimed = claim_one()

    assert talk.list_types() == before
    assert (claimed.turn_id, claimed.message_id, claimed.attempt) == (talk.turn.pk, talk.turn.answer_id, 2)
    assert claimed.fence > talk.claimed.fence
    assert claimed.seq == Conversation.objects.get(pk=talk.conversation_id).top
    assert claimed.spent_seconds > 0
    assert before.count("turn.started") == 1


def test_resumed_turn_that_is_lost_starts_its_answer_anew(talk: Talk, asked: Confirmation) -> None:
    decide(talk, asked)
    claim_one()
    Turn.objects.filter(pk=talk.turn.pk).update(lease_until=timezone.now())

    assert recover_lost_runs(ENGINE) == 1
    claimed = claim_one()

    assert (claimed.attempt, talk.list_types()[-1]) == (3, "turn.started")
    assert FunctionCall.objects.filter(turn_id=talk.turn.pk).count() == 2
    assert talk.read_balances() == (500_00, AMOUNT)


def test_turn_that_waited_long_is_still_recovered_once(talk: Talk, asked: Confirmation) -> None:
    Turn.objects.filter(pk=talk.turn.pk).update(accepted_at=timezone.now() - timedelta(minutes=30))
    decide(talk, asked)
    claim_one()
    Turn.objects.filter(pk=talk.turn.pk).update(lease_until=timezone.now())

    recover_lost_runs(ENGINE)

    assert talk.turn.state == TurnState.QUEUED


def test_reject_moves_nothing_and_the_model_is_told(talk: Talk, asked: Confirmation) -> None:
    before = len(talk.read_events())

    reply = decide(talk, asked, "reject")

    assert reply.state == "declined"
    assert list_new(talk, before) == [
        ("confirm.decided", {"confirm": str(asked.pk), "decision": "reject", "dev": "phone-1"}),
        (
            "function.completed",
            {
                "turn": str(talk.turn.pk),
                "call": str(asked.call_id),
                "status": "error",
                "result_public": {"code": "declined"},
            },
        ),
    ]
    assert (talk.turn.state, talk.read_balances()) == (TurnState.QUEUED, (1_000_00, 0))


def test_second_decision_changes_nothing(talk: Talk, asked: Confirmation) -> None:
    decide(talk, asked)
    before = talk.list_types()
    second = make_phone(talk.customer, "phone-2", now=timezone.now())

    with pytest.raises(ConfirmationDecided) as refused:
        decide_confirmation(
            make_context(talk.customer),
            talk.claim_as(second),
            talk.conversation_id,
            talk.build_decision(asked, "reject", phone=second),
        )

    assert refused.value.state == ConfirmationState.EXECUTED
    assert (talk.list_types(), talk.read_balances()) == (before, (500_00, AMOUNT))


def refuse_foreign_conversation(talk: Talk, asked: Confirmation) -> None:
    stranger = make_phone(make_customer(), "phone-9", now=timezone.now())
    command = talk.build_decision(asked, phone=stranger)
    decide_confirmation(make_context(talk.customer), talk.claim_as(stranger), talk.conversation_id, command)


def refuse_other_conversation(talk: Talk, asked: Confirmation) -> None:
    other = ask(talk.customer, session=talk.phone.session)
    decide_confirmation(make_context(talk.customer), talk.claims, other.conversation_id, talk.build_decision(asked))


def refuse_other_terms(talk: Talk, asked: Confirmation) -> None:
    decide(talk, asked, hash="A" * 43)


def refuse_no_signature(talk: Talk, asked: Confirmation) -> None:
    decide(talk, asked, sig=None, kid=None)


def refuse_bad_signature(talk: Talk, asked: Confirmation) -> None:
    decide(talk, asked, sig="AAAA")


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (refuse_foreign_conversation, ConversationNotFound),
        (refuse_other_conversation, ConfirmationNotFound),
        (refuse_other_terms, ConfirmationMismatch),
        (refuse_no_signature, DeviceRefused),
        (refuse_bad_signature, SignatureRefused),
    ],
)
def test_decision_that_does_not_count_leaves_the_turn_waiting(
    talk: Talk, asked: Confirmation, act: Callable[[Talk, Confirmation], None], error: type[Exception]
) -> None:
    before = talk.list_types()

    with pytest.raises(error):
        act(talk, asked)

    assert (talk.list_types(), talk.turn.state) == (before, TurnState.AWAITING_CONFIRM)
    assert talk.read_balances() == (1_000_00, 0)


def test_fifth_bad_signature_closes_the_question_and_the_turn_goes_on(talk: Talk, asked: Confirmation) -> None:
    errors: list[type[ConfirmationError]] = []
    before = len(talk.read_events())
    for _ in range(5):
        with pytest.raises(ConfirmationError) as refused:
            decide(talk, asked, sig="AAAA")
        errors.append(refused.type)

    assert errors == [SignatureRefused] * 4 + [TooManySignatures]
    assert [kind for kind, _body in list_new(talk, before)] == ["confirm.closed", "function.completed"]
    assert talk.turn.state == TurnState.QUEUED


def test_time_that_is_over_ends_the_question_once(talk: Talk, settings: Settings) -> None:
    settings.CONFIRM_SECONDS = 0
    asked = talk.wait_for_transfer()
    before = len(talk.read_events())

    counts = tend_questions(ENGINE)

    assert counts == {"expired": 1, "settled": 0, "asked_again": 0, "orphans": 0}
    closed, completed = list_new(talk, before)
    assert closed == ("confirm.closed", {"confirm": str(asked.pk), "why": "expired"})
    assert (completed[0], completed[1]["result_public"]) == ("function.completed", {"code": "expired"})
    assert talk.turn.state == TurnState.QUEUED
    assert tend_questions(ENGINE)["expired"] == 0


def test_decision_after_its_time_ends_the_question_at_once(talk: Talk, settings: Settings) -> None:
    settings.CONFIRM_SECONDS = 0
    asked = talk.wait_for_transfer()

    with pytest.raises(ConfirmationExpired):
        decide(talk, asked)

    assert talk.list_types()[-2:] == ["confirm.closed", "function.completed"]
    assert (talk.turn.state, talk.read_balances()) == (TurnState.QUEUED, (1_000_00, 0))
    assert AuditEntry.objects.filter(action="fn.expired").count() == 1


def test_cancelled_turn_closes_its_question_first(talk: Talk, asked: Confirmation) -> None:
    before = len(talk.read_events())

    assert cancel(talk) is True

    assert [kind for kind, _body in list_new(talk, before)] == [
        "confirm.closed",
        "function.completed",
        "turn.cancelled",
    ]
    assert list_new(talk, before)[0][1]["why"] == "cancelled"
    assert talk.turn.state == TurnState.CANCELLED
    with pytest.raises(ConfirmationDecided):
        decide(talk, asked)
    assert talk.read_balances() == (1_000_00, 0)


def test_new_message_that_interrupts_supersedes_the_question(talk: Talk, asked: Confirmation) -> None:
    before = len(talk.read_events())

    ask(
        talk.customer,
        conversation_id=talk.conversation_id,
        text="Нет, подожди",
        session=talk.phone.session,
        busy=BusyPolicy.INTERRUPT,
    )

    kinds = [kind for kind, _body in list_new(talk, before)]
    assert kinds == ["confirm.closed", "function.completed", "turn.cancelled", "turn.accepted"]
    assert list_new(talk, before)[0][1]["why"] == "superseded"
    with pytest.raises(ConfirmationSuperseded):
        decide(talk, asked)


def test_new_message_that_waits_stays_behind_the_waiting_turn(talk: Talk, asked: Confirmation) -> None:
    with pytest.raises(TurnBusy):
        ask(talk.customer, conversation_id=talk.conversation_id, busy=BusyPolicy.REJECT)
    later = ask(talk.customer, conversation_id=talk.conversation_id, session=talk.phone.session)
    Turn.objects.filter(pk=later.turn.pk).update(accepted_at=timezone.now() - timedelta(minutes=10))

    assert list_waiting_turns() == []
    assert list_overdue_turns(timezone.now() - timedelta(seconds=60)) == []
    Turn.objects.filter(pk=later.turn.pk).update(accepted_at=timezone.now())
    decide(talk, asked)

    assert [waiting.turn_id for waiting in list_waiting_turns()] == [talk.turn.pk]
    assert list_overdue_turns(timezone.now() - timedelta(seconds=60)) == []


def test_ended_session_stops_the_turn_that_waits(talk: Talk, asked: Confirmation) -> None:
    close_session(build_context(), session_id=talk.phone.session.pk)
    before = len(talk.read_events())

    counts = tend_questions(ENGINE)

    assert counts["orphans"] == 1
    assert [kind for kind, _body in list_new(talk, before)][-1] == "turn.cancelled"
    assert talk.turn.state == TurnState.CANCELLED
    asked.refresh_from_db()
    assert asked.state == ConfirmationState.CANCELLED


def test_other_live_session_keeps_the_turn_waiting(talk: Talk, asked: Confirmation) -> None:
    make_session(talk.customer, device_id="old", is_revoked=True)

    assert tend_questions(ENGINE)["orphans"] == 0
    assert talk.turn.state == TurnState.AWAITING_CONFIRM


def ask_phone_transfer(talk: Talk, phone: str) -> Confirmation:
    make_payee(talk.customer, phone)
    talk.call("list_accounts")
    talk.call("find_payee", {"query": "Иван"})
    taken = talk.call("transfer_by_phone", {"payee": "payee_1", "from_account": "acc_1", "amount": 500})
    assert taken.result is None, taken.result
    return Confirmation.objects.get(turn_id=talk.turn.pk)


def test_payment_that_leaves_the_house_waits_for_its_answer(talk: Talk) -> None:
    asked = ask_phone_transfer(talk, "+70000000201")
    before = len(talk.read_events())

    reply = decide(talk, asked)

    assert reply.state == "approved"
    assert [kind for kind, _body in list_new(talk, before)] == ["confirm.decided"]
    assert talk.turn.state == TurnState.AWAITING_CONFIRM

    finish_payment(make_context(talk.customer), talk.conversation_id, asked.pk)

    assert [kind for kind, _body in list_new(talk, before)] == ["confirm.decided", "op.result", "function.completed"]
    assert list_new(talk, before)[1][1]["status"] == "done"
    assert talk.turn.state == TurnState.QUEUED
    told = orjson.loads(FunctionCall.objects.get(pk=asked.call_id).result)
    assert (told["ok"], told["data"]["status"]) == (True, "executed")
    finish_payment(make_context(talk.customer), talk.conversation_id, asked.pk)
    assert len(list_new(talk, before)) == 3


def test_payment_whose_taker_died_is_finished_by_the_sweep(talk: Talk) -> None:
    asked = ask_phone_transfer(talk, "+70000000201")
    decide(talk, asked)
    assert settle_payments(ENGINE, timezone.now()) == 0

    assert settle_payments(ENGINE, timezone.now() + timedelta(minutes=1)) == 1

    assert talk.list_types()[-2:] == ["op.result", "function.completed"]
    assert talk.turn.state == TurnState.QUEUED


def test_payment_on_its_way_outlives_a_cancelled_turn(talk: Talk) -> None:
    asked = ask_phone_transfer(talk, "+70000000201")
    decide(talk, asked)

    assert cancel(talk) is True
    finish_payment(make_context(talk.customer), talk.conversation_id, asked.pk)

    assert talk.list_types()[-2:] == ["turn.cancelled", "op.result"]
    assert talk.turn.state == TurnState.CANCELLED


def test_waiting_counts_no_lost_attempts_and_no_runs(talk: Talk, asked: Confirmation) -> None:
    assert recover_lost_runs(ENGINE) == 0
    assert not Run.objects.filter(state=RunState.RUNNING).exists()
    assert talk.turn.state == TurnState.AWAITING_CONFIRM

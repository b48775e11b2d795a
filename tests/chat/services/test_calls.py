"""One call of a run: rows, events, audit entries, and that a turn waits without holding anything."""

import orjson
import pytest

from audit.models import AuditEntry
from chat.enums import RunState, TurnState
from chat.errors import RunLost
from chat.models import Conversation, Run, StreamSlot, Turn, UsageDay
from chat.services.calls import take_call
from chat.services.recovery import recover_lost_runs
from chat.services.turns import cancel_turn
from functions.enums import CallStatus, ConfirmationState
from functions.models import Confirmation, FunctionCall, Handle
from tests.factories.chat import ENGINE, claim_one, make_context
from tests.factories.confirmations import ask_own_transfer
from tests.factories.talks import SPENT, Talk, describe

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk() -> Talk:
    return Talk()


def list_actions(talk: Talk) -> list[str]:
    entries = AuditEntry.objects.filter(turn_id=talk.claimed.turn_id).order_by("pk")
    return list(entries.values_list("action", flat=True))


def test_take_call_of_a_read_tells_the_phone_and_the_model(talk: Talk) -> None:
    taken = talk.call("list_accounts", said="Сейчас посмотрю. ")

    assert taken.result is not None
    assert [row["account"] for row in orjson.loads(taken.result)["data"]["accounts"]] == ["acc_1", "acc_2"]
    call = FunctionCall.objects.get()
    assert (call.turn_id, call.step, call.status, call.said) == (talk.turn.pk, 1, CallStatus.OK, "Сейчас посмотрю. ")
    started, completed = talk.read_events()[-2:]
    assert started[0] == "function.started"
    assert (started[1]["call"], started[1]["name"], started[1]["args_public"]) == (str(call.pk), "list_accounts", {})
    assert started[1]["label"] != ""
    assert completed == (
        "function.completed",
        {"turn": str(talk.turn.pk), "call": str(call.pk), "status": "ok", "result_public": {"rows": 2}},
    )
    assert list_actions(talk) == ["turn.started", "fn.requested", "fn.executed", "model.asked"]
    assert talk.turn.state == TurnState.RUNNING
    assert taken.handles is not None
    assert Handle.objects.filter(conversation_id=talk.conversation_id).count() == 2


def test_take_call_that_is_refused_tells_its_code_only(talk: Talk) -> None:
    taken = talk.call("get_account_balance", {"account_id": "acc_9", "customer_id": "someone"})

    assert taken.result is not None
    assert orjson.loads(taken.result)["error"]["code"] == "invalid_arguments"
    kind, body = talk.read_events()[-1]
    assert (kind, body["status"], body["result_public"]) == (
        "function.completed",
        "denied",
        {"code": "invalid_arguments"},
    )


def test_take_call_shows_cards_to_the_phone_but_not_to_the_model(talk: Talk) -> None:
    talk.call("list_accounts")
    taken = talk.call("show_requisites", {"account": "acc_1"})

    number = str(talk.source.number)
    [card] = talk.read_events()[-1][1]["cards"]
    assert card["kind"] == "requisites"
    assert number in str(card).replace(" ", "")
    assert number not in str(taken.result).replace(" ", "")


def test_take_call_of_money_lets_the_turn_wait_without_holding_anything(talk: Talk) -> None:
    confirmation = talk.wait_for_transfer()

    turn, conversation = talk.turn, Conversation.objects.get(pk=talk.conversation_id)
    assert (turn.state, turn.lease_owner, turn.lease_until) == (TurnState.AWAITING_CONFIRM, "", None)
    assert conversation.fence == talk.claimed.fence + 1
    assert not StreamSlot.objects.filter(run_id__isnull=False).exists()
    run = Run.objects.get()
    assert (run.state, run.finish_reason, run.prompt_tokens) == (RunState.COMPLETED, "function_call", 100)
    assert UsageDay.objects.get().prompt_tokens == 100
    kinds = talk.list_types()
    assert kinds[-2:] == ["function.started", "confirm.requested"]
    asked = talk.read_events()[-1][1]
    assert (asked["confirm"], asked["turn"]) == (str(confirmation.pk), str(turn.pk))
    assert (asked["payload"].encode(), asked["hash"]) == (bytes(confirmation.payload), confirmation.digest)
    assert talk.read_balances() == (1_000_00, 0)


def test_take_call_of_a_run_that_lost_its_turn_writes_nothing(talk: Talk) -> None:
    cancel_turn(
        make_context(talk.customer),
        customer_id=talk.customer.pk,
        conversation_id=talk.conversation_id,
        turn_id=talk.turn.pk,
        device_id="phone-b",
    )
    before = talk.list_types()

    with pytest.raises(RunLost):
        talk.call("list_accounts")

    assert (FunctionCall.objects.count(), talk.list_types()) == (0, before)


def test_take_call_repeated_after_an_unsure_commit_gives_the_stored_result(talk: Talk) -> None:
    request = talk.build_request("list_accounts")
    first = take_call(talk.claimed, request, SPENT, engine=ENGINE, describe=describe)
    before = talk.list_types()

    second = take_call(talk.claimed, request, SPENT, engine=ENGINE, describe=describe)

    assert (second.result, FunctionCall.objects.count(), talk.list_types()) == (first.result, 1, before)


def test_take_call_repeated_after_an_unsure_commit_of_a_question_ends_the_run(talk: Talk) -> None:
    talk.call("list_accounts")
    arguments = {"from_account": "acc_1", "to_account": "acc_2", "amount": 500}
    request = talk.build_request("transfer_between_own_accounts", arguments)
    take_call(talk.claimed, request, SPENT, engine=ENGINE, describe=describe)

    with pytest.raises(RunLost):
        take_call(talk.claimed, request, SPENT, engine=ENGINE, describe=describe)

    assert Confirmation.objects.count() == 1


def test_take_call_with_an_earlier_question_open_supersedes_it(talk: Talk) -> None:
    first = ask_own_transfer(talk.source, talk.target, conversation_id=talk.conversation_id)
    talk.call("list_accounts")

    taken = talk.call("transfer_between_own_accounts", {"from_account": "acc_1", "to_account": "acc_2", "amount": 10})

    assert taken.result is None
    first.refresh_from_db()
    assert first.state == ConfirmationState.SUPERSEDED
    assert talk.list_types()[-3:] == ["function.started", "confirm.closed", "confirm.requested"]
    assert talk.turn.state == TurnState.AWAITING_CONFIRM


def test_take_call_of_an_immediate_withdrawal_closes_the_question(talk: Talk) -> None:
    question = ask_own_transfer(talk.source, talk.target, conversation_id=talk.conversation_id)

    taken = talk.call("cancel_pending_action")

    assert taken.result is not None
    assert orjson.loads(taken.result)["ok"] is True
    assert talk.list_types()[-3:] == ["function.started", "confirm.closed", "function.completed"]
    assert talk.read_events()[-2][1] == {"confirm": str(question.pk), "why": "cancelled"}


def test_calls_of_a_lost_run_are_kept_for_the_next_one(talk: Talk) -> None:
    talk.call("list_accounts")
    Turn.objects.filter(pk=talk.turn.pk).update(lease_until=talk.turn.accepted_at)

    assert recover_lost_runs(ENGINE) == 1
    claimed = claim_one()

    assert (claimed.attempt, claimed.shown, FunctionCall.objects.count()) == (2, "", 1)

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.vault import unseal_text
from audit.models import AuditEntry
from functions.confirmations.closing import close_pending
from functions.dispatch import answer_call, list_conversation_calls, list_turn_calls, record_call, render_offer
from functions.enums import CallStatus, ConfirmationState, HandleKind
from functions.errors import CallRefused, Code
from functions.handles import HandlesChanged, HandleTable
from functions.models import Confirmation, FunctionCall, Handle
from functions.registry import SCOPES
from tests.functions.calling import Caller, build_context, list_actions
from tests.functions.probes import Probes

pytestmark = pytest.mark.django_db


@pytest.fixture
def probes() -> Probes:
    return Probes()


@pytest.fixture
def caller(probes: Probes) -> Caller:
    return Caller(probes.registry)


def read_result(text: str | None) -> Any:
    assert text is not None
    return json.loads(text)


def take_hash(caller: Caller, name: str) -> str:
    function = caller.registry.get_function(name)
    assert function is not None
    assert len(function.schema_hash) == 16
    return function.schema_hash


def test_read_is_answered_stored_and_recorded(caller: Caller) -> None:
    result = caller.call("echo", {"account": "acc_1", "amount": 1500.5, "text": "+7 912 345-67-89"}, said="Смотрю")
    assert read_result(result.result) == {"ok": True, "data": {"told": "acc_1"}}
    assert (result.status, result.label, result.ends_functions) == (CallStatus.OK, "Probing", False)
    assert result.arguments_public == {"account": "acc_1", "amount": "1\u00a0500,50\u00a0₽", "text": "[phone]"}
    call = FunctionCall.objects.get()
    assert (call.pk, call.name, call.kind, call.version, call.step) == (result.call_id, "echo", "read", 1, 1)
    assert (call.status, call.code, call.result, call.said) == ("ok", "", result.result, "Смотрю")
    assert call.schema_hash == take_hash(caller, "echo")
    assert json.loads(unseal_text(call.arguments_sealed))["text"] == "+7 912 345-67-89"
    assert list_actions(caller.turn_id) == ["fn.requested", "fn.executed"]


def test_evidence_of_a_call_holds_hashes_and_no_values(caller: Caller) -> None:
    caller.call("echo", {"account": "acc_1", "text": "Секретные слова"})
    bodies = b"".join(bytes(entry.body) for entry in AuditEntry.objects.filter(turn_id=caller.turn_id))
    assert "Секретные".encode() not in bodies
    assert b"acc_1" not in bodies
    call = FunctionCall.objects.get()
    assert call.arguments_hash.encode() in bodies
    assert b'"function":"echo"' in bodies


def test_name_of_the_models_own_making_stays_out_of_the_evidence(caller: Caller) -> None:
    result = caller.call("delete everything\nnow ⟦")
    assert read_result(result.result)["error"]["code"] == "unknown_function"
    call = FunctionCall.objects.get()
    assert (call.name, call.version, call.kind, call.status) == ("delete everythingnow ", 0, "", "denied")
    assert list_actions(caller.turn_id) == ["fn.requested", "fn.denied"]
    assert all(b"delete" not in bytes(entry.body) for entry in AuditEntry.objects.filter(turn_id=caller.turn_id))


def test_label_is_in_the_customers_language(caller: Caller) -> None:
    caller.customer.language = "ru"
    caller.customer.save(update_fields=["language"])
    assert caller.call("nothing_like_it").label == "Выполняю"


def test_plan_asks_the_customer_and_the_call_waits(caller: Caller) -> None:
    result = caller.call("pay", {"account": "acc_1"})
    assert (result.status, result.result) == (CallStatus.WAITING, None)
    call, confirmation = FunctionCall.objects.get(), Confirmation.objects.get()
    assert (call.status, call.result, call.finished_at, call.version) == ("waiting", "", None, 3)
    assert (confirmation.pk, confirmation.call, confirmation.is_money) == (result.confirmation.pk, call, True)  # type: ignore[union-attr]
    assert list_actions(caller.turn_id) == ["fn.requested", "fn.confirm_asked"]


def test_plan_that_changes_nothing_asks_nobody(caller: Caller) -> None:
    result = caller.call("pay", {"account": "acc_1", "text": "nothing"})
    assert read_result(result.result) == {"ok": True, "data": {"told": "as it was"}}
    assert not Confirmation.objects.exists()


def test_refusal_of_the_bank_becomes_a_closed_code(caller: Caller) -> None:
    result = caller.call("pay", {"account": "acc_1", "text": "poor"})
    assert read_result(result.result)["error"]["code"] == "insufficient_funds"
    assert (result.status, result.result_public) == (CallStatus.ERROR, {"code": "insufficient_funds"})
    assert list_actions(caller.turn_id) == ["fn.requested", "fn.failed"]
    assert not Confirmation.objects.exists()


def test_waiting_call_is_answered_once(caller: Caller) -> None:
    caller.call("pay", {"account": "acc_1"})
    call, now = FunctionCall.objects.get(), timezone.now()
    answer: dict[str, Any] = {"status": CallStatus.OK, "code": "", "result": '{"ok":true}', "now": now}
    assert answer_call(build_context(), call=call, **answer)
    other = {**answer, "status": CallStatus.ERROR, "code": Code.DECLINED, "result": '{"ok":false}'}
    assert not answer_call(build_context(), call=call, **other)
    call.refresh_from_db()
    assert (call.status, call.result, call.result_bytes, call.finished_at) == ("ok", '{"ok":true}', 11, now)
    assert list_actions(caller.turn_id) == ["fn.requested", "fn.confirm_asked", "fn.executed"]


def test_handles_of_an_answer_are_stored_with_it(caller: Caller) -> None:
    result = caller.call("mint")
    assert read_result(result.result)["data"] == {"told": "acc_1"}
    assert Handle.objects.get().reference == "a-reference"
    assert result.cards == ({"kind": "shown", "value": "for the app alone"},)
    assert "for the app alone" not in str(result.result)


def test_handles_minted_by_another_writer_meanwhile_are_refused(caller: Caller) -> None:
    evaluation = caller.evaluate("mint")
    other = HandleTable.load(caller.conversation_id, caller.customer.pk)
    other.mint(HandleKind.ACCOUNT, "another-reference")
    other.save(caller.now)
    with pytest.raises(HandlesChanged), transaction.atomic():
        record_call(build_context(), evaluation, now=caller.now)
    assert not FunctionCall.objects.exists()


def test_step_is_recorded_once(caller: Caller) -> None:
    caller.call("mint")
    with pytest.raises(IntegrityError), transaction.atomic():
        caller.call("mint", step=1)
    assert FunctionCall.objects.count() == 1


def test_immediate_action_is_carried_out_when_it_is_recorded(caller: Caller) -> None:
    evaluation = caller.evaluate("rename", {"account": "acc_1"})
    caller.customer.refresh_from_db()
    assert caller.customer.first_name != "Renamed"
    with transaction.atomic():
        result = record_call(build_context(), evaluation, now=caller.now)
    caller.customer.refresh_from_db()
    assert caller.customer.first_name == "Renamed"
    assert read_result(result.result) == {"ok": True, "data": {"told": "renamed"}}
    assert list_actions(caller.turn_id) == ["fn.requested", "fn.executed"]


@pytest.mark.parametrize("fault", [CallRefused(Code.DUPLICATE), RuntimeError("a secret")])
def test_immediate_action_that_fails_undoes_only_itself(caller: Caller, probes: Probes, fault: Exception) -> None:
    probes.fault = fault
    result = caller.call("rename", {"account": "acc_1", "text": "fail"})
    caller.customer.refresh_from_db()
    assert caller.customer.first_name != "Renamed"
    expected = "duplicate" if isinstance(fault, CallRefused) else "internal"
    assert read_result(result.result)["error"]["code"] == expected
    assert (result.status, FunctionCall.objects.get().code) == (CallStatus.ERROR, expected)
    assert "secret" not in str(result.result)


def test_immediate_action_leaves_the_callers_time_limit_as_it_was(caller: Caller) -> None:
    evaluation = caller.evaluate("rename", {"account": "acc_1"})
    with transaction.atomic():
        before = read_timeout()
        record_call(build_context(), evaluation, now=caller.now)
        assert read_timeout() == before


def read_timeout() -> str:
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])


def test_stored_calls_tell_the_story_again_without_what_waits(caller: Caller) -> None:
    caller.call("echo", '{"account": "acc_1"}', said="Смотрю", state_id="s-1")
    caller.call("echo", "[]")
    caller.call("pay", {"account": "acc_1"})
    first, second = list_turn_calls(caller.turn_id)
    assert (first.name, first.said, first.state_id, first.arguments) == ("echo", "Смотрю", "s-1", {"account": "acc_1"})
    assert (second.arguments, json.loads(second.result)["ok"]) == ({}, False)
    assert list_conversation_calls(caller.conversation_id, [caller.turn_id, uuid4()]) == [first, second]
    assert list_conversation_calls(uuid4(), [caller.turn_id]) == []
    now = timezone.now()
    close_pending(build_context(), conversation_id=caller.conversation_id, state=ConfirmationState.CANCELLED, now=now)
    assert [call.name for call in list_turn_calls(caller.turn_id)] == ["echo", "echo", "pay"]


def test_offer_is_what_the_session_may_call(settings: Settings, probes: Probes) -> None:
    public = render_offer(session_id=None, registry=probes.registry)
    assert [function["name"] for function in public] == ["hello"]
    everything = render_offer(session_id=uuid4(), registry=probes.registry)
    assert len(everything) == len(probes.registry.list_functions(SCOPES))
    settings.FUNCTION_SCOPES = ["transfers:own", "no-such-scope"]
    assert [one["name"] for one in render_offer(session_id=uuid4(), registry=probes.registry)] == ["pay"]

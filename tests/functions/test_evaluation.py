import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.errors import AccountUnavailable, GatewayUnavailable, IdempotencyConflict
from accounts.services.sessions import close_session
from audit.models import AuditEntry
from functions.enums import CallStatus
from functions.errors import CallRefused, Code
from functions.models import Confirmation, FunctionCall, Handle
from functions.services.calls import answer_call
from tests.factories.accounts import make_context, make_customer, make_session
from tests.factories.functions import make_call
from tests.functions.calling import Caller, build_context
from tests.functions.probes import Probes

pytestmark = pytest.mark.django_db

ECHO = {"account": "acc_1"}


@pytest.fixture
def probes() -> Probes:
    return Probes()


@pytest.fixture
def caller(probes: Probes) -> Caller:
    return Caller(probes.registry)


def read_code(evaluation: Any) -> str | None:
    assert evaluation.envelope is not None
    body = json.loads(evaluation.envelope.text)
    assert body["ok"] is (evaluation.code is None)
    assert body.get("error", {}).get("code") == evaluation.code
    return evaluation.code and str(evaluation.code)


def test_evaluation_writes_nothing(caller: Caller) -> None:
    for name, arguments in (("echo", ECHO), ("pay", ECHO), ("rename", ECHO), ("mint", ""), ("nobody", "")):
        caller.evaluate(name, arguments)
    models = (FunctionCall, Confirmation, Handle, AuditEntry)
    assert [model._default_manager.count() for model in models] == [0, 0, 0, 0]


def test_read_that_writes_is_refused_by_the_database(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        evaluation = caller.evaluate("write")
    assert read_code(evaluation) == "internal"
    caller.customer.refresh_from_db()
    assert caller.customer.first_name != "Written"
    assert (caplog.records[0].__dict__["function"], caplog.records[0].__dict__["fault"]) == ("write", "InternalError")


def test_transaction_can_write_again_after_an_evaluation(caller: Caller) -> None:
    with transaction.atomic():
        caller.evaluate("echo", ECHO)
        caller.evaluate("write")
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('transaction_read_only'), current_setting('statement_timeout')")
            assert cursor.fetchone() == ("off", "0")
        caller.call("echo", ECHO)


def test_handler_that_takes_too_long_is_cancelled(caller: Caller, settings: Settings) -> None:
    settings.FUNCTION_HANDLER_SECONDS = 0.2
    evaluation = caller.evaluate("sleep")
    assert read_code(evaluation) == "timeout"
    assert evaluation.status == CallStatus.TIMEOUT
    assert 100 <= evaluation.duration_ms < 4000


def test_handler_gets_no_more_time_than_the_turn_has(caller: Caller) -> None:
    evaluation = caller.evaluate("sleep", deadline=caller.now + timedelta(seconds=0.2))
    assert read_code(evaluation) == "timeout"
    assert evaluation.duration_ms < 4000
    assert read_code(caller.evaluate("echo", ECHO, deadline=caller.now - timedelta(seconds=1))) == "timeout"


def test_fault_of_a_handler_is_an_apology_and_a_log_line_without_values(
    caller: Caller, probes: Probes, caplog: pytest.LogCaptureFixture
) -> None:
    probes.fault = RuntimeError("Иван Иванов, 4276 1234")
    with caplog.at_level(logging.ERROR):
        evaluation = caller.evaluate("fail")
    assert read_code(evaluation) == "internal"
    assert evaluation.envelope is not None
    assert "Извинись" in evaluation.envelope.text
    assert "Иван" not in evaluation.envelope.text + caplog.text
    (record,) = caplog.records
    assert record.exc_info is None
    assert record.__dict__["place"].startswith("declare_reads.<locals>.fail:")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (CallRefused(Code.PAYEE_NOT_FOUND), "payee_not_found"),
        (AccountUnavailable(), "account_unavailable"),
        (IdempotencyConflict(), "internal"),
    ],
)
def test_refusals_of_handlers_keep_their_code(caller: Caller, probes: Probes, fault: Exception, code: str) -> None:
    probes.fault = fault
    evaluation = caller.evaluate("fail")
    assert (read_code(evaluation), evaluation.status) == (code, CallStatus.ERROR)


@pytest.mark.parametrize(
    "arguments",
    [
        {"account": "acc_1", "customer_id": "7"},
        '{"account": "acc_1", "account": "acc_2"}',
        '{"account": NaN}',
        "[]",
        {"account": 5},
        {},
        {"account": "acc_1", "amount": "1,500"},
    ],
)
def test_bad_arguments_never_reach_a_handler(caller: Caller, probes: Probes, arguments: Any) -> None:
    evaluation = caller.evaluate("echo", arguments)
    assert (read_code(evaluation), evaluation.status) == ("invalid_arguments", CallStatus.DENIED)
    assert probes.seen == []


def test_argument_that_names_an_identity_is_a_signal_in_the_evidence(caller: Caller) -> None:
    caller.call("echo", {"account": "acc_1", "client_id": "7"})
    denied = AuditEntry.objects.get(turn_id=caller.turn_id, action="fn.denied")
    assert b'"signal":"identity_argument"' in bytes(denied.body)
    assert caller.evaluate("echo", {"account": "acc_1", "colour": "red"}).signals == ()


def test_handler_sees_the_sessions_customer_and_typed_arguments(caller: Caller, probes: Probes) -> None:
    caller.evaluate("echo", {"account": " acc_1 ", "amount": "1 500,50 ₽"}, customer_texts=("переведи",))
    ((ctx, arguments),) = probes.seen
    assert (ctx.customer, ctx.conversation_id, ctx.customer_texts) == (
        caller.customer,
        caller.conversation_id,
        ("переведи",),
    )
    assert ctx.auth_age is not None
    assert (arguments.account, arguments.amount.minor) == ("acc_1", 150_050)


def test_nobody_may_call_what_is_public_and_nothing_else(caller: Caller) -> None:
    caller.session = None
    assert read_code(caller.evaluate("hello")) is None
    for name in ("echo", "pay", "rename", "mint"):
        assert read_code(caller.evaluate(name, ECHO)) == "not_allowed"


def test_session_of_a_stranger_is_refused(caller: Caller) -> None:
    caller.session = make_session(make_customer())
    assert read_code(caller.evaluate("hello")) == "not_allowed"


def test_session_that_ended_meanwhile_is_refused(caller: Caller) -> None:
    assert caller.session is not None
    close_session(make_context(), session_id=caller.session.pk)
    assert read_code(caller.evaluate("echo", ECHO)) == "not_allowed"


def test_scope_left_out_by_the_settings_is_not_callable(caller: Caller, settings: Settings) -> None:
    settings.FUNCTION_SCOPES = ["public"]
    assert read_code(caller.evaluate("echo", ECHO)) == "not_allowed"
    assert read_code(caller.evaluate("hello")) is None


def test_result_that_is_too_long_loses_whole_rows(caller: Caller) -> None:
    evaluation = caller.evaluate("list_much")
    assert evaluation.envelope is not None
    assert evaluation.envelope.size_bytes <= 4096
    body = json.loads(evaluation.envelope.text)
    kept = len(body["data"]["rows"])
    assert body["note"] == f"Показаны первые {kept} из 40 строк."
    assert evaluation.envelope.public == {"rows": kept, "dropped": 40 - kept}
    assert read_code(caller.evaluate("swell")) == "internal"


def test_sixth_call_is_the_turns_last_and_a_seventh_is_refused(caller: Caller) -> None:
    results = [caller.call("echo", {"account": f"acc_{number}"}) for number in range(1, 8)]
    assert [result.ends_functions for result in results] == [False] * 5 + [True, True]
    assert [result.status for result in results] == [CallStatus.OK] * 6 + [CallStatus.DENIED]
    assert json.loads(str(results[-1].result))["error"]["code"] == "too_many_calls"


def test_turn_whose_calls_took_too_long_calls_nothing_more(caller: Caller) -> None:
    make_call(caller.customer, turn_id=caller.turn_id, step=1, duration_ms=30_000)
    evaluation = caller.evaluate("echo", ECHO, step=2)
    assert (read_code(evaluation), evaluation.is_last) == ("too_many_calls", True)


def test_customer_who_called_too_often_lately_is_refused(caller: Caller, settings: Settings) -> None:
    settings.FUNCTION_CALLS_PER_CUSTOMER = 2
    make_call(caller.customer, created_at=caller.now - timedelta(seconds=601))
    make_call(make_customer())
    make_call(caller.customer)
    assert read_code(caller.evaluate("echo", ECHO)) is None
    make_call(caller.customer)
    assert read_code(caller.evaluate("echo", ECHO)) == "too_many_calls"


def test_same_call_that_fails_twice_ends_the_turns_calls(caller: Caller, probes: Probes) -> None:
    first = caller.call("echo", '{"account": 5, "amount": 1.0}')
    other = caller.call("echo", {"account": 6})
    again = caller.call("echo", {"amount": 1, "account": 5})
    assert [json.loads(str(one.result))["error"]["code"] for one in (first, other, again)] == [
        "invalid_arguments",
        "invalid_arguments",
        "repeated_call",
    ]
    assert [one.ends_functions for one in (first, other, again)] == [False, False, True]
    good = caller.call("echo", ECHO)
    assert (json.loads(str(good.result))["error"]["code"], good.ends_functions) == ("repeated_call", True)
    assert probes.seen == []


def test_same_call_that_succeeds_the_second_time_goes_on(caller: Caller, probes: Probes) -> None:
    probes.fault = CallRefused(Code.TEMPORARILY_UNAVAILABLE, can_retry=True)
    assert not caller.call("fail").ends_functions
    assert caller.evaluate("fail").is_last
    assert caller.evaluate("echo", ECHO).code is None


def test_immediate_action_that_fails_twice_ends_the_turns_calls(caller: Caller, probes: Probes) -> None:
    arguments = {"account": "acc_1", "text": "fail"}
    first, second = caller.call("rename", arguments), caller.call("rename", arguments)
    assert (first.ends_functions, second.ends_functions) == (False, True)
    assert json.loads(str(second.result))["error"]["code"] == "repeated_call"


def test_one_question_about_money_a_turn(caller: Caller) -> None:
    assert caller.call("pay", {"account": "acc_1", "text": "poor"}).status == CallStatus.ERROR
    assert caller.call("pay", {"account": "acc_1"}).status == CallStatus.WAITING
    call = FunctionCall.objects.get(status=CallStatus.WAITING)
    answer_call(build_context(), call=call, status=CallStatus.OK, code="", result='{"ok":true}', now=caller.now)
    assert read_code(caller.evaluate("pay", {"account": "acc_2"})) == "not_allowed"
    assert read_code(caller.evaluate("echo", ECHO)) is None
    caller.turn_id = uuid4()
    assert caller.evaluate("pay", {"account": "acc_2"}).plan is not None


def test_outside_system_is_asked_before_the_transaction(caller: Caller, probes: Probes) -> None:
    depth = len(connection.savepoint_ids)
    evaluation = caller.evaluate("ask_outside")
    assert evaluation.envelope is not None
    assert json.loads(evaluation.envelope.text)["data"] == {"told": "answered"}
    assert probes.seen == [depth]


def test_outside_system_that_is_down_is_a_closed_code_worth_retrying(caller: Caller, probes: Probes) -> None:
    probes.fault = GatewayUnavailable()
    evaluation = caller.evaluate("ask_outside")
    assert read_code(evaluation) == "temporarily_unavailable"
    assert evaluation.envelope is not None
    assert json.loads(evaluation.envelope.text)["error"]["retry"] is True


def test_arguments_are_kept_as_text_whatever_they_are(caller: Caller) -> None:
    assert caller.evaluate("echo", {"account": {1, 2}}).arguments_json == ""
    assert caller.evaluate("echo", '{"a": "\x00\ud800').arguments_json == '{"a": "?'
    assert caller.evaluate("echo", "x" * 100_000).arguments_json == "x" * 65_536


def test_evaluation_costs_the_same_queries_whatever_came_before(
    caller: Caller, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # Savepoint, read-only, session, turn, customer, handles, rollback, release.
    with django_assert_num_queries(8):
        caller.evaluate("echo", ECHO)
    caller.call("mint")
    caller.call("echo", ECHO)
    with django_assert_num_queries(8):
        caller.evaluate("echo", ECHO)


def test_evaluation_shows_no_values_of_the_call_in_its_text(caller: Caller) -> None:
    evaluation = caller.evaluate("echo", {"account": "acc_1", "text": "Секретные слова"})
    shown = repr(replace(evaluation, arguments_public={}))
    assert "Секретные" not in shown

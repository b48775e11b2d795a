import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Customer, Operation
from audit.models import AuditEntry
from functions.models import Confirmation, FunctionCall
from tests.factories.accounts import make_customer
from tests.factories.functions import make_call, make_confirmation
from tests.factories.ledger import make_account

pytestmark = pytest.mark.django_db

TRANSFER = "transfer_between_own_accounts"


def run(customer: str, name: str, arguments: Any = None, *more: str, stderr: StringIO | None = None) -> str:
    out = StringIO()
    given = ("--customer", customer, "--name", name, "--args", json.dumps(arguments or {}), *more)
    call_command("call_function", *given, stdout=out, stderr=stderr or StringIO())
    return out.getvalue().strip()


def run_and_read_conversation(customer: Customer, name: str) -> str:
    err = StringIO()
    run(str(customer.pk), name, stderr=err)
    return err.getvalue().split()[-1]


def test_read_prints_what_the_model_would_be_told_and_is_recorded() -> None:
    account = make_account()
    assert account.customer is not None
    for key in (account.customer.user.username, str(account.customer.pk)):
        body = json.loads(run(key, "list_accounts"))
        assert (body["ok"], len(body["data"]["accounts"])) == (True, 1)
    assert FunctionCall.objects.filter(customer=account.customer, status="ok").count() == 2
    entries = AuditEntry.objects.filter(action="fn.executed")
    assert {(entry.actor_kind, entry.actor_id, entry.origin) for entry in entries} == {
        ("system", "call_function", "command")
    }


def test_refusal_is_printed_and_fails() -> None:
    customer, out = make_customer(), StringIO()
    given = ("--customer", str(customer.pk), "--name", "search_transactions", "--args", '{"user_id": 1}')
    with pytest.raises(CommandError, match="search_transactions: denied") as caught:
        call_command("call_function", *given, stdout=out, stderr=StringIO())
    assert caught.value.returncode == 1
    assert json.loads(out.getvalue())["error"]["code"] == "invalid_arguments"
    assert FunctionCall.objects.get().code == "invalid_arguments"


def test_money_is_asked_for_and_the_question_withdrawn() -> None:
    source = make_account(balance=100_000)
    assert source.customer is not None
    make_account(source.customer)
    conversation = run_and_read_conversation(source.customer, "list_accounts")
    before = Operation.objects.count()
    arguments = {"from_account": "acc_1", "to_account": "acc_2", "amount": 10}
    terms = json.loads(run(str(source.customer.pk), TRANSFER, arguments, "--conversation", conversation))
    assert (terms["amt"], terms["ccy"]) == ("1000", "RUB")
    confirmation = Confirmation.objects.get()
    assert (confirmation.state, confirmation.call.status) == ("cancelled", "error")
    assert Operation.objects.count() == before


def test_handles_of_another_conversation_mean_nothing() -> None:
    source = make_account(balance=100_000)
    assert source.customer is not None
    run_and_read_conversation(source.customer, "list_accounts")
    with pytest.raises(CommandError, match="get_account_balance: error"):
        run(str(source.customer.pk), "get_account_balance", {"account_id": "acc_1"})
    assert FunctionCall.objects.latest("created_at").code == "unknown_reference"


def test_open_question_of_a_conversation_is_left_alone() -> None:
    waiting = make_call(make_customer(), status="waiting", result="")
    confirmation = make_confirmation(waiting)
    with pytest.raises(CommandError, match="is asked something"):
        run(str(waiting.customer.pk), "list_accounts", None, "--conversation", str(waiting.conversation_id))
    confirmation.refresh_from_db()
    assert confirmation.state == "pending"


@pytest.mark.parametrize("customer", ["nobody", "00000000-0000-4000-8000-000000000000"])
def test_unknown_customer_is_an_error(customer: str) -> None:
    with pytest.raises(CommandError, match="there is no customer"):
        run(customer, "list_accounts")

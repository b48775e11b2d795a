"""Every example of every function through the real dispatch: a read that wrote would answer `internal`."""

from typing import Any

import pytest

from accounts.models import Account, Card, Operation
from audit.models import AuditEntry
from functions.context import KINDS
from functions.enums import HandleKind
from functions.errors import Code
from functions.handles import HandleTable
from functions.models import Confirmation, FunctionCall
from functions.registry import list_functions
from tests.factories.ledger import make_account, make_bill, make_card, make_payee
from tests.functions.calling import Caller

pytestmark = pytest.mark.django_db

COUNTED = (Account, Card, Operation, Confirmation, FunctionCall, AuditEntry)


@pytest.fixture
def caller() -> Caller:
    """A customer with one of everything, and handles to it as after a long conversation."""
    account = make_account(balance=1_000_000)
    assert account.customer is not None
    customer = account.customer
    caller = Caller(customer=customer)
    table = HandleTable.load(caller.conversation_id, customer.pk)
    rows: list[Any] = [account, make_account(customer), make_card(account), make_card(account), make_bill(customer)]
    for row in (*rows, make_payee(customer)):
        table.mint(KINDS[type(row)], str(row.public_id))
    table.mint_value(HandleKind.PHONE, "+70000000201")
    table.save(caller.now)
    return caller


def count_rows() -> list[int]:
    return [model._default_manager.count() for model in COUNTED]


def test_examples_write_nothing_and_never_fail_for_a_fault_of_ours(caller: Caller) -> None:
    before, codes = count_rows(), set()
    for function in list_functions():
        for said, arguments in function.examples:
            evaluation = caller.evaluate(function.name, arguments, customer_texts=(said,))
            codes.add(evaluation.code)
            assert evaluation.code not in {Code.INTERNAL, Code.INVALID_ARGUMENTS, Code.TIMEOUT}, (function.name, said)
    assert None in codes
    assert count_rows() == before

from typing import Any
from uuid import UUID

import pytest

from accounts.models import Customer
from audit.models import AuditEntry
from functions.enums import CallStatus, ConfirmationState, HandleKind
from functions.errors import CallRefused, Code
from functions.models import Confirmation
from tests.factories.accounts import make_customer
from tests.factories.functions import make_call, make_confirmation
from tests.factories.ledger import NOW
from tests.functions.bank.acting import get_declared, open_ctx, open_exec

pytestmark = pytest.mark.django_db


def cancel(customer: Customer, conversation_id: UUID, confirm: str | None = None, *, known: Confirmation | None) -> Any:
    ctx = open_exec(open_ctx(customer, conversation_id=conversation_id))
    if known is not None:
        assert ctx.handles.mint(HandleKind.CONFIRMATION, str(known.pk)) == "confirm_1"
    function = get_declared("cancel_pending_action")
    assert function.args is not None
    return function.handler(ctx, function.args.model_validate({"confirm": confirm} if confirm else {}))


def wait(customer: Customer, **fields: Any) -> Confirmation:
    return make_confirmation(make_call(customer, status=CallStatus.WAITING), **fields)


@pytest.mark.parametrize("confirm", [None, "confirm_1"])
def test_what_waits_is_withdrawn_and_its_call_answered(confirm: str | None) -> None:
    customer = make_customer()
    waiting = wait(customer)
    outcome = cancel(customer, waiting.conversation_id, confirm, known=waiting)
    assert outcome.model_dump() == {"confirm": "confirm_1", "state": ConfirmationState.CANCELLED}
    waiting.refresh_from_db()
    waiting.call.refresh_from_db()
    assert (waiting.state, waiting.call.status, waiting.call.code) == ("cancelled", "error", "declined")
    actions = AuditEntry.objects.filter(subject_id=str(waiting.pk)).values_list("action", flat=True)
    assert list(actions) == ["fn.confirm_closed"]


def test_what_cools_off_is_withdrawn() -> None:
    customer = make_customer()
    cooling = wait(customer, state=ConfirmationState.COOLING_OFF, due_at=NOW)
    assert cancel(customer, cooling.conversation_id, known=None).state == ConfirmationState.CANCELLED


@pytest.mark.parametrize(
    ("state", "code"),
    [(ConfirmationState.EXPIRED, Code.EXPIRED), (ConfirmationState.DECLINED, Code.DUPLICATE)],
)
def test_what_is_over_stays_as_it_is(state: ConfirmationState, code: Code) -> None:
    customer = make_customer()
    over = wait(customer, state=state)
    with pytest.raises(CallRefused) as refused:
        cancel(customer, over.conversation_id, "confirm_1", known=over)
    over.refresh_from_db()
    assert (refused.value.code, over.state) == (code, state)


def test_nothing_waiting_foreign_and_unknown_look_the_same() -> None:
    customer, stranger = make_customer(), make_customer()
    theirs = wait(stranger)
    for confirm, known in ((None, None), ("confirm_1", None), ("confirm_1", theirs), ("confirm_9", theirs)):
        with pytest.raises(CallRefused) as refused:
            cancel(customer, theirs.conversation_id, confirm, known=known)
        assert refused.value.code == Code.UNKNOWN_REFERENCE
    theirs.refresh_from_db()
    assert theirs.state == ConfirmationState.PENDING

"""A payment that antifraud delays: asked again in its time, and never in a conversation that was closed."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import FlaggedTarget
from audit.models import AuditEntry
from chat.models import Turn
from chat.services.confirmations import ask_cooled, decide_confirmation
from chat.services.conversations import close_conversation
from chat.services.runs import RunResult, finish_run
from functions.enums import ConfirmationState
from functions.models import Confirmation
from tests.factories.chat import ENGINE, claim_one, make_context
from tests.factories.ledger import make_payee
from tests.factories.talks import Talk

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk() -> Talk:
    return Talk()


@pytest.fixture
def cooling(talk: Talk) -> Confirmation:
    """A transfer to a flagged phone, approved by the customer; the answer is finished."""
    payee = make_payee(talk.customer)
    FlaggedTarget.objects.create(target_digest=payee.target_digest, listed_on=timezone.now().date())
    talk.call("list_accounts")
    talk.call("find_payee", {"query": "Иван"})
    talk.call("transfer_by_phone", {"payee": "payee_1", "from_account": "acc_1", "amount": 500})
    asked = Confirmation.objects.get(turn_id=talk.turn.pk)
    command = talk.build_decision(asked)
    decide_confirmation(make_context(talk.customer), talk.claims, talk.conversation_id, command)
    finish_run(claim_one(), RunResult(text="Банк проверит перевод.", finish_reason="stop"), engine=ENGINE)
    asked.refresh_from_db()
    assert asked.state == ConfirmationState.COOLING_OFF
    return asked


def get_due(cooling: Confirmation) -> datetime:
    assert cooling.due_at is not None
    return cooling.due_at


def close(talk: Talk) -> None:
    close_conversation(make_context(talk.customer), customer_id=talk.customer.pk, conversation_id=talk.conversation_id)


def read_states() -> list[str]:
    return list(Confirmation.objects.order_by("created_at").values_list("state", flat=True))


def test_cooled_payment_is_asked_about_again_once_and_moves_nothing_by_itself(
    talk: Talk, cooling: Confirmation
) -> None:
    before = talk.list_types()

    assert ask_cooled(ENGINE, get_due(cooling) - timedelta(seconds=1)) == 0
    assert ask_cooled(ENGINE, get_due(cooling)) == 1
    assert ask_cooled(ENGINE, get_due(cooling)) == 0

    assert read_states() == [ConfirmationState.ASKED_AGAIN, ConfirmationState.PENDING]
    assert talk.list_types() == [*before, "confirm.requested"]
    assert talk.read_balances() == (1_000_00, 0)
    assert AuditEntry.objects.filter(action="fn.confirm_asked").count() == 2


def test_closed_conversation_withdraws_what_cools_off(talk: Talk, cooling: Confirmation) -> None:
    before = talk.list_types()

    close(talk)

    assert read_states() == [ConfirmationState.CANCELLED]
    assert talk.read_events()[len(before) :] == [
        ("confirm.closed", {"confirm": str(cooling.pk), "why": "cancelled"}),
        ("conv.updated", {"closed": True}),
    ]
    assert AuditEntry.objects.filter(action="fn.confirm_closed", subject_id=str(cooling.pk)).count() == 1
    assert ask_cooled(ENGINE, get_due(cooling)) == 0
    assert Confirmation.objects.count() == 1


def test_closed_conversation_withdraws_what_is_asked_again(talk: Talk, cooling: Confirmation) -> None:
    ask_cooled(ENGINE, get_due(cooling))

    close(talk)

    assert read_states() == [ConfirmationState.ASKED_AGAIN, ConfirmationState.CANCELLED]
    assert talk.list_types()[-2:] == ["confirm.closed", "conv.updated"]
    assert not Turn.objects.filter(finished_at__isnull=True).exists()

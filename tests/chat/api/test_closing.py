"""Closing by HTTP: the owner may, strangers and nobody find nothing, an unfinished answer comes first."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from accounts.models import Customer
from audit.models import AuditEntry
from chat.models import Conversation
from chat.services.runs import RunResult, finish_run
from tests.factories.accounts import make_bearer, make_customer
from tests.factories.chat import ENGINE, ask, claim_one

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return make_customer("anna")


def post(path: str, bearer: str, body: dict[str, Any] | None = None) -> Any:
    content = "" if body is None else json.dumps(body)
    return Client().post(
        f"/api/v1/conversations/{path}", content, content_type="application/json", headers={"Authorization": bearer}
    )


def add_answered(customer: Customer) -> UUID:
    asked = ask(customer)
    finish_run(claim_one(), RunResult(text="Да", finish_reason="stop"), engine=ENGINE)
    return asked.conversation_id


def test_owner_closes_a_conversation_and_may_repeat_it(customer: Customer) -> None:
    conversation_id, bearer = add_answered(customer), make_bearer(customer)

    answers = [post(f"{conversation_id}/close", bearer), post(f"{conversation_id}/close", bearer, {})]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    row = Conversation.objects.get(pk=conversation_id)
    assert answers[0].json()["closed_at"] == row.closed_at.isoformat().replace("+00:00", "Z")  # type: ignore[union-attr]
    assert answers[0].json()["top"] == row.top
    assert AuditEntry.objects.filter(action="conversation.closed").count() == 1


def test_question_to_a_closed_conversation_is_refused(customer: Customer) -> None:
    conversation_id, bearer = add_answered(customer), make_bearer(customer)
    post(f"{conversation_id}/close", bearer)
    frame = {"t": "turn.submit", "id": "1", "d": {"mid": str(uuid4()), "text": "Ещё"}}

    refused = post(f"{conversation_id}/commands", bearer, frame)

    assert (refused.status_code, refused.json()["code"], refused.json()["retryable"]) == (409, "conv.closed", False)


def test_unfinished_answer_comes_first(customer: Customer) -> None:
    asked = ask(customer)

    refused = post(f"{asked.conversation_id}/close", make_bearer(customer))

    assert (refused.status_code, refused.json()["code"]) == (409, "turn.busy")
    assert refused.json()["details"] == {"turn": str(asked.accepted.turn_id)}


def test_foreign_unknown_and_misspelt_conversations_are_refused_alike(customer: Customer) -> None:
    foreign = add_answered(make_customer())
    bearer = make_bearer(customer)

    answers = [post(f"{wanted}/close", bearer) for wanted in (foreign, uuid4(), "nonsense")]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "conv.not_found")}
    assert Conversation.objects.get(pk=foreign).closed_at is None
    assert AuditEntry.objects.filter(action="access.denied").count() == 3


def test_nobody_closes_nothing(customer: Customer) -> None:
    conversation_id = add_answered(customer)

    assert post(f"{conversation_id}/close", "").status_code == 401
    assert Conversation.objects.get(pk=conversation_id).closed_at is None

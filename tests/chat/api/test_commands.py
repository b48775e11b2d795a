"""Commands by REST: the bodies and codes of the socket, as owner, as a stranger and as nobody."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from accounts.models import Customer
from audit.models import AuditEntry
from chat.api.commands import COMMAND_PROBLEMS, STATUSES
from chat.enums import TurnState
from chat.models import Conversation, Turn
from chat.protocol.codes import ErrorCode
from tests.contract import check_sent
from tests.factories.accounts import make_bearer, make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Customer:
    return make_customer("anna")


@pytest.fixture
def bearer(anna: Customer) -> str:
    return make_bearer(anna)


def send(conversation_id: UUID | str, bearer: str, kind: str, body: dict[str, Any], **frame: Any) -> Any:
    return Client().post(
        f"/api/v1/conversations/{conversation_id}/commands",
        {"t": kind, "id": "7", "d": body, **frame},
        content_type="application/json",
        headers={"Authorization": bearer} if bearer else {},
    )


def submit(conversation_id: UUID | str, bearer: str, **changes: Any) -> Any:
    return send(conversation_id, bearer, "turn.submit", {"mid": str(uuid4()), "text": "Привет", "new": True} | changes)


def decide(conversation_id: UUID | str, bearer: str, **changes: Any) -> Any:
    body = {"confirm": str(uuid4()), "decision": "approve", "hash": "h", "nonce": "n", "at": 1}
    return send(conversation_id, bearer, "confirm.decide", body | changes)


def test_every_code_of_commands_is_one_of_the_protocol() -> None:
    for row in COMMAND_PROBLEMS:
        assert ErrorCode(row.code).is_retryable == row.is_retryable
        assert STATUSES.get(ErrorCode(row.code), 400) == row.status


def test_submit_stores_the_turn_and_answers_as_the_socket_does(anna: Customer, bearer: str) -> None:
    wanted, mid = uuid4(), str(uuid4())

    response = submit(wanted, bearer, mid=mid)
    again = submit(wanted, bearer, mid=mid)

    turn = Turn.objects.get(conversation__customer=anna)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response.json() == {
        "t": "ok",
        "re": "7",
        "d": {
            "turn": str(turn.pk),
            "msg": str(turn.question_id),
            "e": Conversation.objects.get(pk=wanted).epoch,
            "s": 2,
            "dup": False,
        },
    }
    check_sent(response.json())
    assert (again.json()["d"]["dup"], Turn.objects.count()) == (True, 1)


def test_cancel_ends_the_turn(anna: Customer, bearer: str) -> None:
    wanted = uuid4()
    turn = submit(wanted, bearer).json()["d"]["turn"]

    response = send(wanted, bearer, "turn.cancel", {"turn": turn}, c=str(wanted))

    assert response.json() == {"t": "ok", "re": "7", "d": {"state": "cancelling"}}
    assert Turn.objects.get(conversation__customer=anna).state == TurnState.CANCELLED


def test_stranger_and_nobody_get_nothing_and_leave_a_trace(bearer: str) -> None:
    wanted = uuid4()
    turn = submit(wanted, bearer).json()["d"]["turn"]
    stranger = make_bearer(make_customer())

    refused = [
        send(wanted, stranger, "turn.cancel", {"turn": turn}),
        submit(wanted, stranger),
        decide(wanted, stranger),
    ]

    assert [row.status_code for row in refused] == [404, 404, 404]
    assert AuditEntry.objects.filter(action="access.denied").count() == 3
    assert submit(wanted, "").status_code == 401
    assert Turn.objects.get().state == TurnState.QUEUED


@pytest.mark.parametrize(
    ("kind", "body", "frame", "expected"),
    [
        ("turn.submit", {"text": "a"}, {}, (400, "proto.invalid", "d.mid")),
        ("turn.submit", {"mid": str(UUID(int=1)), "text": "a" * 16_001}, {}, (413, "limit.size", "d.text")),
        ("turn.submit", {"mid": str(UUID(int=1)), "text": "a"}, {"c": str(UUID(int=2))}, (400, "proto.invalid", "c")),
        ("attach", {}, {}, (400, "proto.unknown_type", "t")),
        ("ping", {}, {}, (400, "proto.unknown_type", "t")),
        ("turn.dance", {}, {}, (400, "proto.unknown_type", None)),
        (
            "turn.submit",
            {"mid": str(UUID(int=1)), "text": "a", "age_ms": 2 * 10**8},
            {},
            (409, "cmd.too_old", "d.age_ms"),
        ),
        (
            "confirm.decide",
            {"confirm": str(UUID(int=1)), "decision": "reject", "hash": "h", "nonce": "n", "at": 1, "age_ms": 120_001},
            {},
            (409, "cmd.too_old", "d.age_ms"),
        ),
    ],
)
def test_a_command_that_cannot_be_done_is_refused_in_the_one_shape(
    bearer: str, kind: str, body: dict[str, Any], frame: dict[str, Any], expected: tuple[int, str, str | None]
) -> None:
    response = send(uuid4(), bearer, kind, body, **frame)

    refused = response.json()
    assert (response.status_code, refused["code"], refused.get("field")) == expected
    assert refused["trace"]


def test_a_misspelt_conversation_is_refused(bearer: str) -> None:
    response = submit("my-conversation", bearer)

    assert (response.status_code, response.json()["code"], response.json()["field"]) == (400, "proto.invalid", "c")


def test_a_busy_conversation_names_its_turn(bearer: str) -> None:
    wanted = uuid4()
    turn = submit(wanted, bearer).json()["d"]["turn"]

    response = submit(wanted, bearer)

    assert (response.status_code, response.json()["code"]) == (409, "turn.busy")
    assert response.json()["details"] == {"turn": turn}


def test_deciding_about_nothing_finds_nothing(bearer: str) -> None:
    wanted = uuid4()
    submit(wanted, bearer)

    response = decide(wanted, bearer)

    assert (response.status_code, response.json()["code"]) == (404, "confirm.not_found")

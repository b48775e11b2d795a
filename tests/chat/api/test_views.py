import asyncio
import json
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.api.problems import PROBLEMS
from accounts.models import Customer
from audit.models import AuditEntry
from chat.api.views import CONV_NOT_FOUND
from chat.enums import Role, TurnState
from chat.models import Conversation, Message, Turn
from chat.protocol.codes import ErrorCode
from chat.protocol.frames import digest_text
from tests.factories.accounts import make_bearer, make_customer
from tests.factories.chat import ask

# asgiref ships this class without types.
Communicator: Any = ApplicationCommunicator
pytestmark = pytest.mark.django_db
PATHS = ("", "/messages", "/events")


@pytest.fixture
def customer() -> Customer:
    return make_customer("anna")


@pytest.fixture
def bearer(customer: Customer) -> str:
    return make_bearer(customer)


def get(path: str, bearer: str, **query: str | int) -> Any:
    return Client().get(f"/api/v1/{path}", query, headers={"Authorization": bearer})


def add_conversation(customer: Customer, *, age_seconds: int = 0) -> Conversation:
    moment = timezone.now() - timedelta(seconds=age_seconds)
    return Conversation.objects.create(customer=customer, created_at=moment, last_turn_at=moment)


def add_message(conversation: Conversation, text: str, role: Role = Role.USER) -> Message:
    now = timezone.now()
    turn = Turn.objects.create(
        conversation=conversation,
        mid=uuid4(),
        fingerprint="f" * 64,
        state=TurnState.COMPLETED,
        accepted_at=now,
        finished_at=now,
    )
    size = len(text.encode())
    return Message.objects.create(
        conversation=conversation,
        turn=turn,
        role=role,
        text=text,
        size_bytes=size,
        digest=digest_text(text),
        created_at=now,
    )


def read_all(path: str, bearer: str, **query: str | int) -> list[Any]:
    rows: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = get(path, bearer, cursor=cursor, **query).json()
        rows += page["results"]
        cursor = page["next_cursor"]
    return rows


def test_every_code_of_the_api_is_one_of_the_protocol() -> None:
    for row in (*PROBLEMS, CONV_NOT_FOUND):
        assert ErrorCode(row.code).is_retryable == row.is_retryable


def test_list_conversations_shows_the_last_used_first_and_only_ones_own(customer: Customer, bearer: str) -> None:
    old, new = add_conversation(customer, age_seconds=60), add_conversation(customer)
    add_conversation(make_customer())
    response = get("conversations", bearer)
    assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
    body = response.json()
    assert [row["id"] for row in body["results"]] == [str(new.pk), str(old.pk)]
    assert body["next_cursor"] is None
    assert body["results"][0].keys() == {
        "id",
        "title",
        "created_at",
        "last_turn_at",
        "closed_at",
        "epoch",
        "top",
    }


def test_list_conversations_by_pages_while_new_ones_come_loses_none(customer: Customer, bearer: str) -> None:
    expected = [str(add_conversation(customer, age_seconds=age).pk) for age in range(5)]
    first = get("conversations", bearer, limit=2).json()
    add_conversation(customer)
    second = get("conversations", bearer, limit=2, cursor=first["next_cursor"]).json()
    add_conversation(customer)
    third = get("conversations", bearer, limit=2, cursor=second["next_cursor"]).json()
    assert [row["id"] for page in (first, second, third) for row in page["results"]] == expected
    assert third["next_cursor"] is None


def test_list_conversations_of_nobody_and_of_newcomer(bearer: str) -> None:
    assert Client().get("/api/v1/conversations").json()["code"] == "auth.required"
    assert get("conversations", bearer).json() == {"results": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "c" * 201}, "cursor"),
    ],
)
def test_list_conversations_with_wrong_query_names_the_field(
    bearer: str, query: dict[str, str | int], field: str
) -> None:
    response = get("conversations", bearer, **query)
    assert (response.status_code, response.json()["code"], response.json()["field"]) == (400, "request.invalid", field)


@pytest.mark.parametrize("rows", [1, 3])
def test_lists_cost_the_same_for_any_number_of_rows(
    customer: Customer, bearer: str, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = add_conversation(customer)
    for _ in range(rows):
        add_conversation(customer)
        add_message(conversation, "Добрый день")
    with django_assert_num_queries(2):
        get("conversations", bearer)
    with django_assert_num_queries(2):
        get(f"conversations/{conversation.pk}", bearer)
    # The fourth reads the files of all messages.
    with django_assert_num_queries(4):
        get(f"conversations/{conversation.pk}/messages", bearer)
    with django_assert_num_queries(3):
        get(f"conversations/{conversation.pk}/events", bearer)


def test_get_conversation_tells_its_head(customer: Customer, bearer: str) -> None:
    asked = ask(customer)
    row = Conversation.objects.get(pk=asked.conversation_id)
    body = get(f"conversations/{row.pk}", bearer).json()
    assert (body["id"], body["title"], body["epoch"], body["top"]) == (str(row.pk), row.title, row.epoch, row.top)


@pytest.mark.parametrize("path", PATHS)
def test_foreign_unknown_and_misspelt_conversations_look_the_same(customer: Customer, bearer: str, path: str) -> None:
    foreign = ask(make_customer()).conversation_id
    answers = [get(f"conversations/{key}{path}", bearer) for key in (foreign, uuid4(), "nonsense", "1", "%00")]
    for response in answers:
        body = response.json()
        del body["trace"]
        assert response.status_code == 404
        assert body == {
            "code": "conv.not_found",
            "message": "there is no such conversation of yours",
            "retryable": False,
        }
    entries = AuditEntry.objects.filter(action="access.denied").order_by("occurred_at")
    assert [(entry.outcome, entry.customer_id) for entry in entries] == [("refused", customer.pk)] * 5
    assert entries[0].subject_id == str(foreign)


@pytest.mark.parametrize("path", PATHS)
def test_foreign_and_unknown_conversations_cost_the_same(
    bearer: str, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    foreign = ask(make_customer()).conversation_id
    # Session, conversation, savepoint, entry, savepoint.
    for key in (foreign, uuid4(), "nonsense"):
        with django_assert_num_queries(5):
            get(f"conversations/{key}{path}", bearer)


@pytest.mark.parametrize("path", PATHS)
def test_conversation_of_nobody_asks_for_a_token(customer: Customer, path: str) -> None:
    own = ask(customer).conversation_id
    response = Client().get(f"/api/v1/conversations/{own}{path}")
    assert (response.status_code, response.json()["code"]) == (401, "auth.required")


def test_list_messages_shows_text_size_and_digest(customer: Customer, bearer: str) -> None:
    conversation = add_conversation(customer)
    question, answer = add_message(conversation, "Что такое вклад?"), add_message(conversation, "…", Role.ASSISTANT)
    body = get(f"conversations/{conversation.pk}/messages", bearer).json()
    assert body["next_cursor"] is None
    assert body["results"][0] == {
        "id": str(question.pk),
        "turn": str(question.turn_id),
        "mid": str(question.turn.mid),
        "role": "user",
        "text": "Что такое вклад?",
        "bytes": 29,
        "files": [],
        "sum": digest_text("Что такое вклад?"),
        "created_at": body["results"][0]["created_at"],
    }
    assert (body["results"][1]["id"], body["results"][1]["mid"]) == (str(answer.pk), None)


@pytest.mark.parametrize(("order", "step"), [("oldest", 1), ("newest", -1)])
def test_list_messages_by_pages_in_either_order(customer: Customer, bearer: str, order: str, step: int) -> None:
    conversation = add_conversation(customer)
    ids = [str(add_message(conversation, str(number)).pk) for number in range(5)]
    add_message(add_conversation(customer), "another one's")
    rows = read_all(f"conversations/{conversation.pk}/messages", bearer, limit=2, order=order)
    assert [row["id"] for row in rows] == ids[::step]


def test_list_messages_with_cursor_of_the_other_order_is_refused(customer: Customer, bearer: str) -> None:
    conversation = add_conversation(customer)
    for number in range(2):
        add_message(conversation, str(number))
    path = f"conversations/{conversation.pk}/messages"
    cursor = get(path, bearer, limit=1).json()["next_cursor"]
    assert get(path, bearer, order="newest", cursor=cursor).status_code == 400
    assert get(path, bearer, order="sideways").status_code == 400


def test_list_events_resumes_and_says_when_it_cannot(customer: Customer, bearer: str) -> None:
    asked = ask(customer)
    path = f"conversations/{asked.conversation_id}/events"
    everything = get(path, bearer)
    assert everything["Content-Type"] == "application/json"
    assert everything["Cache-Control"] == "no-store"
    page = everything.json()
    assert (page["mode"], page["why"], page["from"], page["more"]) == ("snapshot", "new", 0, False)
    frames, epoch, top = page["events"], page["epoch"], page["top"]
    assert (frames[0]["t"], frames[-1]["s"]) == ("conv.created", top)
    replay = get(path, bearer, epoch=epoch, after=1).json()
    assert (replay["mode"], replay["from"], replay["events"]) == ("replay", 1, frames[1:])
    assert "why" not in replay
    live = get(path, bearer, epoch=epoch, after=top).json()
    assert (live["mode"], live["events"], live["more"]) == ("live", [], False)
    for other, after, why in (("other", 1, "epoch"), (epoch, top + 1, "ahead")):
        again = get(path, bearer, epoch=other, after=after).json()
        assert (again["mode"], again["why"], again["from"], again["events"]) == ("snapshot", why, 0, frames)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": -1}, "after"),
        ({"after": 2**53}, "after"),
        ({"after": "x"}, "after"),
        ({"limit": 501}, "limit"),
        ({"epoch": "e" * 17}, "epoch"),
    ],
)
def test_list_events_with_wrong_query_names_the_field(
    customer: Customer, bearer: str, query: dict[str, str | int], field: str
) -> None:
    response = get(f"conversations/{ask(customer).conversation_id}/events", bearer, **query)
    assert (response.status_code, response.json()["field"]) == (400, field)


async def request_by_asgi(application: Any, path: str, bearer: str) -> tuple[int, Any]:
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"authorization", bearer.encode())],
        "client": ("127.0.0.1", 5000),
        "server": ("localhost", 80),
    }
    communicator: Any = Communicator(application, scope)
    await communicator.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await communicator.receive_output(timeout=20)
    body = await communicator.receive_output(timeout=20)
    await communicator.wait(timeout=20)
    return start["status"], json.loads(body["body"])


def take_free_connections() -> int:
    """Take every connection that this thread does not hold, waiting up to 5 s for each; return how many."""
    pool = connection.pool  # type: ignore[attr-defined]  # PostgreSQL's wrapper only
    with ExitStack() as stack:
        # This thread holds one itself.
        taken = [stack.enter_context(pool.connection(timeout=5)) for _ in range(pool.max_size - 1)]
        return len(taken)


@pytest.mark.django_db(transaction=True)
def test_requests_by_asgi_give_their_connections_back(customer: Customer, bearer: str) -> None:
    key: UUID = ask(customer).conversation_id

    async def ask_fifty() -> list[tuple[int, Any]]:
        application = get_asgi_application()
        path = f"/api/v1/conversations/{key}"
        return await asyncio.gather(*(request_by_asgi(application, path, bearer) for _ in range(50)))

    answers = asyncio.run(ask_fifty())
    assert {status for status, _ in answers} == {200}
    assert take_free_connections() == settings.DATABASE_POOL_SIZE - 1

"""What compliance and operators may read of conversations; texts only with the right to messages."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEntry
from chat.admin import conversations as chat_admin
from chat.enums import Role
from chat.models import Conversation, Message, Run, Turn
from tests.factories.accounts import make_customer, make_staff
from tests.factories.audit import make_role, sign_in
from tests.factories.chat import Asked, ask, claim_one
from tests.markup import find_inline_code

pytestmark = pytest.mark.django_db

SECRET = "Сколько у меня <b>денег</b>?"
ANSWER = "На счёте & карте пусто."
MODELS = ("conversation", "message", "turn", "run")


@pytest.fixture(autouse=True)
def password_only(settings: Settings) -> None:
    settings.STAFF_OTP_REQUIRED = False


@pytest.fixture
def asked() -> Asked:
    return make_dialogue()


def make_dialogue() -> Asked:
    """A question with an answer, and the run that gave it."""
    found = ask(text=SECRET)
    claim_one()
    Message.objects.create(
        conversation_id=found.conversation_id,
        turn_id=found.turn.pk,
        role=Role.ASSISTANT,
        text=ANSWER,
        size_bytes=len(ANSWER.encode()),
        digest="x",
        created_at=timezone.now(),
    )
    return found


def list_urls(asked: Asked) -> dict[str, tuple[str, str]]:
    """Return the list and the page of one row of each model."""
    keys = {
        "conversation": asked.conversation_id,
        "message": Message.objects.filter(turn=asked.turn, role=Role.USER).get().pk,
        "turn": asked.turn.pk,
        "run": Run.objects.filter(turn=asked.turn).get().pk,
    }
    return {name: (f"/admin/chat/{name}/", f"/admin/chat/{name}/{key}/change/") for name, key in keys.items()}


@pytest.mark.parametrize(
    ("role", "open_to"), [("compliance", set(MODELS)), ("auditor", set()), ("operator", {"turn", "run"})]
)
def test_pages_open_to_exactly_their_roles(asked: Asked, role: str, open_to: set[str]) -> None:
    client = sign_in(make_role(role))

    for name, urls in list_urls(asked).items():
        for url in urls:
            assert client.get(url).status_code == (200 if name in open_to else 403), url


@pytest.mark.parametrize("who", ["nobody", "customer", "staff"])
def test_pages_stay_closed_to_everybody_else(asked: Asked, who: str) -> None:
    clients: dict[str, Callable[[], Client]] = {
        "nobody": Client,
        "customer": lambda: sign_in(asked.customer.user),
        "staff": lambda: sign_in(make_staff()),
    }
    client = clients[who]()

    for urls in list_urls(asked).values():
        for url in urls:
            response = client.get(url)
            assert response.status_code == (403 if who == "staff" else 302), url
            assert "денег" not in response.content.decode()


def test_nothing_can_be_added_changed_or_deleted_not_even_by_a_superuser(asked: Asked) -> None:
    client = sign_in(User.objects.create_superuser("root"))

    for listed, page in list_urls(asked).values():
        assert client.get(f"{listed}add/").status_code == 403
        assert client.post(page, {"title": "x", "text": "x", "state": "queued"}).status_code == 403
        assert client.post(page.replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403
    assert Message.objects.filter(text=SECRET).count() == 1


def test_conversation_page_shows_the_messages_in_order_and_escaped(asked: Asked) -> None:
    page = sign_in(make_role("compliance")).get(list_urls(asked)["conversation"][1]).content.decode()

    question = page.index("Сколько у меня &lt;b&gt;денег&lt;/b&gt;?</p>")
    answer = page.index("На счёте &amp; карте пусто.</p>")
    assert question < answer
    for link in (
        f"/admin/chat/message/?conversation={asked.conversation_id}",
        f"/admin/chat/turn/?conversation={asked.conversation_id}",
        f"/admin/audit/auditentry/?conversation={asked.conversation_id}",
        f"/admin/chat/turn/{asked.turn.pk}/change/",
    ):
        assert f'href="{link}"' in page
    assert find_inline_code(page) == []


def test_conversation_page_without_the_right_to_messages_shows_no_text(asked: Asked) -> None:
    staff = make_staff()
    staff.user_permissions.set(Permission.objects.filter(codename="view_conversation"))
    Conversation.objects.filter(pk=asked.conversation_id).update(title="")

    page = sign_in(staff).get(list_urls(asked)["conversation"][1]).content.decode()

    assert "You may not read messages." in page
    assert "денег" not in page
    assert "/admin/chat/message/" not in page


def test_conversation_page_turns_the_leaves_of_a_long_transcript(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_admin, "TRANSCRIPT_MESSAGES", 1)
    client, url = sign_in(make_role("compliance")), list_urls(asked)["conversation"][1]

    newest = client.get(url)
    older = client.get(url, {"after": newest.context["transcript"].older})
    back = client.get(url, {"before": older.context["transcript"].newer})

    assert [row.text for row in newest.context["transcript"].rows] == [ANSWER]
    assert [row.text for row in older.context["transcript"].rows] == [SECRET]
    assert [row.text for row in back.context["transcript"].rows] == [ANSWER]
    assert "Earlier messages" in newest.content.decode()
    assert "Later messages" in older.content.decode()


def test_texts_stay_out_of_every_list_and_of_what_operators_read(asked: Asked) -> None:
    compliance, operator = sign_in(make_role("compliance")), sign_in(make_role("operator"))

    for name, (listed, page) in list_urls(asked).items():
        assert "денег" not in compliance.get(listed).content.decode()
        if name in ("turn", "run"):
            assert "денег" not in operator.get(page).content.decode()


def test_operator_gets_no_links_that_are_closed_to_it(asked: Asked) -> None:
    page = sign_in(make_role("operator")).get(list_urls(asked)["turn"][1]).content.decode()

    assert f'href="/admin/chat/run/?turn={asked.turn.pk}"' in page
    assert "/admin/chat/conversation/" not in page
    assert "/admin/audit/" not in page


def test_lists_filter_and_search_by_exact_ids(asked: Asked) -> None:
    other = make_dialogue()
    client = sign_in(make_role("compliance"))
    turn, run = asked.turn, Run.objects.get(turn=asked.turn)
    day = f"{turn.accepted_at:%Y-%m-%d}"
    wanted: list[tuple[str, dict[str, Any], set[Any]]] = [
        ("conversation", {"customer": asked.customer.pk}, {asked.conversation_id}),
        ("conversation", {"q": asked.conversation_id}, {asked.conversation_id}),
        ("conversation", {"q": asked.customer.pk}, {asked.conversation_id}),
        ("conversation", {"q": "euro"}, set()),
        ("conversation", {"from": day, "to": day}, {asked.conversation_id, other.conversation_id}),
        ("turn", {"conversation": asked.conversation_id}, {turn.pk}),
        ("turn", {"q": turn.pk}, {turn.pk}),
        ("turn", {"state__exact": "failed"}, set()),
        ("run", {"turn": turn.pk}, {run.pk}),
        ("run", {"q": turn.pk}, {run.pk}),
        ("message", {"q": SECRET}, set()),
    ]

    for name, query, expected in wanted:
        rows = (
            client.get(f"/admin/chat/{name}/", {key: str(value) for key, value in query.items()})
            .context["cl"]
            .result_list
        )
        assert {row.pk for row in rows} == expected, (name, query)
    rows = client.get("/admin/chat/message/", {"conversation": str(asked.conversation_id)}).context["cl"].result_list
    assert [row.text for row in rows] == [ANSWER, SECRET]


@pytest.mark.parametrize(
    ("name", "lookup"),
    [("message", "text__icontains"), ("conversation", "title__contains"), ("turn", "device_id"), ("run", "state")],
)
def test_lists_refuse_filters_that_no_index_serves(name: str, lookup: str) -> None:
    assert sign_in(make_role("compliance")).get(f"/admin/chat/{name}/", {lookup: "x"}).status_code == 400


@pytest.mark.parametrize("rows", [1, 3])
def test_lists_and_pages_cost_the_same_for_any_number_of_rows(rows: int) -> None:
    dialogues = [make_dialogue() for _ in range(rows)]
    client = sign_in(make_role("compliance"))
    costs = {}

    for name, (listed, page) in list_urls(dialogues[0]).items():
        for kind, url in (("list", listed), ("page", page)):
            ContentType.objects.clear_cache()
            with CaptureQueriesContext(connection) as captured:
                client.get(url)
            costs[name, kind] = len(captured)

    # Session, person, two kinds of permissions and the rows; a page adds its content type, a conversation its messages.
    pages = {("conversation", "page"): 7, ("message", "page"): 6, ("turn", "page"): 6, ("run", "page"): 6}
    assert costs == {**{(name, "list"): 5 for name in MODELS}, **pages}


def test_lists_never_count_or_skip(asked: Asked) -> None:
    client = sign_in(make_role("compliance"))
    cursor = f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M:%S+00:00}~{asked.conversation_id}"

    with CaptureQueriesContext(connection) as captured:
        for name in MODELS:
            for query in ({}, {"after": cursor}, {"before": cursor}, {"q": str(asked.conversation_id)}):
                assert client.get(f"/admin/chat/{name}/", query).status_code == 200

    statements = [item["sql"] for item in captured if '"chat_' in item["sql"]]
    assert len(statements) >= 16
    assert not [sql for sql in statements if "COUNT(" in sql or "OFFSET" in sql]


def test_every_list_order_is_served_by_an_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'chat_%'")
        indexes = [definition for (definition,) in cursor.fetchall()]

    for model, field in (
        (Conversation, "created_at"),
        (Message, "created_at"),
        (Turn, "accepted_at"),
        (Run, "started_at"),
    ):
        wanted = f"ON public.{model._meta.db_table} USING btree ({field} DESC, id DESC)"
        assert any(wanted in definition for definition in indexes), wanted


def test_pages_are_russian_for_russian_readers(asked: Asked) -> None:
    client = sign_in(make_role("compliance"))
    client.post("/admin/language/", {"language": "ru", "next": "/admin/"})

    pages = {name: client.get(urls[1]).content.decode() for name, urls in list_urls(asked).items()}

    assert "Переписка" in pages["conversation"]
    assert "Принят" in pages["turn"]
    assert "Начат" in pages["run"]
    for page in pages.values():
        assert find_inline_code(page) == []


def test_looking_changes_nothing(asked: Asked) -> None:
    client = sign_in(make_role("compliance"))
    before = list(Turn.objects.values()), list(Message.objects.values()), AuditEntry.objects.count()

    for urls in list_urls(asked).values():
        for url in urls:
            client.get(url)

    assert (list(Turn.objects.values()), list(Message.objects.values()), AuditEntry.objects.count()) == before


def test_customer_without_conversations_is_found_as_nothing() -> None:
    customer = make_customer()

    response = sign_in(make_role("compliance")).get("/admin/chat/conversation/", {"q": str(customer.pk)})

    assert response.context["cl"].result_list == []
    assert "Nothing found." in response.content.decode()

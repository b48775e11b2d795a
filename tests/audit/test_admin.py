"""The list of entries and one entry: who may read, how it pages, filters and searches, at what cost."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from audit.admin import AuditEntryAdmin
from audit.context import build_system_context
from audit.enums import AuditAction, Origin, Outcome
from audit.models import AuditEntry
from tests.factories.accounts import make_customer, make_staff
from tests.factories.audit import fill_entries, make_entry, make_role, sign_in
from tests.markup import find_inline_code

pytestmark = pytest.mark.django_db

LIST = "/admin/audit/auditentry/"
EXPORT = "/admin/audit/auditentry/export/"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def password_only(settings: Settings) -> None:
    settings.STAFF_OTP_REQUIRED = False


@pytest.fixture
def auditor() -> Client:
    return sign_in(make_role("auditor"))


def list_shown(client: Client, **query: str) -> list[UUID]:
    response = client.get(LIST, query)
    assert response.status_code == 200
    assert response.context is not None
    return [row.pk for row in response.context["cl"].result_list]


def get_entry_url(entry: AuditEntry) -> str:
    return f"{LIST}{entry.pk}/change/"


@pytest.mark.parametrize(
    ("role", "statuses"),
    [("compliance", (200, 200, 403)), ("auditor", (200, 200, 200)), ("operator", (403, 403, 403))],
)
def test_pages_open_to_exactly_their_roles(role: str, statuses: tuple[int, int, int]) -> None:
    client, entry = sign_in(make_role(role)), make_entry()

    assert tuple(client.get(url).status_code for url in (LIST, get_entry_url(entry), EXPORT)) == statuses
    assert client.post(EXPORT, {"format": "csv"}).status_code == statuses[2]


@pytest.mark.parametrize("who", ["nobody", "customer", "staff"])
def test_pages_stay_closed_to_everybody_else(who: str) -> None:
    entry = make_entry()
    client = Client()
    if who == "customer":
        client = sign_in(make_customer().user)
    if who == "staff":
        client = sign_in(make_staff())

    for url in (LIST, get_entry_url(entry), EXPORT):
        assert client.get(url).status_code == (403 if who == "staff" else 302)
    assert not AuditEntry.objects.filter(action="audit.exported").exists()


def test_nobody_can_add_change_or_delete_not_even_a_superuser() -> None:
    client = sign_in(User.objects.create_superuser("root"))
    entry = make_entry()
    before = AuditEntry.objects.filter(pk=entry.pk).values().get()

    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(get_entry_url(entry), {"action": "other"}).status_code == 403
    assert client.post(f"{LIST}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(LIST, {"action": "delete_selected", "_selected_action": [str(entry.pk)], "post": "yes"})

    assert AuditEntry.objects.filter(pk=entry.pk).values().get() == before


def test_entry_page_shows_the_evidence_and_its_hash(auditor: Client) -> None:
    entry = make_entry(customer_id=UUID(int=1), sum="abc")

    page = auditor.get(get_entry_url(entry)).content.decode()

    assert "&quot;sum&quot;: &quot;abc&quot;" in page
    assert bytes(entry.digest).hex() in page
    assert find_inline_code(page) == []


def test_list_pages_by_links_without_a_hole(auditor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AuditEntryAdmin, "list_per_page", 4)
    expected = [make_entry(occurred_at=NOON - timedelta(seconds=n // 2)).pk for n in range(10)]
    query = {"action__exact": "demo.seeded"}

    seen, url = [], f"{LIST}?action__exact=demo.seeded"
    for _ in range(3):
        response = auditor.get(url)
        changelist = response.context["cl"]
        seen += [row.pk for row in changelist.result_list]
        url = f"{LIST}{changelist.older_url}"

    assert sorted(seen) == sorted(expected)
    assert len(seen) == 10
    assert changelist.older_url == ""
    back = auditor.get(f"{LIST}{changelist.newer_url}").context["cl"].result_list
    assert [row.pk for row in back] == seen[4:8]
    page = response.content.decode()
    assert 'rel="prev"' in page
    assert find_inline_code(page) == []
    # Filters and searches start at the first page again.
    assert "before=" not in changelist.get_query_string(query)


def test_list_filters_by_period_id_action_and_outcome(auditor: Client) -> None:
    ids: dict[str, Any] = {"customer_id": UUID(int=1), "conversation_id": UUID(int=2), "turn_id": UUID(int=3)}
    wanted = make_entry(AuditAction.TURN_FAILED, occurred_at=NOON, outcome=Outcome.FAILED, **ids)
    make_entry(occurred_at=NOON + timedelta(days=1))

    for query in (
        {"from": "2026-01-31", "to": "2026-01-31"},
        {"from": "2026-01-31T12:00:00Z", "to": "2026-01-31T12:00:01Z"},
        {"customer": str(UUID(int=1))},
        {"conversation": str(UUID(int=2))},
        {"turn": str(UUID(int=3))},
        {"outcome__exact": "failed"},
        {"action__exact": "turn.failed"},
        {"from": "2026-01-01", "customer": str(UUID(int=1)), "action__exact": "turn.failed"},
    ):
        assert list_shown(auditor, **query) == [wanted.pk]
    assert list_shown(auditor, customer=str(UUID(int=9))) == []


@pytest.mark.parametrize("query", [{"customer": "42"}, {"from": "yesterday"}, {"from": "2026-02-01", "to": "x"}])
def test_list_with_an_unreadable_filter_shows_nothing_and_says_why(auditor: Client, query: dict[str, str]) -> None:
    make_entry()

    page = auditor.get(LIST, query)

    assert page.context["cl"].result_list == []
    assert "expected an " in page.content.decode()


@pytest.mark.parametrize("lookup", ["body__contains", "subject_id__icontains", "request_id__regex", "actor_id"])
def test_list_refuses_filters_that_no_index_serves(auditor: Client, lookup: str) -> None:
    assert auditor.get(LIST, {lookup: "x"}).status_code == 400


def test_search_finds_by_any_exact_id_and_nothing_else(auditor: Client) -> None:
    ids: dict[str, Any] = {"customer_id": UUID(int=1), "conversation_id": UUID(int=2), "turn_id": UUID(int=3)}
    wanted = make_entry(AuditAction.TURN_FAILED, **ids)
    make_entry(context=build_system_context(Origin.ENGINE, "other-actor", "request-7"))

    for text in (str(wanted.pk), str(UUID(int=1)), f" {UUID(int=2)} ", str(UUID(int=3)), "tests"):
        assert wanted.pk in list_shown(auditor, q=text)
    assert len(list_shown(auditor, q="other-actor")) == 1
    assert len(list_shown(auditor, q="request-7")) == 1
    for text in ("test", "%", str(UUID(int=9)), "failed"):
        assert list_shown(auditor, q=text) == []


@pytest.mark.parametrize("rows", [1, 3])
def test_list_and_entry_cost_the_same_for_any_number_of_rows(auditor: Client, rows: int) -> None:
    entries = [make_entry() for _ in range(rows)]
    ContentType.objects.clear_cache()

    with CaptureQueriesContext(connection) as listed:
        auditor.get(LIST)
    with CaptureQueriesContext(connection) as shown:
        auditor.get(get_entry_url(entries[0]))

    # Session, person, the person's own and group permissions, and the one list; the page adds its content type.
    assert (len(listed), len(shown)) == (5, 6)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"action__exact": "turn.started"},
        {"outcome__exact": "failed"},
        {"from": "2026-01-01", "to": "2026-01-02"},
        {"customer": "b9b9bc6b-0a9c-4c0b-9b5c-0d0a3b0c3c4d"},
        {"q": "req-77"},
        {"q": "no-such-id"},
    ],
)
def test_list_never_counts_skips_or_scans(auditor: Client, query: dict[str, str]) -> None:
    fill_entries(3000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_auditentry")
    older = auditor.get(LIST).context["cl"].page.older

    with CaptureQueriesContext(connection) as captured:
        auditor.get(LIST, query)
        auditor.get(LIST, {**query, "after": older})
        auditor.get(LIST, {**query, "before": older})

    statements = [item["sql"] for item in captured if "audit_auditentry" in item["sql"]]
    assert statements
    for sql in statements:
        assert "COUNT(" not in sql
        assert "OFFSET" not in sql
        plan = explain(sql)
        assert "Seq Scan" not in plan, plan


def explain(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())


def test_export_link_carries_the_filters_of_the_list(auditor: Client) -> None:
    query = {"action__exact": "turn.failed", "customer": str(UUID(int=1)), "q": "x", "outcome__exact": "ok"}

    page = auditor.get(LIST, query).content.decode()
    link = f"{EXPORT}?customer={UUID(int=1)}&amp;action=turn.failed"
    form = auditor.get(link.replace("&amp;", "&"))

    assert f'href="{link}"' in page
    assert form.context["form"].initial == {"customer": str(UUID(int=1)), "action": "turn.failed"}
    assert find_inline_code(form.content.decode()) == []


def test_list_offers_no_export_to_those_who_may_not() -> None:
    assert EXPORT not in sign_in(make_role("compliance")).get(LIST).content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [("from", "x"), ("to", "x"), ("customer", "x"), ("conversation", "x"), ("action", "x"), ("format", "x")],
)
def test_export_form_with_a_bad_value_names_its_field_and_records_nothing(
    auditor: Client, field: str, value: str
) -> None:
    response = auditor.post(EXPORT, {"format": "csv", field: value})

    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    assert not AuditEntry.objects.exists()


def test_export_when_too_many_run_says_so_and_records_nothing(auditor: Client, settings: Settings) -> None:
    settings.AUDIT_EXPORT_LIMIT = 0

    response = auditor.post(EXPORT, {"format": "csv"})

    assert response.status_code == 503
    assert "Too many exports" in response.content.decode()
    assert not AuditEntry.objects.exists()

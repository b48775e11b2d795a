"""Every path as owner, stranger and nobody; the same number of queries for one row and three."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEntry
from tests.accounts.api.bank.asking import LISTS, OWNED, PATHS, ask, fill_path, furnish
from tests.factories.accounts import make_bearer, make_customer

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", PATHS)
def test_path_answers_its_owner_and_is_never_cached(path: str) -> None:
    customer = make_customer()
    response = ask(fill_path(path, furnish(customer, 1)), make_bearer(customer))
    assert (response.status_code, response["Cache-Control"]) == (200, "no-store")


@pytest.mark.parametrize("path", PATHS)
def test_path_asks_nobody_to_sign_in(path: str) -> None:
    response = ask(fill_path(path, furnish(make_customer(), 1)))
    assert (response.status_code, response.json()["code"]) == (401, "auth.required")


@pytest.mark.parametrize("path", OWNED)
def test_foreign_unknown_and_misspelt_ids_answer_alike_and_are_recorded(path: str) -> None:
    account = furnish(make_customer(), 1)
    stranger = make_customer()
    bearer = make_bearer(stranger)
    foreign = fill_path(path, account)
    unknown = path.format(account=uuid4(), line=uuid4())
    answers, counts = [], []
    for wanted in (foreign, unknown, path.format(account="me", line="me")):
        with CaptureQueriesContext(connection) as queries:
            response = ask(wanted, bearer)
        body = response.json()
        answers.append((response.status_code, body["code"], body["message"]))
        counts.append(len(queries))
    assert set(answers) == {(404, "not_found", "there is nothing here")}
    assert len(set(counts)) == 1
    entries = AuditEntry.objects.filter(action="access.denied", customer_id=stranger.pk)
    assert [(entry.outcome, entry.origin) for entry in entries] == [("refused", "http")] * 3


@pytest.mark.parametrize("path", LISTS)
def test_lists_of_a_stranger_are_empty(path: str) -> None:
    furnish(make_customer(), 1)
    assert ask(path, make_bearer(make_customer())).json()["results"] == []


@pytest.mark.parametrize("path", [*LISTS, "accounts/{account}/transactions"])
def test_lists_cost_the_same_for_one_row_and_three(path: str) -> None:
    customer = make_customer()
    bearer = make_bearer(customer)
    account = furnish(customer, 1)
    counts = []
    for rows in (0, 2):
        if rows:
            furnish(customer, rows, start=1)
        with CaptureQueriesContext(connection) as queries:
            response = ask(fill_path(path, account), bearer)
        assert response.json()["results"]
        counts.append(len(queries))
    assert counts[0] == counts[1]

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, Customer
from accounts.services.transfers import post_own_transfer
from tests.accounts.api.bank.asking import ask, make_bill, make_payee
from tests.factories.accounts import make_bearer, make_customer
from tests.factories.ledger import NOW, build_context, build_own_transfer, give_money, make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return make_customer("anna")


@pytest.fixture
def account(customer: Customer) -> Account:
    return make_account(customer)


def read_all(path: str, bearer: str, **query: Any) -> list[dict[str, Any]]:
    """Follow the cursors to the end."""
    rows: list[dict[str, Any]] = []
    cursor = ""
    for _ in range(100):
        body = ask(path, bearer, **query, **({"cursor": cursor} if cursor else {})).json()
        rows += body["results"]
        cursor = body["next_cursor"]
        if not cursor:
            return rows
    raise AssertionError("the pages have no end")


def test_line_has_every_field_of_its_form(customer: Customer, account: Account) -> None:
    give_money(account, 50_00, memo="за обед")
    (line,) = ask("transactions", make_bearer(customer)).json()["results"]
    assert line == {
        "id": line["id"],
        "account": str(account.public_id),
        "operation": line["operation"],
        "kind": "incoming",
        "status": "booked",
        "direction": "in",
        "amount": {"amount": "50.00", "minor": 5000, "currency": "RUB"},
        "booked_at": "2026-11-01T12:00:00Z",
        "value_date": "2026-11-01",
        "balance_after": {"amount": "50.00", "minor": 5000, "currency": "RUB"},
        "category": "salary",
        "mcc": "",
        "merchant": "",
        "counterparty": {"name": "ООО «Ромашка»", "bank": ""},
        "memo_untrusted": "за обед",
    }
    assert ask(f"transactions/{line['id']}", make_bearer(customer)).json() == line


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [700, 500, 300]),
        ({"from": "2026-11-02"}, [700, 500]),
        ({"to": "2026-11-02"}, [500, 300]),
        ({"from": "2026-11-02", "to": "2026-11-02"}, [500]),
        ({"text": "ОБЕД"}, [500, 300]),
        ({"text": "елка ромашка"}, [700]),
        ({"min_amount": "5"}, [700, 500]),
        ({"max_amount": "5,00"}, [500, 300]),
        ({"min_amount": "3.01", "max_amount": "6.99"}, [500]),
        ({"direction": "out"}, []),
        ({"direction": "in"}, [700, 500, 300]),
        ({"category": "salary"}, [700, 500, 300]),
        ({"category": "fees"}, []),
        ({"status": "pending"}, []),
        ({"currency": "USD"}, []),
    ],
)
def test_filters_find_what_they_say(
    customer: Customer, account: Account, query: dict[str, str], found: list[int]
) -> None:
    for day, (minor, memo) in enumerate([(300, "за обед"), (500, "Обед вдвоём"), (700, "ёлка")]):
        give_money(account, minor, now=NOW + timedelta(days=day), memo=memo)
    other = make_account(customer)
    bearer = make_bearer(customer)
    for path in ("transactions", f"accounts/{account.public_id}/transactions"):
        lines = ask(path, bearer, **query).json()["results"]
        assert [line["amount"]["minor"] for line in lines] == found
    assert ask(f"accounts/{other.public_id}/transactions", bearer, **query).json()["results"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-11-02", "to": "2026-11-01"}, "from"),
        ({"from": "tomorrow"}, "from"),
        ({"to": "31.12.2026"}, "to"),
        ({"category": "gold"}, "category"),
        ({"direction": "up"}, "direction"),
        ({"status": "VOID"}, "status"),
        ({"min_amount": "-1"}, "min_amount"),
        ({"min_amount": "0.001"}, "min_amount"),
        ({"min_amount": "7", "max_amount": "3"}, "min_amount"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "я"}, "cursor"),
        ({"cursor": "A" * 30}, "cursor"),
        ({"text": "x" * 101}, "text"),
        ({"account": "me"}, "account"),
    ],
)
def test_wrong_query_names_its_field(customer: Customer, query: dict[str, str], field: str) -> None:
    response = ask("transactions", make_bearer(customer), **query)
    assert (response.status_code, response.json()["code"], response.json()["field"]) == (400, "request.invalid", field)


def test_account_filter_of_a_foreign_account_finds_nothing(customer: Customer) -> None:
    foreign = make_account(balance=100)
    for wanted in (foreign.public_id, uuid4()):
        assert ask("transactions", make_bearer(customer), account=wanted).json()["results"] == []


def test_cursor_is_bound_to_customer_list_and_filters(customer: Customer, account: Account) -> None:
    for minor in (100, 200, 300):
        give_money(account, minor)
    bearer = make_bearer(customer)
    cursor = ask("transactions", bearer, limit=1).json()["next_cursor"]
    assert ask("transactions", bearer, limit=2, cursor=cursor).status_code == 200
    refused = [
        ask("transactions", bearer, cursor=cursor, text="обед"),
        ask(f"accounts/{account.public_id}/transactions", bearer, cursor=cursor),
        ask("payees", bearer, cursor=cursor),
        ask("transactions", make_bearer(make_customer()), cursor=cursor),
    ]
    assert [(response.status_code, response.json()["field"]) for response in refused] == [(400, "cursor")] * 4


def test_cursor_names_no_row_number(customer: Customer, account: Account) -> None:
    give_money(account, 100)
    give_money(account, 200)
    body = ask("transactions", make_bearer(customer), limit=1).json()
    assert str(account.pk) not in body["results"][0]["account"].split("-")
    assert len(body["next_cursor"]) == 30


def test_pages_neither_repeat_nor_hide_when_lines_come_meanwhile(customer: Customer, account: Account) -> None:
    for minor in range(1, 6):
        give_money(account, minor)
    bearer = make_bearer(customer)
    first = ask("transactions", bearer, limit=2).json()
    give_money(account, 999, now=NOW + timedelta(minutes=1))
    rest = read_all("transactions", bearer, limit=2)
    second = ask("transactions", bearer, limit=3, cursor=first["next_cursor"]).json()
    minors = [line["amount"]["minor"] for line in first["results"] + second["results"]]
    assert minors == [5, 4, 3, 2, 1]
    assert [line["amount"]["minor"] for line in rest] == [999, 5, 4, 3, 2, 1]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 7), gaps=st.lists(st.integers(0, 1), min_size=1, max_size=9))
def test_pages_of_any_size_are_the_whole_list(limit: int, gaps: list[int]) -> None:
    customer = make_customer()
    accounts = [make_account(customer, balance=10_000), make_account(customer, balance=10_000)]
    moment = NOW
    for number, gap in enumerate(gaps):
        moment += timedelta(seconds=gap)
        source, target = accounts[number % 2], accounts[1 - number % 2]
        post_own_transfer(build_context(), order=build_own_transfer(source, target, 10), now=moment)
    bearer = make_bearer(customer)
    whole = ask("transactions", bearer, limit=100).json()["results"]
    assert read_all("transactions", bearer, limit=limit) == whole
    assert len({line["id"] for line in whole}) == 2 + 2 * len(gaps)


def test_payees_and_bills_page_to_their_end(customer: Customer) -> None:
    make_account(customer)
    for number in range(5):
        make_payee(customer, f"+700000000{number:02}")
        make_bill(customer, month=number // 2 + 1)
    bearer = make_bearer(customer)
    for path in ("payees", "bills"):
        whole = ask(path, bearer, limit=100).json()["results"]
        assert len(whole) == 5
        assert read_all(path, bearer, limit=2) == whole


def test_bills_are_filtered_by_status(customer: Customer) -> None:
    make_account(customer)
    make_bill(customer)
    bearer = make_bearer(customer)
    counts = [len(ask("bills", bearer, status=status).json()["results"]) for status in ("unpaid", "paid")]
    assert counts == [1, 0]

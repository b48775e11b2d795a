import csv
import io
from datetime import timedelta

import pytest
from pypdf import PdfReader

from accounts.enums import StatementFormat
from accounts.local_days import DateRange
from accounts.models import Account, Customer
from accounts.services.requests import request_statement
from audit.models import AuditEntry
from tests.accounts.api.bank.asking import ask
from tests.factories.accounts import make_bearer, make_customer
from tests.factories.ledger import NOW, build_context, give_money, make_account

pytestmark = pytest.mark.django_db
DAYS = {"from": "2026-11-01", "to": "2026-11-30"}


@pytest.fixture
def customer() -> Customer:
    return make_customer("anna")


@pytest.fixture
def account(customer: Customer) -> Account:
    account = make_account(customer, balance=100_00, now=NOW - timedelta(days=30))
    give_money(account, 50_05, memo="за обед")
    return account


def test_csv_statement_is_what_a_russian_spreadsheet_reads(customer: Customer, account: Account) -> None:
    response = ask(f"accounts/{account.public_id}/statement", make_bearer(customer), format="csv", **DAYS)
    text = response.content.decode("utf-8")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    name = f'attachment; filename="statement-{account.last4}-2026-11-01-2026-11-30.csv"'
    assert (response["Content-Disposition"], response["Cache-Control"]) == (name, "no-store")
    assert text[0] == "\ufeff"
    head, row = csv.reader(io.StringIO(text[1:]), delimiter=";")
    assert len(head) == 7
    assert row == ["2026-11-01", "входящий платёж", "зарплата", "ООО «Ромашка»", "за обед", "50,05", "150,05"]


def test_csv_statement_in_english_has_points_and_commas(customer: Customer, account: Account) -> None:
    customer.language = "en"
    customer.save(update_fields=["language"])
    response = ask(f"accounts/{account.public_id}/statement", make_bearer(customer), format="csv", **DAYS)
    head, row = csv.reader(io.StringIO(response.content.decode("utf-8")[1:]))
    assert head == ["Date", "Operation", "Category", "Counterparty", "Message", "Amount", "Balance"]
    assert row[-2:] == ["50.05", "150.05"]


def test_pdf_statement_says_whose_account_and_both_balances(customer: Customer, account: Account) -> None:
    response = ask(f"accounts/{account.public_id}/statement", make_bearer(customer), **DAYS)
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
    (page,) = PdfReader(io.BytesIO(response.content)).pages
    text = page.extract_text().replace("\u00a0", " ")
    for wanted in ("Ветрова Анна", str(account.number), "049999999", "100,00 ₽", "150,05 ₽", "за обед", "1 / 1"):
        assert wanted in text


def test_statement_is_recorded_without_numbers_or_names(customer: Customer, account: Account) -> None:
    ask(f"accounts/{account.public_id}/statement", make_bearer(customer), **DAYS)
    entry = AuditEntry.objects.get(action="statement.requested")
    assert (entry.customer_id, entry.subject, entry.subject_id) == (customer.pk, "account", str(account.public_id))
    assert str(account.number) not in bytes(entry.body).decode()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"to": "2026-11-30"}, "from"),
        ({"from": "2026-11-30"}, "to"),
        ({"from": "2026-11-30", "to": "2026-11-01"}, "from"),
        ({"from": "2020-01-01", "to": "2026-11-01"}, "from"),
        ({**DAYS, "format": "xls"}, "format"),
    ],
)
def test_wrong_period_or_format_names_its_field(
    customer: Customer, account: Account, query: dict[str, str], field: str
) -> None:
    response = ask(f"accounts/{account.public_id}/statement", make_bearer(customer), **query)
    assert (response.status_code, response.json()["field"]) == (400, field)


def test_ordered_statement_is_fetched_by_its_owner_only(customer: Customer, account: Account) -> None:
    ordered = request_statement(
        build_context(),
        customer_id=customer.pk,
        account_id=account.public_id,
        days=DateRange(NOW.date(), NOW.date()),
        file_format=StatementFormat.CSV,
        now=NOW,
    )
    path = f"statements/{ordered.public_id}"
    response = ask(path, make_bearer(customer))
    assert (response.status_code, response["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert ask(path, make_bearer(make_customer())).status_code == 404
    assert ask(path).status_code == 401

"""The bank's staff pages: masked, the same cost for any number of rows, nothing to edit."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.demo.catalogue import read_data
from accounts.models import Account, AccountLine, Bill, Card, Customer, Entry, Operation, Payee
from audit.readonly import ReadOnlyAdmin
from tests.accounts.api.bank.asking import furnish, make_payee
from tests.factories.accounts import make_customer, make_staff
from tests.factories.ledger import give_money, make_account

pytestmark = pytest.mark.django_db
MODELS = (Account, AccountLine, Bill, Card, Entry, Operation, Payee)
VIEWS = tuple(f"view_{model._meta.model_name}" for model in MODELS)


@pytest.fixture(autouse=True)
def no_second_factor(settings: Settings) -> None:
    settings.STAFF_OTP_REQUIRED = False


def sign_in(*permissions: str) -> Client:
    staff = make_staff()
    staff.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def customer() -> Customer:
    return make_customer("anna")


@pytest.fixture
def account(customer: Customer) -> Account:
    return furnish(customer, 1)


def list_pages(account: Account) -> dict[str, str]:
    """Return the list and one row's page of every model."""
    pages = {}
    for model in MODELS:
        name = str(model._meta.model_name)
        row = model._default_manager.order_by("pk").last()
        key = getattr(row, "public_id", None) or row.pk  # type: ignore[union-attr]
        query = f"?account={account.public_id}" if model is AccountLine else ""
        pages[f"{name} list"] = f"/admin/accounts/{name}/{query}"
        pages[f"{name} page"] = f"/admin/accounts/{name}/{key}/change/"
    return pages


def test_every_page_opens_masked_and_without_a_way_to_edit(account: Account) -> None:
    client = sign_in(*VIEWS)
    for name, url in list_pages(account).items():
        response = client.get(url)
        text = response.content.decode()
        assert response.status_code == 200, name
        assert str(account.number) not in text, name
        assert "+7000" not in text, name
        assert 'name="_save"' not in text, name
        if name.endswith("page"):
            assert client.post(url, {"status": "closed"}).status_code == 403, name
            assert client.post(url.replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403, name


def test_pages_are_closed_to_staff_without_their_permission(account: Account) -> None:
    client = sign_in("view_customer")
    assert {client.get(url).status_code for url in list_pages(account).values()} == {403}


def test_every_admin_of_the_bank_is_read_only() -> None:
    assert all(isinstance(admin.site._registry[model], ReadOnlyAdmin) for model in MODELS)


def test_integer_keys_are_in_no_address(account: Account) -> None:
    client = sign_in(*VIEWS)
    assert client.get(f"/admin/accounts/account/{account.pk}/change/").status_code == 302
    assert f"/account/{account.public_id}/change/" in client.get("/admin/accounts/account/").content.decode()


@pytest.mark.parametrize("name", [str(model._meta.model_name) for model in MODELS])
def test_lists_cost_the_same_for_one_row_and_three(customer: Customer, account: Account, name: str) -> None:
    client = sign_in(*VIEWS)
    url = f"/admin/accounts/{name}/" + (f"?account={account.public_id}" if name == "accountline" else "")
    counts = []
    for rows in (0, 2):
        if rows:
            furnish(customer, rows, start=1)
            give_money(account, 7)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_customer_page_links_accounts_operations_and_entries(customer: Customer, account: Account) -> None:
    text = sign_in("view_customer", *VIEWS).get(f"/admin/accounts/customer/{customer.pk}/change/").content.decode()
    for name in ("account", "operation", "entry", "card", "payee", "bill"):
        assert f"/admin/accounts/{name}/?customer={customer.pk}" in text
    other = sign_in("view_customer").get(f"/admin/accounts/customer/{customer.pk}/change/").content.decode()
    assert "/admin/accounts/operation/" not in other


def test_filters_show_the_customers_own_only(customer: Customer, account: Account) -> None:
    stranger = furnish(make_customer(), 1, start=5)
    client = sign_in(*VIEWS)
    text = client.get("/admin/accounts/account/", {"customer": str(customer.pk)}).content.decode()
    assert str(account.public_id) in text
    assert str(stranger.public_id) not in text
    for name in ("operation", "entry", "card", "payee", "bill"):
        assert client.get(f"/admin/accounts/{name}/", {"customer": str(customer.pk)}).status_code == 200
        assert client.get(f"/admin/accounts/{name}/", {"customer": "x"}).status_code == 200


def test_statement_asks_for_an_account_and_pages_by_it(account: Account) -> None:
    for minor in range(1, 103):
        give_money(account, minor)
    client = sign_in(*VIEWS)
    everything = client.get("/admin/accounts/accountline/").content.decode()
    one = client.get("/admin/accounts/accountline/", {"account": str(account.public_id)}).content.decode()
    line = AccountLine.objects.filter(account=account).order_by("pk").last()
    assert line is not None
    assert str(line.public_id) not in everything
    assert str(line.public_id) in one
    assert "after=" in one
    unknown = client.get("/admin/accounts/accountline/", {"account": str(line.public_id)}).content.decode()
    assert f"/accountline/{line.public_id}/change/" not in unknown


def test_open_holds_are_found(account: Account) -> None:
    client = sign_in(*VIEWS)
    assert client.get("/admin/accounts/entry/", {"open": "1"}).status_code == 200


def test_hostile_texts_are_shown_as_text(account: Account, customer: Customer) -> None:
    texts = read_data("adversarial")
    for memo in texts["memos"]:
        give_money(account, 1, memo=memo)
    for number, name in enumerate(texts["merchants"]):
        make_payee(customer, f"+700000001{number:02}", name)
    client = sign_in(*VIEWS)
    pages = (
        client.get("/admin/accounts/accountline/", {"account": str(account.public_id)}),
        client.get("/admin/accounts/payee/"),
    )
    for page in pages:
        text = page.content.decode()
        assert "<script>alert(" not in text
        assert "<img src=x" not in text
        assert "<svg onload" not in text
    assert "&lt;script&gt;alert(" in pages[0].content.decode()


def test_bank_accounts_show_their_code(account: Account) -> None:
    bank = Account.objects.get(code="position.correspondent", currency="RUB")
    text = sign_in(*VIEWS).get(f"/admin/accounts/account/{bank.public_id}/change/").content.decode()
    assert "position.correspondent" in text
    assert "/admin/accounts/accountline/?account=" not in text


def test_amounts_follow_the_readers_language(account: Account) -> None:
    client = sign_in(*VIEWS)
    url = f"/admin/accounts/account/{account.public_id}/change/"
    russian = client.get(url, headers={"Accept-Language": "ru"}).content.decode()
    english = client.get(url, headers={"Accept-Language": "en"}).content.decode()
    assert "1\u00a0050,00\u00a0₽" in russian
    assert "₽1,050.00" in english
    assert make_account().public_id != account.public_id

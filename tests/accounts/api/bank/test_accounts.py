from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account, Customer
from accounts.money import Money
from accounts.orders import CardPurchaseOrder
from accounts.services.accounts import close_account
from accounts.services.card_payments import submit_card_purchase
from tests.accounts.api.bank.asking import ask, furnish, make_card
from tests.factories.accounts import make_bearer, make_customer
from tests.factories.ledger import NOW, build_context, give_money, make_account

pytestmark = pytest.mark.django_db


def build_amount(minor: int, text: str, currency: str = "RUB") -> dict[str, Any]:
    return {"amount": text, "minor": minor, "currency": currency}


@pytest.fixture
def customer() -> Customer:
    return make_customer("anna")


@pytest.fixture
def account(customer: Customer) -> Account:
    return make_account(customer, balance=1_000_05, overdraft=500_00)


def hold(account: Account, minor: int) -> None:
    order = CardPurchaseOrder(
        customer_id=account.customer_id,
        idempotency_key="hold-1",
        card=make_card(account, 7).public_id,
        amount=Money(minor),
        merchant="КОФЕ",
        mcc="5814",
    )
    submit_card_purchase(build_context(), order=order, now=NOW + timedelta(hours=1))


def test_account_says_which_balance_is_which_and_masks_its_number(customer: Customer, account: Account) -> None:
    hold(account, 100_00)
    body = ask(f"accounts/{account.public_id}", make_bearer(customer)).json()
    assert body == {
        "id": str(account.public_id),
        "kind": "current",
        "title": "Текущий",
        "number_masked": f"··{account.last4}",
        "currency": "RUB",
        "status": "active",
        "booked": build_amount(1_000_05, "1000.05"),
        "available": build_amount(1_400_05, "1400.05"),
        "expected": build_amount(900_05, "900.05"),
        "overdraft_limit": build_amount(500_00, "500.00"),
        "opened_at": body["opened_at"],
        "closed_at": None,
    }
    assert str(account.number) not in str(ask("accounts", make_bearer(customer)).json())


def test_balance_now_has_the_holds_and_of_a_past_day_what_was_then(customer: Customer, account: Account) -> None:
    give_money(account, 7_00, now=NOW + timedelta(days=2))
    bearer = make_bearer(customer)
    now = ask(f"accounts/{account.public_id}/balance", bearer).json()
    then = ask(f"accounts/{account.public_id}/balance", bearer, on="2026-11-01").json()
    before = ask(f"accounts/{account.public_id}/balance", bearer, on="2026-10-31").json()
    assert [body["booked"]["minor"] for body in (now, then, before)] == [1_007_05, 1_000_05, 0]
    assert then["as_of"] == "2026-11-01T20:59:59.999999Z"
    assert (now["held_out"]["minor"], now["hold_count"]) == (0, 0)


def test_balance_of_a_day_that_is_not_over_is_refused(customer: Customer, account: Account) -> None:
    tomorrow = (timezone.now() + timedelta(days=2)).date()
    response = ask(f"accounts/{account.public_id}/balance", make_bearer(customer), on=tomorrow.isoformat())
    assert (response.status_code, response.json()["field"]) == (400, "on")


def test_balance_of_today_is_that_of_now(customer: Customer, account: Account) -> None:
    hold(account, 100_00)
    today = timezone.localtime(timezone.now(), timezone=None).date()
    body = ask(f"accounts/{account.public_id}/balance", make_bearer(customer), on=today.isoformat()).json()
    assert (body["held_out"]["minor"], body["hold_count"]) == (100_00, 1)


def test_requisites_are_the_only_place_of_the_whole_number(customer: Customer, account: Account) -> None:
    body = ask(f"accounts/{account.public_id}/requisites", make_bearer(customer)).json()
    assert body == {
        "holder": "Ветрова Анна",
        "number": account.number,
        "bik": "049999999",
        "bank": "Демонстрационный банк",
        "currency": "RUB",
    }


def test_closed_accounts_are_listed_only_when_asked_for(customer: Customer, account: Account) -> None:
    empty = make_account(customer)
    close_account(build_context(), account_id=empty.public_id, now=NOW)
    bearer = make_bearer(customer)
    counts = [len(ask("accounts", bearer, **query).json()["results"]) for query in ({}, {"with_closed": "true"})]
    assert counts == [1, 2]


def test_cards_and_payees_show_last_digits_only(customer: Customer) -> None:
    account = furnish(customer, 1)
    bearer = make_bearer(customer)
    (card,) = ask("cards", bearer).json()["results"]
    (payee,) = ask("payees", bearer).json()["results"]
    assert card["number_masked"].startswith("··")
    assert card["limits"] == dict.fromkeys(("purchases_day", "purchases_month", "cash_day", "online"))
    assert payee["target_masked"] == f"··{account.pk:07}"[:2] + f"{account.pk:07}"[-4:]
    assert "+7000" not in str(ask("scheduled-payments", bearer).json())

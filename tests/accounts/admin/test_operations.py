"""The one act staff has on the ledger: reversing, with a permission, a reason and a record."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.enums import OperationStatus
from accounts.models import Account, Operation
from accounts.money import Money
from accounts.orders import CardPurchaseOrder
from accounts.services.card_payments import submit_card_purchase
from accounts.services.transfers import post_own_transfer
from audit.models import AuditEntry
from tests.accounts.admin.test_bank_pages import sign_in
from tests.accounts.api.bank.asking import make_card
from tests.factories.ledger import NOW, build_context, build_own_transfer, get_holder_id, give_money, make_account

pytestmark = pytest.mark.django_db
RIGHTS = ("view_operation", "view_entry", "reverse_operation")


@pytest.fixture(autouse=True)
def no_second_factor(settings: Settings) -> None:
    settings.STAFF_OTP_REQUIRED = False


@pytest.fixture
def account() -> Account:
    return make_account()


@pytest.fixture
def operation(account: Account) -> Operation:
    return give_money(account, 50_00)


def page_of(operation: Operation) -> str:
    return f"/admin/accounts/operation/{operation.public_id}/change/"


def reversal_of(operation: Operation) -> str:
    return f"/admin/accounts/operation/{operation.public_id}/reverse/"


def send(client: Client, operation: Operation, **changes: Any) -> Any:
    body = {"reason": "mistake", "comment": "двойной ввод", "token": str(uuid4()), **changes}
    return client.post(reversal_of(operation), body)


def test_posted_operation_is_reversed_once_and_recorded(account: Account, operation: Operation) -> None:
    client = sign_in(*RIGHTS)
    assert reversal_of(operation) in client.get(page_of(operation)).content.decode()
    form = client.get(reversal_of(operation))
    assert form.status_code == 200
    token = str(uuid4())

    answers = [send(client, operation, token=token) for _ in range(2)]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, page_of(operation))] * 2
    operation.refresh_from_db()
    account.refresh_from_db()
    assert (operation.status, account.booked.minor) == (OperationStatus.REVERSED, 0)
    undoing = Operation.objects.get(reverses=operation)
    assert undoing.description == "двойной ввод"
    entry = AuditEntry.objects.get(action="operation.reversed")
    assert (entry.actor_kind, entry.origin, entry.customer_id) == ("staff", "admin", get_holder_id(account))
    assert "двойной" not in bytes(entry.body).decode()
    assert reversal_of(operation) not in client.get(page_of(operation)).content.decode()


def test_reversed_operation_is_refused_a_second_time(account: Account, operation: Operation) -> None:
    client = sign_in(*RIGHTS)
    send(client, operation)
    response = send(client, operation)
    assert response.status_code == 409
    assert "cannot be reversed" in response.content.decode()
    assert Operation.objects.filter(reverses=operation).count() == 1
    assert AuditEntry.objects.filter(action="transfer.refused").count() == 1


def test_pending_operation_has_no_button_and_is_refused(account: Account, operation: Operation) -> None:
    order = CardPurchaseOrder(
        customer_id=account.customer_id,
        idempotency_key="hold-1",
        card=make_card(account, 5).public_id,
        amount=Money(10_00),
        merchant="КОФЕ",
        mcc="5814",
    )
    held = submit_card_purchase(build_context(), order=order, now=NOW + timedelta(hours=1))
    client = sign_in(*RIGHTS)
    assert reversal_of(held) not in client.get(page_of(held)).content.decode()
    assert send(client, held).status_code == 409
    held.refresh_from_db()
    assert held.status == OperationStatus.PENDING


def test_operation_whose_money_is_gone_is_refused(account: Account, operation: Operation) -> None:
    target = make_account(account.customer)
    post_own_transfer(build_context(), order=build_own_transfer(account, target, 30_00), now=NOW)
    client = sign_in(*RIGHTS)
    response = send(client, operation)
    assert response.status_code == 409
    assert "not there any more" in response.content.decode()
    operation.refresh_from_db()
    assert operation.status == OperationStatus.POSTED


def test_reversal_needs_a_reason(operation: Operation) -> None:
    client = sign_in(*RIGHTS)
    for reason in ("", "because"):
        assert send(client, operation, reason=reason).status_code == 200
    assert send(client, operation, token="").status_code == 409
    operation.refresh_from_db()
    assert operation.status == OperationStatus.POSTED


def test_reversal_without_permission_is_refused_and_recorded(operation: Operation) -> None:
    client = sign_in("view_operation", "view_entry")
    assert reversal_of(operation) not in client.get(page_of(operation)).content.decode()
    assert client.get(reversal_of(operation)).status_code == 403
    assert send(client, operation).status_code == 403
    operation.refresh_from_db()
    assert operation.status == OperationStatus.POSTED
    assert AuditEntry.objects.filter(action="access.denied", subject_id="admin:accounts_operation_reverse").count() == 2


def test_unknown_operation_is_not_found() -> None:
    client = sign_in(*RIGHTS)
    assert client.get(f"/admin/accounts/operation/{uuid4()}/reverse/").status_code == 404


def test_operation_page_shows_its_entries(operation: Operation) -> None:
    text = sign_in(*RIGHTS).get(page_of(operation)).content.decode()
    assert "position.correspondent" in text
    assert "₽50.00" in text
    assert "position.correspondent" not in sign_in("view_operation").get(page_of(operation)).content.decode()

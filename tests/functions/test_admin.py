"""The staff's pages of calls and confirmations: masked, read-only, linked to turn, operation and evidence."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Customer, DeviceKey
from functions.enums import ConfirmationState
from functions.models import Confirmation, FunctionCall
from tests.factories.accounts import make_customer, make_staff
from tests.factories.chat import ask
from tests.factories.functions import make_call, make_confirmation
from tests.factories.ledger import give_money, make_account

pytestmark = pytest.mark.django_db
BALANCE = "available"


@pytest.fixture(autouse=True)
def no_second_factor(settings: Settings) -> None:
    settings.STAFF_OTP_REQUIRED = False


@pytest.fixture
def customer() -> Customer:
    return make_customer("anna")


@pytest.fixture
def call(customer: Customer) -> FunctionCall:
    return make_call(customer)


def sign_in(*permissions: str) -> Client:
    staff = make_staff()
    staff.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_call_page_shows_masked_arguments_and_hides_the_result_from_who_may_not_read_messages(
    call: FunctionCall,
) -> None:
    url = f"/admin/functions/functioncall/{call.pk}/change/"
    reader = sign_in("view_functioncall", "view_message").get(url).content.decode()
    other = sign_in("view_functioncall").get(url).content.decode()

    assert "account_id: acc_1" in reader
    assert BALANCE in reader
    assert "account_id: acc_1" in other
    assert BALANCE not in other
    assert 'name="_save"' not in reader


def test_confirmation_page_shows_the_payload_and_leads_to_call_turn_operation_and_evidence(customer: Customer) -> None:
    operation = give_money(make_account(customer), 100)
    call = make_call(customer)
    row = make_confirmation(call, state=ConfirmationState.EXECUTED, operation=operation)
    client = sign_in(
        "view_confirmation", "view_functioncall", "view_turn", "view_operation", "view_auditentry", "view_customer"
    )

    page = client.get(f"/admin/functions/confirmation/{row.pk}/change/").content.decode()

    assert "transfer_own" in page
    assert f"/admin/functions/functioncall/{call.pk}/change/" in page
    assert f"/admin/chat/turn/{call.turn_id}/change/" in page
    assert f"/admin/accounts/operation/{operation.public_id}/change/" in page
    assert f"/admin/audit/auditentry/?q={row.pk}" in page
    assert 'name="_save"' not in page


@pytest.mark.django_db(transaction=True)
def test_turn_page_leads_to_its_calls_and_confirmations(customer: Customer) -> None:
    turn = ask(customer).turn
    call = make_call(customer, turn_id=turn.pk, conversation_id=turn.conversation_id)
    make_confirmation(call)
    client = sign_in("view_turn", "view_functioncall", "view_confirmation")

    page = client.get(f"/admin/chat/turn/{turn.pk}/change/").content.decode()
    calls = client.get(f"/admin/functions/functioncall/?turn={turn.pk}").content.decode()
    confirmations = client.get(f"/admin/functions/confirmation/?turn={turn.pk}").content.decode()

    assert f"/admin/functions/functioncall/?turn={turn.pk}" in page
    assert f"/admin/functions/confirmation/?turn={turn.pk}" in page
    assert str(call.pk) in calls
    assert str(call.turn_id) in confirmations


def test_lists_cost_the_same_for_one_row_and_for_many(customer: Customer) -> None:
    client = sign_in("view_functioncall", "view_confirmation")
    costs = []
    for count in (1, 9):
        for _ in range(count):
            make_confirmation(make_call(customer))
        with CaptureQueriesContext(
            connection,
        ) as seen:
            client.get("/admin/functions/functioncall/")
            client.get("/admin/functions/confirmation/")
        costs.append(len(seen))

    assert costs[0] == costs[1]


@pytest.mark.parametrize("model", ["functioncall", "confirmation"])
def test_pages_are_closed_to_staff_without_permission_and_to_strangers(call: FunctionCall, model: str) -> None:
    make_confirmation(call)

    assert sign_in().get(f"/admin/functions/{model}/").status_code == 403
    assert Client().get(f"/admin/functions/{model}/").status_code == 302


def test_nothing_can_be_added_changed_or_deleted(call: FunctionCall) -> None:
    client = sign_in("view_functioncall", "change_functioncall", "delete_functioncall")

    assert client.get("/admin/functions/functioncall/add/").status_code == 403
    assert client.post(f"/admin/functions/functioncall/{call.pk}/change/", {"name": "x"}).status_code == 403
    assert client.post(f"/admin/functions/functioncall/{call.pk}/delete/", {"post": "yes"}).status_code == 403
    assert FunctionCall.objects.get(pk=call.pk).name == "get_account_balance"
    assert not Confirmation.objects.exists()


def test_device_key_page_names_the_key_and_its_customer(customer: Customer) -> None:
    key = DeviceKey.objects.create(
        customer=customer, device_id="phone-1", number=2, public_key=b"\x30\x59", created_at=customer.created_at
    )

    page = sign_in("view_devicekey").get(f"/admin/accounts/devicekey/{key.pk}/change/").content.decode()

    assert "phone-1#2" in page
    assert "3059" in page

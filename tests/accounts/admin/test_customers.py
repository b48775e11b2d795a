import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.enums import RevokeReason
from accounts.models import Customer, DeviceSession
from audit.models import AuditEntry
from tests.factories.accounts import make_customer, make_session, make_staff

pytestmark = pytest.mark.django_db


def sign_in(*permissions: str, is_superuser: bool = False) -> Client:
    staff = make_staff()
    staff.is_superuser = is_superuser
    staff.save(update_fields=["is_superuser"])
    staff.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture(autouse=True)
def no_second_factor(settings: Settings) -> None:
    settings.STAFF_OTP_REQUIRED = False


@pytest.fixture
def customer() -> Customer:
    return make_customer("anna")


@pytest.fixture
def session(customer: Customer) -> DeviceSession:
    return make_session(customer, device_id="phone-1")


def test_customer_pages_show_no_whole_phone(customer: Customer) -> None:
    client = sign_in("view_customer")
    for url in ("/admin/accounts/customer/", f"/admin/accounts/customer/{customer.pk}/change/"):
        text = client.get(url).content.decode()
        assert "+7 ••• •••-••-01" in text
        assert customer.phone not in text


def test_customer_list_finds_by_exact_name_and_id(customer: Customer) -> None:
    other = make_customer("boris")
    client = sign_in("view_customer")
    for wanted in ("anna", str(customer.pk)):
        text = client.get("/admin/accounts/customer/", {"q": wanted}).content.decode()
        assert str(customer.pk) in text
        assert str(other.pk) not in text


@pytest.mark.parametrize("rows", [1, 3])
def test_lists_cost_the_same_for_any_number_of_rows(
    rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = sign_in("view_customer", "view_devicesession")
    for _ in range(rows):
        make_session(make_customer())
    for name in ("customer", "devicesession"):
        with django_assert_num_queries(5):
            assert client.get(f"/admin/accounts/{name}/").status_code == 200


def test_revoke_button_ends_the_session_with_its_entry(session: DeviceSession) -> None:
    client = sign_in("view_devicesession", "revoke_devicesession")
    page = f"/admin/accounts/devicesession/{session.pk}/change/"
    revoke = f"/admin/accounts/devicesession/{session.pk}/revoke/"
    assert revoke in client.get(page).content.decode()
    response = client.post(revoke)
    assert (response.status_code, response["Location"]) == (302, page)
    session.refresh_from_db()
    assert (session.revoked_at is None, session.revoke_reason) == (False, RevokeReason.STAFF)
    entry = AuditEntry.objects.get(action="session.revoked")
    assert (entry.actor_kind, entry.origin, entry.customer_id) == ("staff", "admin", session.customer_id)
    assert revoke not in client.get(page).content.decode()
    assert client.post(revoke).status_code == 302
    assert AuditEntry.objects.filter(action="session.revoked").count() == 1


def test_revoke_without_permission_is_denied_and_recorded(session: DeviceSession) -> None:
    client = sign_in("view_devicesession", "view_customer")
    paths = [f"devicesession/{session.pk}", f"customer/{session.customer_id}"]
    for path in paths:
        assert "/revoke/" not in client.get(f"/admin/accounts/{path}/change/").content.decode()
        assert client.post(f"/admin/accounts/{path}/revoke/").status_code == 403
    session.refresh_from_db()
    assert session.revoked_at is None
    assert AuditEntry.objects.filter(action="access.denied").count() == 2


def test_revoke_by_nobody_asks_to_sign_in(session: DeviceSession) -> None:
    response = Client().post(f"/admin/accounts/devicesession/{session.pk}/revoke/")
    assert response.status_code == 302
    assert "/login/" in response["Location"]
    session.refresh_from_db()
    assert session.revoked_at is None


def test_revoke_by_a_link_or_of_nothing_is_refused(session: DeviceSession) -> None:
    client = sign_in("revoke_devicesession")
    unknown = "0199f2c4-7a51-7c3e-9d0a-5b1f6a2e8c44"
    for name, key in (("devicesession", session.pk), ("customer", session.customer_id)):
        assert client.get(f"/admin/accounts/{name}/{key}/revoke/").status_code == 405
        assert client.post(f"/admin/accounts/{name}/{unknown}/revoke/").status_code == 404


def test_revoke_all_ends_every_session_of_the_customer(customer: Customer, session: DeviceSession) -> None:
    make_session(customer)
    stranger = make_session(make_customer())
    client = sign_in("view_customer", "revoke_devicesession")
    response = client.post(f"/admin/accounts/customer/{customer.pk}/revoke/", follow=True)
    assert "Device sessions ended: 2." in response.content.decode()
    assert list(DeviceSession.objects.filter(revoked_at=None)) == [stranger]


def test_new_password_in_the_admin_ends_the_sessions(session: DeviceSession) -> None:
    client = sign_in(is_superuser=True)
    url = f"/admin/auth/user/{session.customer.user_id}/password/"
    refused = client.post(url, {"password1": "short", "password2": "other", "usable_password": "true"})
    assert refused.status_code == 200
    session.refresh_from_db()
    assert session.revoked_at is None
    word = "a-new-and-long-word"
    assert client.post(url, {"password1": word, "password2": word, "usable_password": "true"}).status_code == 302
    session.refresh_from_db()
    assert session.revoke_reason == RevokeReason.PASSWORD_CHANGED
    assert User.objects.get(pk=session.customer.user_id).check_password(word)


def test_deactivation_in_the_admin_ends_the_sessions(session: DeviceSession) -> None:
    client = sign_in(is_superuser=True)
    form = {"username": "anna", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    assert client.post(f"/admin/auth/user/{session.customer.user_id}/change/", form).status_code == 302
    session.refresh_from_db()
    assert session.revoke_reason == RevokeReason.STAFF


def test_other_changes_of_a_login_in_the_admin_end_nothing(session: DeviceSession) -> None:
    client = sign_in(is_superuser=True)
    form = {"username": "anna", "is_active": "on", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    assert client.post(f"/admin/auth/user/{session.customer.user_id}/change/", form).status_code == 302
    session.refresh_from_db()
    assert session.revoked_at is None


def test_new_password_of_staff_touches_no_session(session: DeviceSession) -> None:
    staff = make_staff()
    word = "a-new-and-long-word"
    client = sign_in(is_superuser=True)
    form = {"password1": word, "password2": word, "usable_password": "true"}
    assert client.post(f"/admin/auth/user/{staff.pk}/password/", form).status_code == 302
    session.refresh_from_db()
    assert session.revoked_at is None

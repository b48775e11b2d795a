"""Who may enter the staff site, and that every entry and refusal is recorded."""

import re

import orjson
import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django_otp.plugins.otp_static.models import StaticDevice
from pytest_django import Settings

from assistant_project.management.commands.create_staff_roles import ROLES
from audit.models import AuditEntry
from audit.pseudonyms import build_pseudonym
from audit.staff import StaffSite
from tests.factories.accounts import PASSWORD, make_customer, make_staff
from tests.factories.audit import make_role, sign_in
from tests.markup import find_inline_code

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/"


@pytest.fixture
def password_only(settings: Settings) -> None:
    settings.STAFF_OTP_REQUIRED = False


@pytest.fixture
def second_factor(settings: Settings) -> None:
    settings.STAFF_OTP_REQUIRED = True


@pytest.fixture
def officer() -> User:
    return make_staff("officer")


def try_login(client: Client, password: str = PASSWORD, **more: str) -> int:
    return client.post(LOGIN, {"username": "officer", "password": password, **more}).status_code


def read_only_entry() -> tuple[AuditEntry, dict[str, object]]:
    """Return the only entry and its details."""
    entry = AuditEntry.objects.get()
    return entry, orjson.loads(bytes(entry.body))["details"]


def test_default_site_is_ours() -> None:
    assert type(admin.site._wrapped) is StaffSite  # type: ignore[attr-defined]


def test_login_by_password_enters_and_is_recorded(password_only: None, officer: User) -> None:
    client = Client()

    assert try_login(client) == 302

    assert client.get("/admin/").status_code == 200
    entry, details = read_only_entry()
    assert (entry.action, entry.outcome, entry.actor_kind) == ("staff.login_succeeded", "ok", "staff")
    assert (entry.actor_id, entry.subject_id, entry.origin) == (str(officer.pk), str(officer.pk), "admin")
    assert details == {"second_factor": False}
    session = orjson.loads(bytes(entry.body))["corr"]["session"]
    assert session == build_pseudonym("staff_session", client.session.session_key or "")


@pytest.mark.parametrize(
    ("username", "reason"), [("officer", "invalid_login"), ("nobody", "invalid_login"), ("", "required")]
)
def test_login_with_a_wrong_password_is_refused_and_recorded_without_the_name(
    password_only: None, officer: User, username: str, reason: str
) -> None:
    response = Client().post(LOGIN, {"username": username, "password": "wrong"})

    assert response.status_code == 200
    entry, details = read_only_entry()
    assert (entry.action, entry.outcome, entry.actor_kind) == ("staff.login_refused", "refused", "anonymous")
    assert entry.subject_id == build_pseudonym("username", username)
    assert details == {"reason": reason}


def test_login_of_a_customer_is_refused(password_only: None) -> None:
    make_customer("officer")

    assert try_login(Client()) == 200
    assert read_only_entry()[1] == {"reason": "invalid_login"}


def test_login_after_too_many_failures_is_locked_even_with_the_right_password(
    password_only: None, officer: User, settings: Settings
) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    client = Client()

    statuses = [try_login(client, "wrong") for _ in range(3)]
    page = client.post(LOGIN, {"username": "officer", "password": PASSWORD})

    assert statuses == [200, 200, 429]
    assert page.status_code == 429
    assert "Too many failed attempts" in page.content.decode()
    assert find_inline_code(page.content.decode()) == []
    reasons = [
        orjson.loads(bytes(entry.body))["details"]["reason"] for entry in AuditEntry.objects.order_by("occurred_at")
    ]
    assert reasons == ["invalid_login", "invalid_login", "locked_out", "locked_out"]
    assert client.get("/admin/").status_code == 302


def test_failed_login_leaves_no_name_or_address_in_the_log(
    password_only: None, officer: User, caplog: pytest.LogCaptureFixture
) -> None:
    try_login(Client(REMOTE_ADDR="198.51.100.77"), "wrong")

    assert AccessAttempt.objects.count() == 1
    assert "officer" not in caplog.text
    assert "198.51.100.77" not in caplog.text


def make_device(user: User, code: str = "abcd2345") -> StaticDevice:
    device = StaticDevice.objects.create(user=user, name="paper")
    device.token_set.create(token=code)
    return device


def test_login_with_both_factors_enters_and_is_recorded(second_factor: None, officer: User) -> None:
    make_device(officer)
    client = Client()

    assert try_login(client, otp_token="abcd2345") == 302

    assert client.get("/admin/").status_code == 200
    entry, details = read_only_entry()
    assert (entry.action, details) == ("staff.login_succeeded", {"second_factor": True})


@pytest.mark.parametrize(("code", "reason"), [("", "token_required"), ("wrong", "invalid_token")])
def test_login_without_a_good_code_is_refused_and_recorded(
    second_factor: None, officer: User, code: str, reason: str
) -> None:
    make_device(officer)
    client = Client()

    assert try_login(client, otp_token=code) == 200

    assert client.get("/admin/").status_code == 302
    assert read_only_entry()[1] == {"reason": reason}


def test_login_with_several_devices_asks_for_one_and_never_shows_the_password(
    second_factor: None, officer: User
) -> None:
    make_device(officer, "first234")
    second = make_device(officer, "second23")
    client = Client()

    asked = client.post(LOGIN, {"username": "officer", "password": PASSWORD, "otp_token": "second23"})

    page = asked.content.decode()
    assert asked.context["form"].errors.as_data()["__all__"][0].code == "device_required"
    assert second.persistent_id in page
    assert PASSWORD not in page
    assert try_login(client, otp_token="second23", otp_device=second.persistent_id) == 302


def test_login_with_the_device_of_somebody_else_is_refused(second_factor: None, officer: User) -> None:
    make_device(officer)
    foreign = make_device(make_staff(), "foreign2")

    assert try_login(Client(), otp_token="foreign2", otp_device=foreign.persistent_id) == 200
    assert read_only_entry()[1] == {"reason": "device_required"}


def test_login_without_any_device_is_refused(second_factor: None, officer: User) -> None:
    assert try_login(Client(), otp_token="abcd2345") == 200
    assert read_only_entry()[0].action == "staff.login_refused"


def test_session_by_password_alone_does_not_enter_where_a_second_factor_is_required(
    second_factor: None, officer: User
) -> None:
    assert sign_in(officer).get("/admin/").status_code == 302


def test_page_without_permission_is_refused_and_recorded(password_only: None) -> None:
    operator = make_role("operator")

    response = sign_in(operator).get("/admin/audit/auditentry/")

    assert response.status_code == 403
    entry, details = read_only_entry()
    assert (entry.action, entry.outcome, entry.actor_id) == ("access.denied", "refused", str(operator.pk))
    assert (entry.subject, entry.subject_id) == ("page", "admin:audit_auditentry_changelist")
    assert details == {"method": "GET"}


def test_nobody_is_sent_to_the_login_and_nothing_is_recorded() -> None:
    response = Client().get("/admin/audit/auditentry/")

    assert response.status_code == 302
    assert response.headers["Location"].startswith(LOGIN)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("is_otp", [False, True])
def test_login_page_switches_language_and_keeps_the_policy(settings: Settings, is_otp: bool) -> None:
    settings.STAFF_OTP_REQUIRED = is_otp
    client = Client()

    english = client.get(LOGIN).content.decode()
    client.post("/admin/language/", {"language": "ru", "next": LOGIN})
    russian = client.get(LOGIN).content.decode()

    assert "Bank assistant: staff" in english
    assert "Ассистент банка: сотрудники" in russian
    assert ("Code of the second factor" in english) is is_otp
    assert ("Код второго фактора" in russian) is is_otp
    assert find_inline_code(english) == find_inline_code(russian) == []


def test_index_shows_each_role_exactly_the_pages_it_may_view(password_only: None) -> None:
    for role, permissions in ROLES.items():
        pages = {name.replace(".view_", "/") for name in permissions if ".view_" in name}

        text = sign_in(make_role(role)).get("/admin/").content.decode()

        assert set(re.findall(r'href="/admin/(\w+/\w+)/"', text)) == pages
        assert find_inline_code(text) == []

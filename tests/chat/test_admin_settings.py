"""Profiles and prices are changed by their roles only, each change is an entry; the days' totals are for operators."""

from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from audit.enums import AuditAction
from audit.models import AuditEntry
from chat.models import AssistantProfile, ModelPrice, UsageDay
from tests.factories.accounts import make_customer, make_staff
from tests.factories.audit import make_role, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

PROFILE = {
    "name": "short",
    "is_default": "on",
    "instructions": "Отвечай кратко.",
    "temperature": "0.2",
    "history_tokens": "500",
}
PRICE = {
    "model": "GigaChat-2",
    "valid_from": "2026-11-01",
    "prompt_kopecks": "20000",
    "completion_kopecks": "20000",
    "cached_kopecks": "0",
}


@pytest.fixture(autouse=True)
def password_only(settings: Settings) -> None:
    settings.STAFF_OTP_REQUIRED = False


def make_administrator() -> User:
    user = make_staff()
    user.is_superuser = True
    user.save(update_fields=["is_superuser"])
    return user


def read_details(action: AuditAction) -> dict[str, Any]:
    details: dict[str, Any] = orjson.loads(AuditEntry.objects.get(action=action).body)["details"]
    return details


def test_administrator_adds_a_profile_and_leaves_an_entry_without_its_text() -> None:
    client = sign_in(make_administrator())

    assert client.post("/admin/chat/assistantprofile/add/", PROFILE).status_code == 302

    profile = AssistantProfile.objects.get()
    assert (profile.is_default, profile.temperature, profile.history_tokens) == (True, 0.2, 500)
    details = read_details(AuditAction.PROFILE_CHANGED)
    assert details["is_new"] is True
    assert "instructions" in details["fields"]
    assert "кратко" not in str(details)


@pytest.mark.parametrize(
    ("field", "value"), [("temperature", "3"), ("max_tokens", "0"), ("top_p", "1.5"), ("instructions", "")]
)
def test_profile_that_the_service_would_refuse_is_not_stored(field: str, value: str) -> None:
    response = sign_in(make_administrator()).post("/admin/chat/assistantprofile/add/", {**PROFILE, field: value})

    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors
    assert not AssistantProfile.objects.exists()


def test_second_default_profile_is_refused_with_a_message() -> None:
    AssistantProfile.objects.create(name="first", is_default=True)

    response = sign_in(make_administrator()).post("/admin/chat/assistantprofile/add/", PROFILE)

    assert response.status_code == 200
    assert AssistantProfile.objects.count() == 1


def test_operator_sets_a_price_once_and_leaves_an_entry() -> None:
    client = sign_in(make_role("operator"))

    assert client.post("/admin/chat/modelprice/add/", PRICE).status_code == 302
    assert client.post("/admin/chat/modelprice/add/", PRICE).status_code == 200

    price = ModelPrice.objects.get()
    assert read_details(AuditAction.PRICE_SET) == {"model": "GigaChat-2", "valid_from": "2026-11-01"}
    assert client.post(f"/admin/chat/modelprice/{price.pk}/change/", {**PRICE, "model": "x"}).status_code == 403
    assert client.post(f"/admin/chat/modelprice/{price.pk}/delete/", {"post": "yes"}).status_code == 403


def test_operator_sees_the_totals_of_each_day() -> None:
    UsageDay.objects.create(
        day=timezone.now().date(), model="GigaChat-2", customer=make_customer(), runs=3, prompt_tokens=4321
    )

    page = sign_in(make_role("operator")).get("/admin/chat/usageday/").content.decode()

    assert "4321" in page
    assert "GigaChat-2" in page


def test_totals_without_usage_say_so_in_the_readers_language() -> None:
    page = sign_in(make_role("operator")).get("/admin/chat/usageday/", headers={"Accept-Language": "ru"})

    assert "Пока ничего не израсходовано." in page.content.decode()


@pytest.mark.parametrize("url", ["/admin/chat/usageday/", "/admin/chat/modelprice/", "/admin/chat/assistantprofile/"])
def test_pages_are_closed_to_other_roles_and_to_nobody(url: str) -> None:
    assert sign_in(make_role("auditor")).get(url).status_code == 403
    assert Client().get(url).status_code == 302


def test_one_customers_usage_has_no_page() -> None:
    usage = UsageDay.objects.create(day=timezone.now().date(), model="m", customer=make_customer())

    assert sign_in(make_administrator()).get(f"/admin/chat/usageday/{usage.pk}/change/").status_code == 403

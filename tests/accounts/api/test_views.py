import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Customer, DeviceSession
from accounts.tokens import verify_access_token
from audit.models import AuditEntry
from tests.factories.accounts import PASSWORD, make_bearer, make_customer, make_session, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return make_customer("anna")


def post(path: str, body: object = None, *, bearer: str = "") -> Any:
    headers = {"Authorization": bearer} if bearer else {}
    data = "" if body is None else json.dumps(body)
    return Client().post(f"/api/v1/{path}", data=data, content_type="application/json", headers=headers)


def get_me(bearer: str) -> Any:
    return Client().get("/api/v1/me", headers={"Authorization": bearer})


def login(**changes: object) -> Any:
    return post("auth/login", {"username": "anna", "password": PASSWORD, **changes})


def test_login_answers_tokens_that_work(customer: Customer, settings: Settings) -> None:
    response = login(device_id="phone-1")
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    session = DeviceSession.objects.get()
    claims = verify_access_token(body["access_token"])
    assert (claims.customer_id, claims.session_id, claims.device_id) == (customer.pk, session.pk, "phone-1")
    assert body == {
        "access_token": body["access_token"],
        "token_type": "Bearer",
        "expires_in": settings.ACCESS_TOKEN_SECONDS,
        "refresh_token": body["refresh_token"],
        "refresh_expires_in": settings.REFRESH_TOKEN_DAYS * 86400,
        "session_id": str(session.pk),
    }
    assert get_me(f"Bearer {body['access_token']}").status_code == 200


def test_login_without_device_gets_one_made_up(customer: Customer) -> None:
    assert [login().status_code for _ in range(2)] == [200, 200]
    devices = set(DeviceSession.objects.values_list("device_id", flat=True))
    assert len(devices) == 2
    assert all(len(device) == 36 for device in devices)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": None}, "username"),
        ({"username": ""}, "username"),
        ({"username": "a" * 151}, "username"),
        ({"username": ["anna"]}, "username"),
        ({"password": "p" * 257}, "password"),
        ({"password": {}}, "password"),
        ({"device_id": "два"}, "device_id"),
        ({"device_id": "d" * 65}, "device_id"),
        ({"device_id": "a b"}, "device_id"),
        ({"device_id": ""}, "device_id"),
        ({"device_id": "line\n"}, "device_id"),
    ],
)
def test_login_with_wrong_body_names_the_field(customer: Customer, changes: dict[str, object], field: str) -> None:
    response = login(**changes)
    assert (response.status_code, response.json()["code"], response.json()["field"]) == (400, "request.invalid", field)
    assert not DeviceSession.objects.exists()


def test_login_refusals_look_the_same_whoever_is_asked_for(customer: Customer) -> None:
    make_staff("officer", password=PASSWORD)
    make_customer("gone", is_active=False)
    answers = [
        login(password="wrong"),
        login(username="nobody"),
        login(username="officer"),
        login(username="gone"),
    ]
    for response in answers:
        body = response.json()
        del body["trace"]
        assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
        assert body == {
            "code": "auth.refused",
            "message": "these credentials are refused",
            "retryable": False,
        }
    assert AuditEntry.objects.filter(action="login.refused", outcome="refused").count() == 4


def test_login_throttled_says_when_to_come_back(customer: Customer, settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_USERNAME = 1
    settings.LOGIN_WINDOW_SECONDS = 1_000_000_000
    login(password="wrong")
    response = login()
    body = response.json()
    assert (response.status_code, body["code"], body["retryable"]) == (429, "limit.rate", True)
    assert int(response["Retry-After"]) * 1000 == body["retry_after_ms"] > 0
    assert AuditEntry.objects.filter(action="login.refused").count() == 2
    assert not DeviceSession.objects.exists()


def test_login_while_cache_is_away_is_overloaded(customer: Customer, settings: Settings) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    response = login()
    assert (response.status_code, response.json()["code"]) == (503, "server.overloaded")


def test_refresh_rotates_and_detects_reuse(customer: Customer) -> None:
    first = login().json()
    second = post("auth/refresh", {"refresh_token": first["refresh_token"]})
    assert (second.status_code, second["Cache-Control"]) == (200, "no-store")
    assert second.json().keys() == first.keys()
    assert second.json()["session_id"] == first["session_id"]
    assert second.json()["refresh_token"] != first["refresh_token"]
    reused = post("auth/refresh", {"refresh_token": first["refresh_token"]})
    assert (reused.status_code, reused.json()["code"]) == (401, "auth.revoked")
    assert reused["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    for token in (first["access_token"], second.json()["access_token"]):
        assert get_me(f"Bearer {token}").json()["code"] == "auth.revoked"
    newest = post("auth/refresh", {"refresh_token": second.json()["refresh_token"]})
    assert newest.json()["code"] == "auth.revoked"


def test_refresh_repeated_with_its_attempt_id_is_answered(customer: Customer) -> None:
    body = {"refresh_token": login().json()["refresh_token"], "attempt_id": "6f1c1d9e-3a52-4f0b-9a77-0d6a3c1b2e5f"}
    assert [post("auth/refresh", body).status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"refresh_token": "unknown"}, 401, "auth.refused"),
        ({}, 400, "request.invalid"),
        ({"refresh_token": ""}, 400, "request.invalid"),
        ({"refresh_token": "r" * 129}, 400, "request.invalid"),
        ({"refresh_token": "r", "attempt_id": "not a uuid"}, 400, "request.invalid"),
    ],
)
def test_refresh_with_wrong_token_is_refused(body: dict[str, object], status: int, code: str) -> None:
    response = post("auth/refresh", body)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_logout_ends_the_session_for_good(customer: Customer) -> None:
    tokens = login().json()
    bearer = f"Bearer {tokens['access_token']}"
    response = post("auth/logout", bearer=bearer)
    assert (response.status_code, response.content, response["Cache-Control"]) == (204, b"", "no-store")
    assert get_me(bearer).json()["code"] == "auth.revoked"
    assert post("auth/logout", bearer=bearer).json()["code"] == "auth.revoked"
    assert post("auth/refresh", {"refresh_token": tokens["refresh_token"]}).json()["code"] == "auth.revoked"
    entry = AuditEntry.objects.get(action="session.revoked")
    assert (entry.actor_kind, entry.actor_id, entry.origin) == ("customer", str(customer.pk), "http")


def test_logout_leaves_other_sessions_alone(customer: Customer) -> None:
    mine, other = make_bearer(customer), make_bearer(customer)
    stranger = make_session(make_customer())
    post("auth/logout", bearer=mine)
    assert get_me(other).status_code == 200
    stranger.refresh_from_db()
    assert stranger.revoked_at is None


def test_logout_by_nobody_is_refused() -> None:
    response = post("auth/logout")
    assert (response.status_code, response.json()["code"]) == (401, "auth.required")


def test_me_tells_who_one_is_in_one_query(
    customer: Customer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    bearer = make_bearer(customer)
    with django_assert_num_queries(1):
        response = get_me(bearer)
    assert response.json() == {
        "id": str(customer.pk),
        "username": "anna",
        "first_name": "Анна",
        "last_name": "Ветрова",
        "language": "ru",
    }
    assert get_me(make_bearer(make_customer("boris"))).json()["username"] == "boris"

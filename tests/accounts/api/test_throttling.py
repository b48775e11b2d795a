import pytest
from django.test import Client, RequestFactory
from pytest_django import Settings
from rest_framework.request import Request

from accounts.api.throttling import CustomerThrottle
from tests.factories.accounts import make_bearer, make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def few_requests(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    # So long that no test sees the window's end.
    monkeypatch.setattr("accounts.api.throttling.WINDOW_SECONDS", 1_000_000_000)


def test_customer_who_asks_too_often_waits_with_all_devices(few_requests: None) -> None:
    customer = make_customer()
    client, bearers = Client(), [make_bearer(customer) for _ in range(2)]
    answers = [client.get("/api/v1/me", headers={"Authorization": bearers[number % 2]}) for number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    body = answers[2].json()
    assert (body["code"], body["retryable"]) == ("limit.rate", True)
    assert int(answers[2]["Retry-After"]) * 1000 == body["retry_after_ms"] > 0
    assert client.get("/api/v1/me", headers={"Authorization": make_bearer(make_customer())}).status_code == 200


def test_nobody_is_refused_for_the_token_not_the_rate(few_requests: None) -> None:
    client = Client()
    assert [client.get("/api/v1/me").status_code for _ in range(4)] == [401] * 4


def test_customer_is_let_in_while_the_cache_is_away(few_requests: None, settings: Settings) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    client, bearer = Client(), make_bearer(make_customer())
    assert [client.get("/api/v1/me", headers={"Authorization": bearer}).status_code for _ in range(3)] == [200] * 3


def test_throttle_lets_in_whoever_shows_no_token() -> None:
    throttle = CustomerThrottle()
    assert throttle.allow_request(Request(RequestFactory().get("/api/v1/me")), None) is True
    assert throttle.wait() is None

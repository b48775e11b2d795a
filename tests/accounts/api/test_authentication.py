from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone
from rest_framework.request import Request

from accounts.api import problems
from accounts.api.authentication import get_claims, get_customer
from accounts.api.problems import ApiError
from accounts.models import DeviceSession
from accounts.tokens import issue_access_token
from tests.factories.accounts import make_customer, make_session

pytestmark = pytest.mark.django_db


def get_me(authorization: str | None) -> Any:
    headers = {} if authorization is None else {"Authorization": authorization}
    return Client().get("/api/v1/me", headers=headers)


def build_bearer(session: DeviceSession, *, age_seconds: int = 0) -> str:
    return f"Bearer {issue_access_token(session, timezone.now() - timedelta(seconds=age_seconds)).token}"


@pytest.mark.parametrize("authorization", [None, "", "Basic YW5uYTpwYXNz", "Token abc", "bear"])
def test_request_without_bearer_is_asked_for_one(authorization: str | None) -> None:
    response = get_me(authorization)
    assert (response.status_code, response.json()["code"]) == (401, "auth.required")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "bearer \x7f", "Bearer a b"]
)
def test_request_with_nonsense_bearer_is_invalid(authorization: str) -> None:
    response = get_me(authorization)
    assert (response.status_code, response.json()["code"]) == (401, "auth.invalid")
    assert response["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_request_with_old_bearer_is_expired_and_may_try_again() -> None:
    response = get_me(build_bearer(make_session(make_customer()), age_seconds=700))
    body = response.json()
    assert (response.status_code, body["code"], body["retryable"]) == (401, "auth.expired", True)


def test_request_with_bearer_of_dead_session_is_revoked() -> None:
    customer = make_customer()
    unknown = make_session(customer)
    unknown.pk = uuid4()
    asleep = make_session(make_customer(is_active=False))
    for session in (make_session(customer, is_revoked=True), unknown, asleep):
        response = get_me(build_bearer(session))
        assert (response.status_code, response.json()["code"]) == (401, "auth.revoked")


def test_request_with_bearer_naming_somebody_elses_session_is_revoked() -> None:
    session = make_session(make_customer())
    session.customer = make_customer()
    assert get_me(build_bearer(session)).json()["code"] == "auth.revoked"


def test_scheme_is_read_without_regard_to_case() -> None:
    bearer = build_bearer(make_session(make_customer()))
    assert get_me(bearer.replace("Bearer", "BEARER")).status_code == 200


def test_view_without_permission_check_still_finds_nobody() -> None:
    request = Request(RequestFactory().get("/api/v1/me"))
    for read in (get_claims, get_customer):
        with pytest.raises(ApiError) as caught:
            read(request)
        assert caught.value.problem == problems.AUTH_REQUIRED

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.test import Client, RequestFactory
from django.utils import translation
from pytest_django import Settings
from rest_framework import exceptions

from accounts.api import problems
from accounts.api.errors import (
    PROBLEM_BY_ERROR,
    answer_bad_request,
    answer_not_found,
    answer_server_error,
    handle_exception,
    to_api_error,
)
from accounts.api.problems import ApiError
from audit.log_context import bind
from tests.factories.accounts import make_bearer, make_customer

SECRET = "4276 1234 5678 9010"


def fail() -> None:
    raise RuntimeError(f"card {SECRET}")


def catch(act: Callable[[], None]) -> Exception:
    """Return what `act` raises, with its traceback."""
    with pytest.raises(RuntimeError) as caught:
        act()
    return caught.value


def read(response: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(response.content)
    return body


def test_unforeseen_failure_is_internal_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with bind(request_id="req-7"):
        response = handle_exception(catch(fail), {})
    assert response.status_code == 500
    assert response.data == {
        "code": "server.internal",
        "message": "something went wrong on our side",
        "retryable": True,
        "trace": "req-7",
    }
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert "RuntimeError" in record.getMessage()
    assert "in fail" in record.getMessage()
    assert SECRET not in record.getMessage()
    assert record.exc_info is None


def test_foreseen_refusal_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    handle_exception(exceptions.NotFound(), {})
    assert not caplog.records


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OperationalError("no connection"), 503, "server.overloaded"),
        (InterfaceError("closed"), 503, "server.overloaded"),
        (RequestDataTooBig(), 413, "limit.size"),
        (SuspiciousOperation(), 400, "request.invalid"),
        (Http404(), 404, "not_found"),
        (exceptions.NotAuthenticated(), 401, "auth.required"),
        (exceptions.PermissionDenied(), 401, "auth.required"),
        (exceptions.ParseError(), 400, "request.invalid"),
        (exceptions.Throttled(wait=1.2), 429, "limit.rate"),
        (PermissionDenied(), 500, "server.internal"),
    ],
)
def test_to_api_error_finds_the_row(error: Exception, status: int, code: str) -> None:
    problem = to_api_error(error).problem
    assert (problem.status, problem.code) == (status, code)


def test_to_api_error_rounds_the_wait_up() -> None:
    assert to_api_error(exceptions.Throttled(wait=1.2)).retry_after_seconds == 2
    assert to_api_error(exceptions.Throttled()).retry_after_seconds == 1


def test_to_api_error_names_the_path_of_a_nested_complaint_in_english() -> None:
    detail = {"items": [{"text": [exceptions.ErrorDetail("bad", "invalid")]}]}
    with translation.override("ru"):
        failure = to_api_error(exceptions.ValidationError(detail))
    assert (failure.field, failure.message) == ("items.text", "bad")
    whole = to_api_error(exceptions.ValidationError({"non_field_errors": ["bad"]}))
    assert (whole.field, whole.message) == (None, "bad")


def test_problem_table_has_no_row_that_an_earlier_one_hides() -> None:
    kinds = [kind for kind, _ in PROBLEM_BY_ERROR]
    hidden = [late for at, late in enumerate(kinds) if any(issubclass(late, early) for early in kinds[:at])]
    assert hidden == []


def test_api_error_carries_everything_it_was_given() -> None:
    failure = ApiError(problems.RATE, message="slow down", field="limit", retry_after_seconds=3, details={"limit": 10})
    response = handle_exception(failure, {})
    assert response.data == {
        "code": "limit.rate",
        "message": "slow down",
        "retryable": True,
        "trace": "",
        "retry_after_ms": 3000,
        "field": "limit",
        "details": {"limit": 10},
    }
    assert response["Retry-After"] == "3"


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v1/me/", "/api/v2/me", "/api/v1/%D1%8F", "/api/v1//"]
)
@pytest.mark.parametrize("method", ["get", "post", "delete", "options"])
def test_unknown_path_is_not_found(path: str, method: str) -> None:
    response = getattr(Client(), method)(path)
    assert (response.status_code, response["Content-Type"]) == (404, "application/json")
    assert response.json() == {
        "code": "not_found",
        "message": "there is nothing here",
        "retryable": False,
        "trace": response["X-Request-ID"],
    }
    assert response["Cache-Control"] == "no-store"


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*;q=0.1", "nonsense"])
def test_error_is_json_whatever_was_asked_for(accept: str) -> None:
    response = Client().get("/api/v1/me?format=xml", headers={"Accept": accept})
    assert (response.status_code, response["Content-Type"]) == (401, "application/json")


@pytest.mark.django_db
def test_wrong_method_is_not_allowed() -> None:
    client, bearer = Client(), make_bearer(make_customer())
    for method, path in [
        ("get", "auth/login"),
        ("put", "auth/refresh"),
        ("options", "me"),
        ("delete", "conversations"),
    ]:
        response = getattr(client, method)(f"/api/v1/{path}", headers={"Authorization": bearer})
        assert (response.status_code, read(response)["code"]) == (405, "method.not_allowed")
        assert response["Allow"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_body_of_another_type_is_refused(content_type: str) -> None:
    response = Client().generic("POST", "/api/v1/auth/login", b'{"username": "a"}', content_type=content_type)
    assert (response.status_code, read(response)["code"]) == (415, "request.media_type")


def test_host_that_is_not_ours_is_refused_in_json(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["assistant.bank.example"]
    response = Client().get("/api/v1/me", headers={"Host": "evil.example"})
    assert (response.status_code, read(response)["code"]) == (400, "request.invalid")


def test_handlers_outside_the_api_are_djangos_own() -> None:
    request = RequestFactory().get("/elsewhere")
    for response in (
        answer_bad_request(request, SuspiciousOperation()),
        answer_not_found(request, Http404()),
        answer_server_error(request),
    ):
        assert response["Content-Type"].startswith("text/html")


def test_handlers_below_the_api_are_json() -> None:
    request = RequestFactory().get("/api/v1/me")
    answers = [
        answer_bad_request(request, RequestDataTooBig()),
        answer_bad_request(request, SuspiciousOperation()),
        answer_not_found(request, Http404()),
        answer_server_error(request),
    ]
    assert [(answer.status_code, read(answer)["code"]) for answer in answers] == [
        (413, "limit.size"),
        (400, "request.invalid"),
        (404, "not_found"),
        (500, "server.internal"),
    ]

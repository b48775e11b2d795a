"""The one error shape of the REST API, for every failure: ours, DRF's, Django's and the unforeseen.

`{"code", "message", "retryable", "retry_after_ms"?, "field"?, "details"?, "trace"}`. `message` is for developers and
English; apps show their own text by `code`. `trace` is the request id to look for in our logs.
"""

import logging
import math
import traceback
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts.api import problems
from accounts.api.problems import ApiError, Problem
from accounts.errors import (
    CredentialsRefused,
    KeyRefused,
    LoginThrottled,
    NotFound,
    RefreshRefused,
    SessionExpired,
    SessionRevoked,
    StepUpRequired,
    ThrottleUnavailable,
    TokenExpired,
    TokenInvalid,
)
from audit.log_context import get_request_id

logger = logging.getLogger(__name__)

# The first row that fits wins, so children stand before their parents.
PROBLEM_BY_ERROR: tuple[tuple[type[Exception], Problem], ...] = (
    (CredentialsRefused, problems.AUTH_REFUSED),
    (RefreshRefused, problems.AUTH_REFUSED),
    (SessionExpired, problems.AUTH_INVALID),
    (SessionRevoked, problems.AUTH_REVOKED),
    (TokenExpired, problems.AUTH_EXPIRED),
    (TokenInvalid, problems.AUTH_INVALID),
    (StepUpRequired, problems.AUTH_STEP_UP),
    (KeyRefused, problems.INVALID),
    (NotFound, problems.NOT_FOUND),
    (LoginThrottled, problems.RATE),
    (ThrottleUnavailable, problems.OVERLOADED),
    (exceptions.ValidationError, problems.INVALID),
    (exceptions.ParseError, problems.INVALID),
    (exceptions.UnsupportedMediaType, problems.MEDIA_TYPE),
    (exceptions.MethodNotAllowed, problems.METHOD),
    (exceptions.Throttled, problems.RATE),
    (exceptions.NotFound, problems.NOT_FOUND),
    (Http404, problems.NOT_FOUND),
    # The bearer is always a customer, so the only permission that can be missing is a token.
    (exceptions.NotAuthenticated, problems.AUTH_REQUIRED),
    (exceptions.PermissionDenied, problems.AUTH_REQUIRED),
    (RequestDataTooBig, problems.TOO_BIG),
    (SuspiciousOperation, problems.INVALID),
    (OperationalError, problems.OVERLOADED),
    (InterfaceError, problems.OVERLOADED),
)


def handle_exception(error: Exception, _context: Mapping[str, Any]) -> Response:
    """Turn whatever a view raised into a response; DRF's EXCEPTION_HANDLER. What nobody foresaw is logged."""
    set_rollback()
    failure = to_api_error(error)
    if failure.problem.status >= 500:
        log_failure(error)
    return Response(build_body(failure), status=failure.problem.status, headers=build_headers(failure))


def to_api_error(error: Exception) -> ApiError:
    """Return the API's words for an exception."""
    if isinstance(error, ApiError):
        return error
    problem = next((row for kind, row in PROBLEM_BY_ERROR if isinstance(error, kind)), problems.INTERNAL)
    if isinstance(error, exceptions.ValidationError):
        field, message = find_first_complaint(error.detail, ())
        return ApiError(problem, message=message, field=field or None)
    if isinstance(error, KeyRefused):
        return ApiError(problem, message="this does not fit", field=error.field)
    if isinstance(error, LoginThrottled):
        return ApiError(problem, retry_after_seconds=error.retry_after_seconds)
    if isinstance(error, exceptions.Throttled):
        return ApiError(problem, retry_after_seconds=math.ceil(getattr(error, "wait", None) or 1))
    return ApiError(problem)


def find_first_complaint(detail: Any, path: tuple[str, ...]) -> tuple[str, str]:
    """Return path and text of the first of DRF's nested complaints; one is enough for a developer to go on."""
    if isinstance(detail, dict) and detail:
        key, inner = next(iter(detail.items()))
        return find_first_complaint(inner, path if key == "non_field_errors" else (*path, str(key)))
    if isinstance(detail, list) and detail:
        return find_first_complaint(detail[0], path)
    with translation.override("en"):
        return ".".join(path), str(detail)


def build_body(failure: ApiError) -> dict[str, Any]:
    body: dict[str, Any] = {
        "code": failure.problem.code,
        "message": failure.message,
        "retryable": failure.problem.is_retryable,
        "trace": get_request_id(),
    }
    if failure.retry_after_seconds is not None:
        body["retry_after_ms"] = failure.retry_after_seconds * 1000
    if failure.field is not None:
        body["field"] = failure.field
    if failure.details is not None:
        body["details"] = dict(failure.details)
    return body


def build_headers(failure: ApiError) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if failure.problem.status == 401:
        headers["WWW-Authenticate"] = build_challenge(failure.problem)
    if failure.retry_after_seconds is not None:
        headers["Retry-After"] = str(failure.retry_after_seconds)
    return headers


def build_challenge(problem: Problem) -> str:
    """Return the WWW-Authenticate value (RFC 6750, 3): no error word when simply nothing was presented."""
    if problem in {problems.AUTH_INVALID, problems.AUTH_EXPIRED, problems.AUTH_REVOKED}:
        return 'Bearer error="invalid_token"'
    return "Bearer"


def log_failure(error: Exception) -> None:
    """Log where it happened, without the exception's text, which may quote what a customer wrote."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("request failed with %s\n%s", type(error).__qualname__, frames)


def is_api_path(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def answer_problem(problem: Problem) -> HttpResponse:
    failure = ApiError(problem)
    return JsonResponse(build_body(failure), status=problem.status, headers=build_headers(failure))


def answer_bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: what is refused before a view is chosen."""
    if not is_api_path(request):
        return defaults.bad_request(request, exception)
    return answer_problem(to_api_error(exception).problem)


def answer_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return answer_problem(problems.NOT_FOUND) if is_api_path(request) else defaults.page_not_found(request, exception)


def answer_server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: what breaks outside the views, in a middleware."""
    return answer_problem(problems.INTERNAL) if is_api_path(request) else defaults.server_error(request)

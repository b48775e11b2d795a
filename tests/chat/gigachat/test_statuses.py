import datetime as dt

import pytest

from chat.gigachat.errors import (
    AccessDenied,
    ClientCertificateRejected,
    ContextTooLong,
    FileDenied,
    FileUnknown,
    FunctionsUnsupported,
    GatewayFailed,
    GigaChatError,
    ModelUnknown,
    ParametersRefused,
    PaymentRequired,
    RateLimited,
    RequestMalformed,
    ServerFailed,
    StatusUnexpected,
    TokenRefused,
)
from chat.gigachat.statuses import build_status_error, parse_retry_after

NOW = dt.datetime(2026, 11, 24, 12, 0, 0, tzinfo=dt.UTC)
JSON = "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("status", "content_type", "kind", "is_retryable"),
    [
        (400, JSON, RequestMalformed, False),
        (401, JSON, TokenRefused, False),
        (402, JSON, PaymentRequired, False),
        (403, JSON, AccessDenied, False),
        (403, "text/html", AccessDenied, False),
        (404, JSON, ModelUnknown, False),
        (413, JSON, ContextTooLong, False),
        (422, JSON, ParametersRefused, False),
        (429, JSON, RateLimited, True),
        (500, JSON, ServerFailed, True),
        (503, JSON, ServerFailed, True),
        (502, "text/html; charset=utf-8", GatewayFailed, True),
        (504, "", GatewayFailed, True),
        (302, "text/html", StatusUnexpected, False),
        (204, "", StatusUnexpected, False),
        (418, JSON, StatusUnexpected, False),
    ],
)
def test_build_status_error_returns_the_type_of_the_status(
    *, status: int, content_type: str, kind: type[GigaChatError], is_retryable: bool
) -> None:
    error = build_status_error(status, content_type=content_type, retry_after="")
    assert (type(error), error.status, error.is_retryable) == (kind, status, is_retryable)
    assert error.retry_after_seconds is None


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"status":400,"message":"Your request contains invalid JSON syntax."}\n', RequestMalformed),
        (400, b"<title>400 No required SSL certificate was sent</title>", ClientCertificateRejected),
        (403, b'{"status":403,"message":"Access to file \'1\' is denied"}', FileDenied),
        (403, b'{"message":"Unauthorized"}', AccessDenied),
        (404, b'{"status":404,"message":"No such model"}\n', ModelUnknown),
        (404, b'{"status":404,"message":"No such file"}\n', FileUnknown),
        (422, b'{"status":422,"message":"Requested model does not support functions"}', FunctionsUnsupported),
        (422, b'{"status":422,"message":"Access to file"}', ParametersRefused),
    ],
)
def test_build_status_error_recognises_a_few_closed_phrases(
    *, status: int, body: bytes, kind: type[GigaChatError]
) -> None:
    error = build_status_error(status, content_type=JSON, retry_after="", body=body)
    assert type(error) is kind
    assert str(error) == f"{kind.code} (HTTP {status})"


def test_build_status_error_of_another_question_uses_its_meanings() -> None:
    error = build_status_error(404, content_type=JSON, retry_after="", kinds={404: FileUnknown})
    assert type(error) is FileUnknown


def test_build_status_error_keeps_how_long_to_wait() -> None:
    assert build_status_error(429, content_type=JSON, retry_after="7").retry_after_seconds == 7.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", None),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("9" * 400, 3600.0),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("Tue, 24 Nov 2026 12:00:09 GMT", 9.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("Tue, 24 Nov 2099 11:00:00 GMT", 3600.0),
        ("Tue, 24 Nov 2026 12:00:09 -0000", None),
    ],
)
def test_parse_retry_after_understands_seconds_and_dates(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value, now=NOW) == seconds

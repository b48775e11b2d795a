import json
from io import BytesIO

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from accounts.api.views import LoginView
from tests.factories.accounts import PASSWORD, make_customer

pytestmark = pytest.mark.django_db


def login_without_length(body: bytes) -> int:
    """Send a body whose length no header tells, as servers pass on one that came in chunks."""
    request = RequestFactory().post("/api/v1/auth/login", content_type="application/json")
    del request.META["CONTENT_LENGTH"]
    request._stream = BytesIO(body)
    response = LoginView.as_view()(request)
    response.render()
    return int(response.status_code)


def test_body_in_chunks_is_read(settings: Settings) -> None:
    make_customer("anna")
    body = json.dumps({"username": "anna", "password": PASSWORD}).encode()
    assert login_without_length(body) == 200


def test_body_in_chunks_is_not_read_without_end() -> None:
    assert login_without_length(b" " * 70_000) == 413


def test_no_body_and_no_length_is_an_invalid_request() -> None:
    assert login_without_length(b"") == 400

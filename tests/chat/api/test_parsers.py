import json
from io import BytesIO

import pytest
from django.test import Client

from accounts.api.problems import ApiError
from chat.api.parsers import StrictJSONParser

LIMIT = 64 * 1024


def parse(raw: bytes) -> object:
    return StrictJSONParser().parse(BytesIO(raw))


def fill(size: int) -> bytes:
    """Return a JSON object of exactly that many bytes."""
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


def test_parse_reads_an_object() -> None:
    assert parse('{"текст": "да", "n": [1, 2.5, null, true]}'.encode()) == {"текст": "да", "n": [1, 2.5, None, True]}


def test_parse_takes_the_greatest_body_and_no_byte_more() -> None:
    assert parse(fill(LIMIT))
    with pytest.raises(ApiError) as caught:
        parse(fill(LIMIT + 1))
    assert (caught.value.problem.status, caught.value.problem.code) == (413, "limit.size")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"null",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": 9007199254740993}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 1, "a": 2}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\u0000"}',
        b'{"a": "\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"a":' * 17 + b"1" + b"}" * 17,
        b"[" * 60_000,
        json.dumps({f"k{number}": 1 for number in range(65)}).encode(),
    ],
)
def test_parse_of_anything_loose_is_invalid(raw: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        parse(raw)
    assert (caught.value.problem.status, caught.value.problem.code) == (400, "request.invalid")


def test_parse_names_the_offending_field() -> None:
    with pytest.raises(ApiError) as caught:
        parse(b'{"a": {"b": NaN}}')
    assert caught.value.field == "a.b"


@pytest.mark.parametrize(("raw", "status"), [(fill(LIMIT + 1), 413), (fill(3_000_000), 413), (b"{", 400), (b"", 400)])
def test_view_answers_a_bad_body_in_the_error_shape(raw: bytes, status: int) -> None:
    response = Client().generic("POST", "/api/v1/auth/login", raw, content_type="application/json")
    body = response.json()
    assert response.status_code == status
    assert body["code"] == {413: "limit.size", 400: "request.invalid"}[status]
    assert body["trace"] == response["X-Request-ID"]

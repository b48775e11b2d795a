"""Files by REST: as owner, as a stranger and as nobody, and everything a body can be."""

import io
import tracemalloc
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Customer
from audit.models import AuditEntry
from chat.api.files import FILE_NOT_FOUND, REFUSALS
from chat.api.uploads import MAX_BODY_BYTES, TOO_MANY, UNUSABLE
from chat.enums import FileState
from chat.files.cleaning import MAX_FILE_BYTES, MAX_IMAGE_BYTES
from chat.models import StoredFile
from chat.protocol.codes import ErrorCode
from chat.services.files import delete_file
from tests.factories.accounts import make_bearer, make_customer
from tests.factories.chat import ask, make_context
from tests.factories.files import (
    SECRET_PLACE,
    make_image,
    make_lying_word_bomb,
    make_pdf,
    make_photo,
    make_png_bomb,
    make_word,
    make_word_bomb,
    store,
)

pytestmark = pytest.mark.django_db
FILES = "/api/v1/files"


@pytest.fixture
def anna() -> Customer:
    return make_customer("anna")


@pytest.fixture
def bearer(anna: Customer) -> str:
    return make_bearer(anna)


def post(bearer: str, content: bytes, *, name: str = "a.bin", kind: str = "application/octet-stream") -> Any:
    file = SimpleUploadedFile(name, content, kind)
    return Client().post(FILES, {"file": file}, headers={"Authorization": bearer})


def post_parts(bearer: str, parts: Mapping[str, Any]) -> Any:
    return Client().post(FILES, dict(parts), headers={"Authorization": bearer})


def send(method: str, path: str, bearer: str) -> Any:
    return Client().generic(method, f"{FILES}/{path}", headers={"Authorization": bearer} if bearer else {})


def test_every_code_of_files_is_one_of_the_protocol() -> None:
    for row in (FILE_NOT_FOUND, TOO_MANY, UNUSABLE):
        assert ErrorCode(row.code).is_retryable == row.is_retryable


def test_post_file_stores_it_and_tells_what_was_kept(anna: Customer, bearer: str) -> None:
    response = post(bearer, make_photo(), name="Отпуск.exe", kind="text/html")

    assert (response.status_code, response["Cache-Control"]) == (201, "no-store")
    row = StoredFile.objects.get(customer=anna)
    assert response.json() == {
        "id": str(row.pk),
        "kind": "image",
        "media_type": "image/jpeg",
        "name": "Отпуск.jpg",
        "bytes": row.size_bytes,
        "sha256": row.sha256,
        "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
    }


def test_get_file_shows_the_same(bearer: str) -> None:
    stored = post(bearer, make_pdf()).json()

    assert send("GET", stored["id"], bearer).json() == stored


def test_get_content_returns_what_was_kept_and_never_a_page(bearer: str) -> None:
    stored = post(bearer, make_photo(), name='Счёт "№5".jpg').json()

    response = send("GET", f"{stored['id']}/content", bearer)

    assert (response.status_code, response["Content-Type"], response["Cache-Control"]) == (
        200,
        "image/jpeg",
        "no-store",
    )
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"] == ("attachment; filename*=UTF-8''%D0%A1%D1%87%D1%91%D1%82%20%E2%84%965.jpg")
    assert len(response.content) == stored["bytes"]
    assert SECRET_PLACE not in response.content


def test_get_content_of_text_names_its_encoding(bearer: str) -> None:
    stored = post(bearer, "Вклад".encode("cp1251"), name="a.html").json()

    response = send("GET", f"{stored['id']}/content", bearer)

    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode() == "Вклад"


@pytest.mark.parametrize(
    ("content", "status", "code", "reason"),
    [
        (b"", 415, "request.media_type", "empty"),
        (b"GIF89a\0", 415, "request.media_type", "unknown"),
        (make_image("PNG")[:60], 415, "request.media_type", "broken"),
        (make_pdf(trailer=b"/Encrypt 1 0 R"), 415, "request.media_type", "encrypted"),
        (make_word({"word/vbaProject.bin": b"x"}), 415, "request.media_type", "macros"),
        (make_png_bomb(), 413, "limit.size", "pixels"),
        (make_word_bomb(), 413, "limit.size", "unpacked"),
        (make_lying_word_bomb(), 413, "limit.size", "unpacked"),
        (b"\xff\xd8\xff" + bytes(MAX_IMAGE_BYTES), 413, "limit.size", "bytes"),
    ],
)
def test_post_file_refuses_each_kind_with_its_reason(
    anna: Customer, bearer: str, content: bytes, status: int, code: str, reason: str
) -> None:
    response = post(bearer, content, name="a.png", kind="image/png")

    body = response.json()
    assert (response.status_code, body["code"], body["field"], body["retryable"]) == (status, code, "file", False)
    assert body["details"] == {"reason": reason}
    assert body["message"] == REFUSALS[reason]
    assert StoredFile.objects.count() == 0
    assert AuditEntry.objects.get(action="file.refused").customer_id == anna.pk


def test_post_file_above_forty_megabytes_is_refused_while_it_is_read(bearer: str) -> None:
    response = post(bearer, b"a" * (MAX_FILE_BYTES + 1))

    assert (response.status_code, response.json()["code"], response.json()["field"]) == (413, "limit.size", "file")
    assert AuditEntry.objects.count() == 0


def test_post_two_files_is_refused(bearer: str) -> None:
    response = post_parts(bearer, {"file": [io.BytesIO(b"one"), io.BytesIO(b"two")]})

    assert (response.status_code, response.json()["code"], response.json()["field"]) == (400, "limit.files", "file")
    assert StoredFile.objects.count() == 0


@pytest.mark.parametrize("parts", [{"picture": io.BytesIO(b"x")}, {"file": "text"}, {"purpose": "general"}])
def test_post_without_the_part_is_refused(bearer: str, parts: dict[str, Any]) -> None:
    response = post_parts(bearer, parts)

    assert (response.status_code, response.json()["code"], response.json()["field"]) == (400, "request.invalid", "file")


def test_post_with_other_fields_beside_the_file_is_fine(bearer: str) -> None:
    response = post_parts(bearer, {"note": "x", "file": SimpleUploadedFile("a.png", make_image())})

    assert response.status_code == 201


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{}", "application/json", 415, "request.media_type"),
        (make_image(), "image/png", 415, "request.media_type"),
        (b"", "", 415, "request.media_type"),
        (b"--x\r\n", "multipart/form-data", 400, "request.invalid"),
        (b"nonsense", "multipart/form-data; boundary=x", 400, "request.invalid"),
    ],
)
def test_post_of_another_form_is_refused(bearer: str, body: bytes, kind: str, status: int, code: str) -> None:
    response = Client().generic("POST", FILES, body, kind, headers={"Authorization": bearer})

    assert (response.status_code, response.json()["code"]) == (status, code)


def test_post_file_above_the_hourly_rate_tells_how_long_to_wait(bearer: str, settings: Settings) -> None:
    settings.FILES_PER_HOUR = 1
    post(bearer, make_image())

    response = post(bearer, make_image())

    assert (response.status_code, response.json()["code"]) == (429, "limit.rate")
    assert 3590 <= int(response["Retry-After"]) <= 3601


def test_post_file_of_nobody_asks_for_a_token() -> None:
    response = post("", make_image())

    assert (response.status_code, response.json()["code"]) == (401, "auth.required")
    assert StoredFile.objects.count() == 0


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/content"), ("DELETE", "")])
def test_file_of_nobody_asks_for_a_token(anna: Customer, method: str, path: str) -> None:
    response = send(method, f"{store(anna).pk}{path}", "")

    assert (response.status_code, response.json()["code"]) == (401, "auth.required")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/content"), ("DELETE", "")])
def test_foreign_unknown_deleted_and_misspelt_files_answer_alike(
    anna: Customer, bearer: str, method: str, path: str
) -> None:
    foreign, gone = store(make_customer()).pk, store(anna).pk
    delete_file(make_context(anna), customer_id=anna.pk, file_id=gone)
    answers = []
    for file_id in (foreign, gone, uuid4(), "nonsense"):
        response = send(method, f"{file_id}{path}", bearer)
        body = response.json()
        del body["trace"]
        answers.append((response.status_code, body))

    assert answers == [(404, {"code": "file.not_found", "message": FILE_NOT_FOUND.message, "retryable": False})] * 4
    denied = AuditEntry.objects.filter(action="access.denied").order_by("occurred_at")
    assert [(entry.subject, entry.subject_id, entry.customer_id) for entry in denied][:2] == [
        ("file", str(foreign), anna.pk),
        ("file", str(gone), anna.pk),
    ]
    assert denied.last() is not None
    assert [entry.subject_id for entry in denied][3] == str(UUID(int=0))
    assert StoredFile.objects.get(pk=foreign).state == FileState.STORED


def test_foreign_and_unknown_files_cost_the_same(
    bearer: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    foreign = store(make_customer()).pk
    # Session, file, savepoint, entry, savepoint.
    for key in (foreign, uuid4(), "nonsense"):
        with django_assert_num_queries(5):
            send("GET", str(key), bearer)


def test_delete_file_answers_nothing_and_then_not_found(anna: Customer, bearer: str) -> None:
    file = store(anna)

    assert send("DELETE", str(file.pk), bearer).status_code == 204
    assert send("DELETE", str(file.pk), bearer).status_code == 404
    assert send("GET", f"{file.pk}/content", bearer).status_code == 404
    assert AuditEntry.objects.filter(action="file.deleted").count() == 1


def test_get_content_that_cannot_be_decrypted_fails_closed(anna: Customer, bearer: str, settings: Settings) -> None:
    file = store(anna)
    settings.FILE_ENCRYPTION_KEYS = "2030:" + "B" * 43 + "="

    response = send("GET", f"{file.pk}/content", bearer)

    assert (response.status_code, response.json()["code"]) == (500, "server.internal")


def test_put_on_files_is_not_known(bearer: str) -> None:
    assert Client().put(FILES, headers={"Authorization": bearer}).json()["code"] == "method.not_allowed"


def test_list_messages_shows_files_also_those_that_are_gone(anna: Customer, bearer: str) -> None:
    file = store(anna, name="чек.png")
    asked = ask(anna, file_ids=(file.pk,))
    path = f"/api/v1/conversations/{asked.conversation_id}/messages"
    shown = {
        "id": str(file.pk),
        "kind": "image",
        "media_type": "image/png",
        "name": "чек.png",
        "bytes": file.size_bytes,
        "gone": False,
    }

    before = Client().get(path, headers={"Authorization": bearer}).json()["results"][0]["files"]
    delete_file(make_context(anna), customer_id=anna.pk, file_id=file.pk)
    after = Client().get(path, headers={"Authorization": bearer}).json()["results"][0]["files"]

    assert before == [shown]
    assert after == [{**shown, "gone": True}]


def test_post_of_forty_megabytes_needs_little_more_than_a_few_copies(bearer: str) -> None:
    """The test client holds the body twice itself; what the server adds is what is measured."""
    body = b"".join(
        [
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n',
            b"a" * MAX_FILE_BYTES,
            b"\r\n--x--\r\n",
        ]
    )
    assert len(body) < MAX_BODY_BYTES
    client = Client()
    tracemalloc.start()

    response = client.generic("POST", FILES, body, "multipart/form-data; boundary=x", headers={"Authorization": bearer})

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert response.status_code == 201
    assert response.json()["bytes"] == MAX_FILE_BYTES
    # The part, the text decoded, encoded again, encrypted, and the in-memory storage's own copies.
    assert peak < 7 * MAX_FILE_BYTES


def test_openapi_names_the_paths_of_files() -> None:
    document = orjson.loads(Client().get("/api/v1/schema").content)

    assert {path for path in document["paths"] if "/files" in path} == {
        "/api/v1/files",
        "/api/v1/files/{file_id}",
        "/api/v1/files/{file_id}/content",
    }

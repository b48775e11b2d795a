"""Storing, attaching and deleting files: rows, bytes, evidence and events together."""

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from django.core.files.storage import storages
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import Customer
from audit.enums import AuditAction
from audit.models import AuditEntry
from chat.enums import FileKind, FileState
from chat.errors import FileFormatRefused, FileTooBig, FileUnknown, FileUnreadable, MessageConflict, TooManyFiles
from chat.files.storage import build_path, list_stored_ids, read_content
from chat.models import ConversationEvent, Message, MessageFile, StoredFile, Turn
from chat.services.files import attach_files, delete_file, describe_file, erase_file, store_file
from chat.services.turns import AcceptedTurn, start_turn
from tests.factories.accounts import make_customer
from tests.factories.chat import make_context, make_submission
from tests.factories.files import SECRET_PLACE, make_image, make_photo, make_png_bomb, store

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Customer:
    return make_customer("anna")


def read_body(entry: AuditEntry) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(bytes(entry.body))
    return body


def submit(
    customer: Customer, file_ids: tuple[UUID, ...], *, conversation_id: UUID | None = None, mid: UUID | None = None
) -> AcceptedTurn:
    return start_turn(
        make_context(customer),
        customer_id=customer.pk,
        conversation_id=conversation_id or uuid4(),
        submission=make_submission(mid=mid, file_ids=file_ids),
    )


def test_store_file_keeps_a_clean_encrypted_picture_and_its_evidence(anna: Customer) -> None:
    file = store_file(make_context(anna), customer_id=anna.pk, name="Отпуск.jpeg", content=make_photo())

    row = StoredFile.objects.get()
    assert (row.pk, row.customer_id, row.kind, row.media_type) == (file.pk, anna.pk, FileKind.IMAGE, "image/jpeg")
    assert (row.name, row.state) == ("Отпуск.jpg", FileState.STORED)
    content = read_content(row.pk)
    assert len(content) == row.size_bytes
    assert SECRET_PLACE not in content
    with storages["files"].open(build_path(row.pk)) as stored:
        assert content[:100] not in stored.read()
    entry = AuditEntry.objects.get(action=AuditAction.FILE_STORED)
    assert (entry.customer_id, entry.subject, entry.subject_id) == (anna.pk, "file", str(row.pk))
    assert read_body(entry)["details"] == {"kind": "image", "bytes": row.size_bytes, "sha256": row.sha256}
    assert "Отпуск" not in bytes(entry.body).decode()


@pytest.mark.parametrize(
    ("content", "error", "reason"),
    [(b"GIF89a\0", FileFormatRefused, "unknown"), (make_png_bomb(), FileTooBig, "pixels")],
)
def test_store_file_refused_leaves_nothing_but_evidence(
    anna: Customer, content: bytes, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error):
        store_file(make_context(anna), customer_id=anna.pk, name="a.png", content=content)

    assert StoredFile.objects.count() == 0
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.outcome, entry.customer_id) == ("file.refused", "refused", anna.pk)
    assert read_body(entry)["details"] == {"reason": reason, "bytes": len(content)}


@pytest.mark.django_db(transaction=True)
def test_store_file_whose_row_cannot_be_written_removes_the_bytes(anna: Customer) -> None:
    before = set(list_stored_ids(timezone.now(), days=1))

    with pytest.raises(IntegrityError):
        store_file(make_context(anna), customer_id=uuid4(), name="a.png", content=make_image())

    assert StoredFile.objects.count() == 0
    assert set(list_stored_ids(timezone.now(), days=1)) == before


def test_store_file_above_the_hourly_rate_is_refused_before_anything_is_read(
    anna: Customer, settings: Settings
) -> None:
    settings.FILES_PER_HOUR = 2
    first, _second = store(anna), store(anna)
    store(make_customer())

    with pytest.raises(TooManyFiles) as caught:
        store_file(make_context(anna), customer_id=anna.pk, name="a", content=b"")

    assert 3_590_000 < caught.value.retry_after_ms <= 3_600_001
    StoredFile.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(minutes=61))
    store(anna)


def test_start_turn_with_a_file_ties_it_to_message_event_and_evidence(anna: Customer) -> None:
    file = store(anna)

    accepted = submit(anna, (file.pk,))

    message = Message.objects.get(pk=accepted.question_id)
    assert [(row.file_id, row.position) for row in message.attached.all()] == [(file.pk, 0)]
    event = orjson.loads(ConversationEvent.objects.get(type="turn.accepted").body)
    assert event["files"] == [
        {
            "id": str(file.pk),
            "kind": "image",
            "media_type": "image/png",
            "name": "image.png",
            "bytes": file.size_bytes,
        }
    ]
    entry = AuditEntry.objects.get(action=AuditAction.FILE_ATTACHED)
    assert (entry.turn_id, entry.customer_id) == (accepted.turn_id, anna.pk)
    assert read_body(entry)["details"] == {"file": str(file.pk), "sha256": file.sha256}


def test_start_turn_without_files_says_nothing_of_them(anna: Customer) -> None:
    submit(anna, ())

    assert "files" not in orjson.loads(ConversationEvent.objects.get(type="turn.accepted").body)


def make_foreign(_customer: Customer) -> UUID:
    return store(make_customer()).pk


def make_unknown(_customer: Customer) -> UUID:
    return uuid4()


def make_deleted(customer: Customer) -> UUID:
    file = store(customer)
    delete_file(make_context(customer), customer_id=customer.pk, file_id=file.pk)
    return file.pk


@pytest.mark.parametrize("make", [make_foreign, make_unknown, make_deleted])
def test_start_turn_with_a_file_one_cannot_have_stores_nothing(anna: Customer, make: Any) -> None:
    file_id = make(anna)

    with pytest.raises(FileUnknown) as caught:
        submit(anna, (file_id,))

    assert (caught.value.file_id, caught.value.position) == (file_id, 0)
    assert (Turn.objects.count(), Message.objects.count(), MessageFile.objects.count()) == (0, 0, 0)
    assert ConversationEvent.objects.count() == 0


def test_start_turn_repeated_with_another_file_is_a_conflict(anna: Customer) -> None:
    conversation_id, mid, file = uuid4(), uuid4(), store(anna)
    first = submit(anna, (file.pk,), conversation_id=conversation_id, mid=mid)

    again = submit(anna, (file.pk,), conversation_id=conversation_id, mid=mid)

    assert (again.turn_id, again.is_duplicate) == (first.turn_id, True)
    assert MessageFile.objects.count() == 1
    for other in ((), (store(anna).pk,)):
        with pytest.raises(MessageConflict):
            submit(anna, other, conversation_id=conversation_id, mid=mid)


def test_attach_files_keeps_their_order_and_names_the_first_unknown(anna: Customer) -> None:
    accepted = submit(anna, ())
    turn, message = Turn.objects.get(), Message.objects.get(pk=accepted.question_id)
    one, other = store(anna), store(anna)

    files = attach_files(make_context(anna), turn, message, customer_id=anna.pk, file_ids=(other.pk, one.pk))

    assert [file.pk for file in files] == [other.pk, one.pk]
    assert [row.file_id for row in message.attached.all()] == [other.pk, one.pk]
    unknown, third = uuid4(), store(anna).pk
    with pytest.raises(FileUnknown) as caught, transaction.atomic():
        attach_files(make_context(anna), turn, message, customer_id=anna.pk, file_ids=(third, unknown))
    assert (caught.value.file_id, caught.value.position) == (unknown, 1)


def test_delete_file_takes_it_from_everybody_and_removes_the_bytes(
    anna: Customer, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    file = store(anna)

    with django_capture_on_commit_callbacks(execute=True):
        delete_file(make_context(anna), customer_id=anna.pk, file_id=file.pk)

    row = StoredFile.objects.get()
    assert row.state == FileState.ERASED
    assert row.deleted_at is not None
    assert describe_file(row).gone is True
    with pytest.raises(FileUnreadable):
        read_content(file.pk)
    entry = AuditEntry.objects.get(action=AuditAction.FILE_DELETED)
    assert (entry.subject_id, entry.customer_id) == (str(file.pk), anna.pk)
    assert read_body(entry)["details"] == {"reason": "customer"}


def test_delete_file_twice_or_by_a_stranger_finds_nothing(anna: Customer) -> None:
    file, stranger = store(anna), make_customer()

    with pytest.raises(FileUnknown):
        delete_file(make_context(stranger), customer_id=stranger.pk, file_id=file.pk)
    assert StoredFile.objects.get().state == FileState.STORED

    delete_file(make_context(anna), customer_id=anna.pk, file_id=file.pk)
    with pytest.raises(FileUnknown):
        delete_file(make_context(anna), customer_id=anna.pk, file_id=file.pk)
    assert AuditEntry.objects.filter(action=AuditAction.FILE_DELETED).count() == 1


def test_delete_file_in_a_storage_that_fails_stays_deleted_for_the_sweeper(
    anna: Customer,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    file = store(anna)
    settings.STORAGES = {**settings.STORAGES, "files": {"BACKEND": "tests.fakes.storage.FailingStorage"}}

    with caplog.at_level(logging.ERROR), django_capture_on_commit_callbacks(execute=True):
        delete_file(make_context(anna), customer_id=anna.pk, file_id=file.pk)

    assert StoredFile.objects.get().state == FileState.DELETED
    assert "erase_file" in caplog.text


def test_erase_file_that_was_not_deleted_keeps_its_state(anna: Customer) -> None:
    file = store(anna)

    erase_file(file.pk)

    assert StoredFile.objects.get().state == FileState.STORED

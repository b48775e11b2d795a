"""Customers' files: store one, attach it to a message, delete it.

Bytes are written before the row that speaks of them and removed after the row says that they are gone, so a crash
leaves bytes that `manage.py sweep_files` finds, never a row without bytes.
"""

import hashlib
import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry, record_refusal
from chat.enums import FileKind, FileState
from chat.errors import FileRefused, FileUnknown, TooManyFiles
from chat.files.cleaning import CleanFile, clean_file
from chat.files.names import clean_name
from chat.files.storage import remove_content, write_content
from chat.models import Message, MessageFile, StoredFile, Turn
from chat.protocol.bodies import FileBody
from chat.services.endings import record_turn

logger = logging.getLogger(__name__)

HOUR = timedelta(hours=1)


def store_file(context: AuditContext, *, customer_id: UUID, name: str, content: bytes) -> StoredFile:
    """Clean `content`, encrypt it, keep it; row and audit entry commit together, after the bytes are in storage.

    name  as the phone called it; decides nothing
    Raises: TooManyFiles, FileTooBig, FileFormatRefused (recorded), and whatever a failing storage raises
    """
    refuse_above_file_rate(customer_id)
    try:
        cleaned = clean_file(content)
    except FileRefused as error:
        record_refused_file(context, customer_id, error, size_bytes=len(content))
        raise
    file = build_file(customer_id, name, cleaned)
    write_content(file.pk, cleaned.content)
    try:
        save_file(context, file)
    except BaseException:
        remove_content(file.pk)
        raise
    return file


def refuse_above_file_rate(customer_id: UUID) -> None:
    """Raise TooManyFiles when the customer used up the files of the last hour."""
    limit = settings.FILES_PER_HOUR
    since = timezone.now() - HOUR
    recent = StoredFile.objects.filter(customer_id=customer_id, created_at__gt=since)
    newest = list(recent.order_by("-created_at").values_list("created_at", flat=True)[:limit])
    if len(newest) == limit:
        wait = newest[-1] - since
        raise TooManyFiles(limit=limit, retry_after_ms=int(wait.total_seconds() * 1000) + 1)


def record_refused_file(context: AuditContext, customer_id: UUID, error: FileRefused, *, size_bytes: int) -> None:
    record_refusal(
        context,
        AuditAction.FILE_REFUSED,
        subject="file",
        subject_id="",
        customer_id=customer_id,
        details={"reason": error.reason, "bytes": size_bytes},
    )


def build_file(customer_id: UUID, name: str, cleaned: CleanFile) -> StoredFile:
    return StoredFile(
        pk=uuid7(),
        customer_id=customer_id,
        kind=cleaned.kind,
        media_type=cleaned.media_type,
        name=clean_name(name, cleaned.media_type),
        size_bytes=len(cleaned.content),
        sha256=hashlib.sha256(cleaned.content).hexdigest(),
        created_at=timezone.now(),
    )


@transaction.atomic(durable=True)
def save_file(context: AuditContext, file: StoredFile) -> None:
    file.save(force_insert=True)
    record_entry(
        context,
        AuditAction.FILE_STORED,
        subject="file",
        subject_id=str(file.pk),
        customer_id=file.customer_id,
        details={"kind": file.kind, "bytes": file.size_bytes, "sha256": file.sha256},
    )


def attach_files(
    context: AuditContext, turn: Turn, message: Message, *, customer_id: UUID, file_ids: Sequence[UUID]
) -> list[StoredFile]:
    """Tie the customer's files to a message that was just stored, in the caller's transaction; return them in order.

    Raises: FileUnknown for the first that is unknown, foreign or deleted.
    """
    # Locked, so that a file cannot be deleted between this look and the commit.
    own = StoredFile.objects.select_for_update(no_key=True).filter(customer_id=customer_id, state=FileState.STORED)
    found = own.in_bulk(list(file_ids)) if file_ids else {}
    for position, file_id in enumerate(file_ids):
        if file_id not in found:
            raise FileUnknown(file_id, position)
    for position, file_id in enumerate(file_ids):
        MessageFile.objects.create(message=message, file=found[file_id], position=position)
        record_turn(
            context,
            AuditAction.FILE_ATTACHED,
            turn,
            customer_id=customer_id,
            details={"file": str(file_id), "sha256": found[file_id].sha256},
        )
    return [found[file_id] for file_id in file_ids]


def delete_file(context: AuditContext, *, customer_id: UUID, file_id: UUID) -> None:
    """Put a file out of everybody's reach, then remove its bytes; copies at GigaChat go with the next sweep.

    Raises: FileUnknown
    """
    with transaction.atomic(durable=True):
        file = StoredFile.objects.select_for_update().filter(pk=file_id, customer_id=customer_id).first()
        if file is None or file.state != FileState.STORED:
            raise FileUnknown(file_id)
        mark_deleted(context, file, reason="customer")


def mark_deleted(context: AuditContext, file: StoredFile, *, reason: str) -> None:
    """Say in the locked row that the file is gone; its bytes follow when the caller's transaction commits."""
    file.state = FileState.DELETED
    file.deleted_at = timezone.now()
    file.save(update_fields=["state", "deleted_at"])
    record_entry(
        context,
        AuditAction.FILE_DELETED,
        subject="file",
        subject_id=str(file.pk),
        customer_id=file.customer_id,
        details={"reason": reason},
    )
    # A storage that fails is logged here and asked again by the sweeper.
    transaction.on_commit(lambda: erase_file(file.pk), robust=True)


def erase_file(file_id: UUID) -> None:
    """Remove the bytes of a deleted file, and say so in its row."""
    remove_content(file_id)
    StoredFile.objects.filter(pk=file_id, state=FileState.DELETED).update(state=FileState.ERASED)


def describe_file(file: StoredFile) -> FileBody:
    """Return what phones are told of a file."""
    return FileBody(
        id=file.pk,
        kind="image" if file.kind == FileKind.IMAGE else "document",
        media_type=file.media_type,
        name=file.name,
        bytes=file.size_bytes,
        gone=None if file.state == FileState.STORED else True,
    )


def describe_files(message: Message) -> tuple[FileBody, ...] | None:
    """Return the files of a message, None when it has none; the relation is best prefetched."""
    return tuple(describe_file(attached.file) for attached in message.attached.all()) or None

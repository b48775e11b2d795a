"""What happens to stored files by themselves: the old and the unused go, and storage and rows are made to agree.

Every act is short and may be repeated or run twice at once; `manage.py sweep_files` calls them.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from audit.context import AuditContext
from chat.enums import FileState
from chat.files.storage import list_stored_ids, read_moment, remove_content
from chat.models import MessageFile, StoredFile
from chat.services.files import erase_file, mark_deleted

# A file that nobody asked about by then was chosen by mistake.
UNUSED_LIFE = timedelta(hours=24)
# Bytes without a row that are younger may be of an upload that is just being stored.
STRAY_AGE = timedelta(hours=1)
# Storage is searched this far back: a sweeper that did not run for a week leaves strays behind.
STRAY_DAYS = 7
BATCH = 500


def retire_files(context: AuditContext, now: datetime) -> int:
    """Delete files past FILE_RETENTION_DAYS, and those no message uses after a day; return how many."""
    due = Q(~is_used(), created_at__lt=now - UNUSED_LIFE)
    if settings.FILE_RETENTION_DAYS:
        due |= Q(created_at__lt=now - timedelta(days=settings.FILE_RETENTION_DAYS))
    rows = StoredFile.objects.filter(due, state=FileState.STORED).order_by("created_at")
    return sum(retire_file(context, file_id, due) for file_id in rows.values_list("pk", flat=True)[:BATCH])


def is_used() -> Exists:
    return Exists(MessageFile.objects.filter(file_id=OuterRef("pk")))


@transaction.atomic(durable=True)
def retire_file(context: AuditContext, file_id: UUID, due: Q) -> bool:
    """Delete the file unless it was deleted, or attached to a message, since it was found."""
    if not StoredFile.objects.select_for_update().filter(pk=file_id, state=FileState.STORED).exists():
        return False
    # Looked at under the lock that attaching takes, too.
    file = StoredFile.objects.filter(due, pk=file_id).annotate(is_used=is_used()).first()
    if file is None:
        return False
    mark_deleted(context, file, reason="retention" if file.is_used else "unused")
    return True


def erase_deleted_files() -> int:
    """Remove the bytes of deleted files where that failed before; return how many."""
    left = list(StoredFile.objects.filter(state=FileState.DELETED).values_list("pk", flat=True)[:BATCH])
    for file_id in left:
        erase_file(file_id)
    return len(left)


def remove_strays(now: datetime) -> int:
    """Remove bytes whose row was never written; return how many."""
    found = [file_id for file_id in list_stored_ids(now, STRAY_DAYS) if read_moment(file_id) < now - STRAY_AGE]
    removed = 0
    for start in range(0, len(found), BATCH):
        batch = found[start : start + BATCH]
        known = set(StoredFile.objects.filter(pk__in=batch).values_list("pk", flat=True))
        for file_id in set(batch) - known:
            remove_content(file_id)
            removed += 1
    return removed

"""Files at GigaChat and in our storage, cleaned up; every step may be repeated at any time. Blocks: for a command."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.context import AuditContext
from chat.engine.upstream import FileCalls
from chat.enums import CopyState
from chat.files.names import find_copy_id
from chat.gigachat.errors import FileLost, GigaChatError
from chat.gigachat.rest_types import UploadedFile
from chat.models import GigaChatFile
from chat.services.copies import (
    find_reason,
    give_up_sendings,
    list_due_copies,
    list_recent_clients,
    withdraw_copy,
)
from chat.services.file_upkeep import erase_deleted_files, remove_strays, retire_files

logger = logging.getLogger(__name__)

# An upload that has not ended by then never will: its turn's deadline is shorter.
SENDING_LIFE = timedelta(minutes=30)
# Where copies that the register does not know are looked for.
ORPHAN_SEARCH = timedelta(hours=48)


@dataclass(slots=True)
class SweepReport:
    """How many of each were cleaned up; `fault` is the code of the error that kept GigaChat out of it."""

    retired: int = 0
    erased: int = 0
    strays: int = 0
    withdrawn: int = 0
    vanished: int = 0
    orphans: int = 0
    given_up: int = 0
    fault: str = ""


def sweep_files(calls: FileCalls, context: AuditContext, now: datetime) -> SweepReport:
    """Delete what is due, here and at GigaChat, and say how much it was.

    Files are deleted here first, so that their copies are due in the same sweep.
    """
    report = SweepReport(retired=retire_files(context, now))
    report.erased = erase_deleted_files()
    report.strays = remove_strays(now)
    try:
        withdraw_due_copies(calls, context, now, report)
        remove_orphans(calls, context, now, report)
    except GigaChatError as error:
        report.fault = error.code
        logger.warning("GigaChat's files were not swept", extra={"error": error.code})
    return report


def withdraw_due_copies(calls: FileCalls, context: AuditContext, now: datetime, report: SweepReport) -> None:
    """Raises: GigaChatError; what was deleted until then is noted"""
    while copies := list_due_copies(now):
        for copy in copies:
            was_there = delete_copy(calls, copy.provider_id or "", copy.client_id)
            state = CopyState.DELETED if was_there else CopyState.LOST
            withdraw_copy(context, copy, state, reason=find_reason(copy, now))
            report.withdrawn += was_there
            report.vanished += not was_there


def delete_copy(calls: FileCalls, provider_id: str, client_id: str) -> bool:
    """Delete a file at GigaChat; False when it was not there. Raises: GigaChatError"""
    try:
        calls.delete_file(provider_id, client_id=client_id)
    except FileLost:
        return False
    return True


def remove_orphans(calls: FileCalls, context: AuditContext, now: datetime, report: SweepReport) -> None:
    """Delete files of ours at GigaChat that the register does not hold for usable. Raises: GigaChatError

    Only files named after a row of the register are touched: the account may serve other systems, too.
    """
    for client_id in list_recent_clients(now - ORPHAN_SEARCH, now - SENDING_LIFE):
        for listed in calls.list_files(client_id=client_id):
            copy = find_orphaned_copy(listed, now)
            if copy is None or not delete_copy(calls, listed.file_id, client_id):
                continue
            report.orphans += 1
            # A usable copy of the same name stays usable.
            if copy.state != CopyState.UPLOADED:
                withdraw_copy(context, copy, CopyState.DELETED, reason="orphan")
        report.given_up += give_up_sendings(client_id, now - SENDING_LIFE)


def find_orphaned_copy(listed: UploadedFile, now: datetime) -> GigaChatFile | None:
    """Return the register's row of a file that should not be at GigaChat any more; None when it may stay."""
    copy_id = find_copy_id(listed.filename)
    copy = GigaChatFile.objects.select_related("file").filter(pk=copy_id).first() if copy_id else None
    if copy is None or copy.uploaded_at > now - SENDING_LIFE:
        return None
    is_registered = copy.state == CopyState.UPLOADED and copy.provider_id == listed.file_id
    return None if is_registered else copy

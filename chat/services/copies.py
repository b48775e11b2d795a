"""The register of customers' files at GigaChat: what is there, under whose pseudonym, and until when.

The provider's own retention is not documented: a copy is never used after COPY_LIFE, and deleted there by
`manage.py sweep_files`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from audit.context import AuditContext
from audit.enums import AuditAction, Outcome
from audit.journal import record_entry
from chat.enums import CopyState, FileState
from chat.models import GigaChatFile, MessageFile, StoredFile, Turn
from chat.services.claims import ClaimedRun, build_engine_context
from chat.services.endings import record_turn

COPY_LIFE = timedelta(hours=24)
# A copy that ends while the model reads it is of no use.
COPY_MARGIN = timedelta(minutes=15)
BATCH = 500
ALIVE = (CopyState.SENDING, CopyState.UPLOADED)


def find_copies(file_ids: Iterable[UUID], client_id: str) -> dict[UUID, str]:
    """Return GigaChat's ids of those files that can be used for a while still, by file."""
    usable = GigaChatFile.objects.filter(
        file_id__in=list(file_ids),
        client_id=client_id,
        state=CopyState.UPLOADED,
        expires_at__gt=timezone.now() + COPY_MARGIN,
    )
    return {copy.file_id: copy.provider_id or "" for copy in usable.order_by("uploaded_at")}


def begin_copy(file: StoredFile, client_id: str) -> GigaChatFile:
    """Note that a copy is about to be made, before the first byte leaves."""
    now = timezone.now()
    return GigaChatFile.objects.create(
        file=file, client_id=client_id, uploaded_at=now, expires_at=now + COPY_LIFE, state=CopyState.SENDING
    )


@transaction.atomic(durable=True)
def finish_copy(claimed: ClaimedRun, copy: GigaChatFile, provider_id: str, *, engine: str) -> None:
    """Note what GigaChat calls the copy; from now on prompts may name it."""
    GigaChatFile.objects.filter(pk=copy.pk).update(provider_id=provider_id, state=CopyState.UPLOADED, ended_at=None)
    record_sent(claimed, copy, engine=engine, outcome=Outcome.OK, reason="")


@transaction.atomic(durable=True)
def fail_copy(claimed: ClaimedRun, copy: GigaChatFile, reason: str, *, engine: str, is_certain: bool) -> None:
    """Note that no copy was made, or that nobody knows: then the sweeper looks for it.

    reason  a closed code of the client
    """
    if is_certain:
        end_copies(GigaChatFile.objects.filter(pk=copy.pk).values_list("pk", flat=True), CopyState.LOST)
    record_sent(claimed, copy, engine=engine, outcome=Outcome.FAILED, reason=reason)


def record_sent(claimed: ClaimedRun, copy: GigaChatFile, *, engine: str, outcome: Outcome, reason: str) -> None:
    record_turn(
        build_engine_context(engine),
        AuditAction.FILE_SENT,
        Turn(pk=claimed.turn_id, conversation_id=claimed.conversation_id),
        customer_id=claimed.customer_id,
        details={"file": str(copy.file_id), "copy": str(copy.pk), "reason": reason},
        outcome=outcome,
    )


def lose_copies(provider_ids: Iterable[str]) -> None:
    """Note that GigaChat no longer has them; the next question uploads them again."""
    copies = GigaChatFile.objects.filter(provider_id__in=list(provider_ids), state=CopyState.UPLOADED)
    end_copies(copies.values_list("pk", flat=True), CopyState.LOST)


def end_copies(copy_ids: Iterable[UUID], state: CopyState) -> int:
    """Move living copies to a final state; return how many there were."""
    living = GigaChatFile.objects.filter(pk__in=list(copy_ids), state__in=ALIVE)
    return living.update(state=state, ended_at=timezone.now())


def list_due_copies(now: datetime) -> list[GigaChatFile]:
    """Return the copies that GigaChat should no longer have: too old, of a deleted file, or of closed conversations."""
    open_use = MessageFile.objects.filter(file_id=OuterRef("file_id"), message__conversation__closed_at__isnull=True)
    due = Q(expires_at__lte=now) | ~Q(file__state=FileState.STORED) | ~Exists(open_use)
    copies = GigaChatFile.objects.filter(due, state=CopyState.UPLOADED).select_related("file")
    return list(copies.order_by("expires_at")[:BATCH])


def find_reason(copy: GigaChatFile, now: datetime) -> str:
    """Return why a due copy has to go."""
    if copy.file.state != FileState.STORED:
        return "file_deleted"
    return "expired" if copy.expires_at <= now else "conversation_closed"


def list_recent_clients(since: datetime, stale_before: datetime) -> list[str]:
    """Return the pseudonyms under which files were sent since then, or sent at any time and never heard of."""
    recent = Q(uploaded_at__gt=since) | Q(state=CopyState.SENDING, uploaded_at__lt=stale_before)
    return list(
        GigaChatFile.objects.filter(recent).order_by("client_id").values_list("client_id", flat=True).distinct()
    )


@transaction.atomic(durable=True)
def withdraw_copy(context: AuditContext, copy: GigaChatFile, state: CopyState, *, reason: str) -> None:
    """Note that a copy was deleted at GigaChat (DELETED), or was not there any more (LOST).

    reason  why it had to go
    """
    end_copies([copy.pk], state)
    record_entry(
        context,
        AuditAction.FILE_WITHDRAWN,
        subject="file",
        subject_id=str(copy.file_id),
        customer_id=copy.file.customer_id,
        details={"copy": str(copy.pk), "reason": reason, "found": state == CopyState.DELETED},
    )


def give_up_sendings(client_id: str, before: datetime) -> int:
    """Note that copies begun before that moment are not at GigaChat, where they were looked for; return how many."""
    stale = GigaChatFile.objects.filter(client_id=client_id, state=CopyState.SENDING, uploaded_at__lt=before)
    return end_copies(stale.values_list("pk", flat=True), CopyState.LOST)

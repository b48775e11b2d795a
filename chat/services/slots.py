"""Taking and giving back GigaChat's parallel streams. A slot is held as long as the connection is open."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from chat.models import StreamSlot


def prepare_slots() -> None:
    """Make a row for each stream the licence allows; rows that exist are left alone."""
    numbers = range(1, settings.GIGACHAT_STREAMS + 1)
    StreamSlot.objects.bulk_create([StreamSlot(number=number) for number in numbers], ignore_conflicts=True)


def take_slot(run_id: UUID, *, now: datetime, until: datetime) -> bool:
    """Hold a free slot for the run until `until`; False when all are taken. Inside the claim's transaction."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    slots = StreamSlot.objects.filter(free, number__lte=settings.GIGACHAT_STREAMS)
    # Skipping locked rows: two engines that claim at the same moment take two slots instead of waiting for one.
    slot = slots.select_for_update(skip_locked=True).order_by("number").first()
    if slot is None:
        return False
    slot.run_id = run_id
    slot.lease_until = until
    slot.save(update_fields=["run_id", "lease_until"])
    return True


def renew_slots(run_ids: Iterable[UUID], until: datetime) -> None:
    """Extend the slots the runs hold."""
    StreamSlot.objects.filter(run_id__in=list(run_ids)).update(lease_until=until)


def release_slots(run_ids: Iterable[UUID]) -> None:
    """Give the slots back; call when the connection is closed. Repeating is harmless."""
    StreamSlot.objects.filter(run_id__in=list(run_ids)).update(run_id=None, lease_until=None)

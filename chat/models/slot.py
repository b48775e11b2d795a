"""GigaChat's parallel streams, shared by every process of the installation."""

from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class StreamSlot(models.Model):
    """One row: one of the streams the licence allows at the same time, and the run that holds it.

    Free when `lease_until` is null or past: the slot of a dead process comes back by its lease. Rows above the
    licensed number stay and are never taken.

    Personal data: none.
    """

    number = models.PositiveSmallIntegerField(primary_key=True)
    run_id: UUID | None = models.UUIDField(null=True, blank=True)  # type: ignore[assignment]  # the run may end first
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("stream slot")
        verbose_name_plural = _("stream slots")
        constraints = [
            models.UniqueConstraint(fields=["run_id"], name="one_slot_per_run"),
            models.CheckConstraint(
                condition=models.Q(run_id__isnull=True) ^ models.Q(lease_until__isnull=False),
                name="held_slot_has_a_lease",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.number)

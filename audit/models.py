"""The evidence: one table, insert only."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from audit.enums import ActorKind, AuditAction, Origin, Outcome

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def list_actions() -> "list[tuple[str, StrOrPromise]]":
    """The catalogue as choices; a callable, so that a new action needs no migration."""
    return [(action.value, action.label) for action in AuditAction]


class ClockTimestamp(models.Func):
    """The database's clock at the moment of the insert; `now()` would be the start of the transaction."""

    function = "clock_timestamp"
    arity = 0
    output_field = models.DateTimeField()


class AuditEntry(models.Model):
    """One row: one recorded fact. Inserted by `audit.journal` only; triggers refuse UPDATE, DELETE and TRUNCATE.

    `body` is the evidence: canonical JSON (`audit.canonical`), kept as the very bytes that are hashed; it names its
    own version and log, so a row can be proved without knowing this table. `digest` is its leaf hash in an RFC 6962
    tree, SHA-256(0x00 ‖ body). Every other column repeats something of the body for filtering, except `recorded_at`,
    which is the database's word against the server's `occurred_at`. Chains, tree positions and signatures belong in
    tables beside this one, keyed by `id`: no row is ever rewritten. Ids are plain values, not foreign keys, because
    evidence outlives what it speaks of.

    Personal data: ids of customers and staff (random, no names). Addresses and login names appear only as keyed
    digests; message text never. Kept for ever.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    body = models.BinaryField()
    digest = models.BinaryField(max_length=32)
    action = models.CharField(_("action"), max_length=48, choices=list_actions)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome)
    actor_kind = models.CharField(_("actor kind"), max_length=16, choices=ActorKind)
    actor_id = models.CharField(_("actor"), max_length=128, blank=True)
    origin = models.CharField(_("origin"), max_length=16, choices=Origin)
    subject = models.CharField(_("subject kind"), max_length=48)
    subject_id = models.CharField(_("subject"), max_length=256, blank=True)
    customer_id = models.UUIDField(_("customer"), null=True, blank=True)
    conversation_id = models.UUIDField(_("conversation"), null=True, blank=True)
    turn_id = models.UUIDField(_("turn"), null=True, blank=True)
    request_id = models.CharField(_("request"), max_length=128, blank=True)
    occurred_at = models.DateTimeField(_("occurred at"))
    recorded_at = models.DateTimeField(_("recorded at"), db_default=ClockTimestamp(), editable=False)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        default_permissions = ("view",)
        permissions = [("export_auditentry", _("Can export audit entries"))]
        # Every list and export is "one column, newest first", so each index ends with the keyset (occurred_at, id).
        indexes = [
            models.Index(fields=["occurred_at", "id"], name="entry_by_time"),
            models.Index(fields=["action", "occurred_at", "id"], name="entry_by_action"),
            models.Index(fields=["outcome", "occurred_at", "id"], name="entry_by_outcome"),
            models.Index(fields=["actor_id", "occurred_at", "id"], name="entry_by_actor"),
            models.Index(fields=["subject_id", "occurred_at", "id"], name="entry_by_subject"),
            models.Index(
                fields=["customer_id", "occurred_at", "id"],
                condition=Q(customer_id__isnull=False),
                name="entry_by_customer",
            ),
            models.Index(
                fields=["conversation_id", "occurred_at", "id"],
                condition=Q(conversation_id__isnull=False),
                name="entry_by_conversation",
            ),
            models.Index(
                fields=["turn_id", "occurred_at", "id"], condition=Q(turn_id__isnull=False), name="entry_by_turn"
            ),
            models.Index(fields=["request_id"], condition=~Q(request_id=""), name="entry_by_request"),
        ]

    @override
    def __str__(self) -> str:
        return str(self.id)

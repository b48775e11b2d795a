"""Calls of functions by the model: what was asked, what it was told, how long it took."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from accounts.models import Customer
from functions.enums import CallStatus, FunctionClass


class FunctionCall(models.Model):
    """One row: one call of the model in one turn. Written once; a waiting one is answered exactly once.

    A recorded result is given again to whoever continues the turn, never computed again.

    name, version, schema_hash  of the function; version 0 and "" when there is none of that name
    said, state_id              what the model wrote beside the call and the provider's id of it: both go back unchanged
    arguments_sealed            the arguments as the model gave them, JSON, encrypted
    arguments_public            what the phone and the staff may see of them: handles and masked values
    result                      the JSON object the model was told; "" while waiting
    code                        closed error code, "" when all is well

    Personal data: said, arguments_sealed, result; kept as long as the conversation.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation_id = models.UUIDField(_("conversation"))
    turn_id = models.UUIDField(_("turn"))
    step = models.PositiveSmallIntegerField(_("step"))
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="function_calls", verbose_name=_("customer")
    )
    name = models.CharField(_("function"), max_length=64)
    kind = models.CharField(_("class"), max_length=8, choices=FunctionClass, blank=True)
    version = models.PositiveSmallIntegerField(_("version"), default=0)
    schema_hash = models.CharField(_("schema hash"), max_length=16, blank=True)
    said = models.TextField(_("text beside the call"), blank=True)
    state_id = models.CharField(_("provider's state"), max_length=128, blank=True)
    arguments_sealed = models.BinaryField(_("sealed arguments"))
    arguments_hash = models.CharField(_("arguments hash"), max_length=64)
    arguments_public = models.JSONField(_("arguments"), default=dict)
    status = models.CharField(_("status"), max_length=8, choices=CallStatus)
    code = models.CharField(_("code"), max_length=32, blank=True)
    result = models.TextField(_("result"), blank=True)
    result_bytes = models.PositiveIntegerField(_("result, bytes"), default=0)
    duration_ms = models.PositiveIntegerField(_("duration, ms"), default=0)
    created_at = models.DateTimeField(_("created at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("function call")
        verbose_name_plural = _("function calls")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="call_by_time"),
            models.Index(fields=["customer", "-created_at", "-id"], name="call_by_customer"),
            models.Index(fields=["conversation_id", "created_at"], name="call_by_conversation"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["turn_id", "step"], name="one_call_per_step"),
            models.CheckConstraint(condition=Q(status__in=CallStatus.values), name="call_status_is_known"),
            models.CheckConstraint(
                condition=Q(status=CallStatus.WAITING, result="", finished_at__isnull=True)
                | (~Q(status=CallStatus.WAITING) & ~Q(result="") & Q(finished_at__isnull=False)),
                name="call_has_a_result_unless_waiting",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.id)

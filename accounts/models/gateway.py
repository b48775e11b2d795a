"""What outside systems were asked about our operations, and what antifraud delayed."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.enums import GatewayAnswer
from accounts.models.customer import Customer
from accounts.models.operation import Operation


class GatewayOrder(models.Model):
    """One row: one operation as an outside system knows it, under the operation's own id and no other.

    Starts with the hold, in its transaction; `answer` becomes final (accepted, refused) exactly once. `unknown` is
    asked again with the same id. Late and repeated answers change nothing.

    Personal data: through its operation, who was paid; kept as long as operations.
    """

    operation = models.OneToOneField(
        Operation, on_delete=models.PROTECT, related_name="gateway_order", verbose_name=_("operation")
    )
    gateway = models.CharField(_("gateway"), max_length=16)
    answer = models.CharField(_("answer"), max_length=16, choices=GatewayAnswer, default=GatewayAnswer.NONE)
    reason = models.CharField(_("reason"), max_length=32, blank=True)
    reference = models.CharField(_("their number"), max_length=64, blank=True)
    attempts = models.PositiveIntegerField(_("times asked"), default=0)
    created_at = models.DateTimeField(_("created at"))
    asked_at = models.DateTimeField(_("last asked at"), null=True, blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)

    class Meta:
        verbose_name = _("gateway order")
        verbose_name_plural = _("gateway orders")
        default_permissions = ("view",)
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=Q(answer__in=[GatewayAnswer.NONE, GatewayAnswer.UNKNOWN]),
                name="gateway_order_open",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(answer__in=[GatewayAnswer.NONE, GatewayAnswer.UNKNOWN], answered_at__isnull=True)
                | Q(answer__in=[GatewayAnswer.ACCEPTED, GatewayAnswer.REFUSED], answered_at__isnull=False),
                name="gateway_order_has_a_time_when_answered",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.pk)


class FlaggedTarget(models.Model):
    """One row: a phone or account that the regulator's database of fraud names, as its keyed digest.

    Personal data: none in the open (digest only); kept as the regulator's list has it.
    """

    target_digest = models.CharField(max_length=64, unique=True)
    listed_on = models.DateField(_("listed on"))

    class Meta:
        verbose_name = _("flagged target")
        verbose_name_plural = _("flagged targets")
        default_permissions = ("view",)

    @override
    def __str__(self) -> str:
        return str(self.pk)


class Suspension(models.Model):
    """One row: one order that antifraud delays: no entry, no money reserved. After `until` the customer is asked again.

    The same order (same `request_hash`) sent again after `until` passes this sign once: `released_at` is set then.
    `signs` are closed codes, separated by commas.

    Personal data: customer, and that an order of hers looked like fraud; kept as long as operations.
    """

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="suspensions", verbose_name=_("customer")
    )
    request_hash = models.CharField(_("request hash"), max_length=64)
    signs = models.CharField(_("signs"), max_length=128)
    created_at = models.DateTimeField(_("created at"))
    until = models.DateTimeField(_("until"))
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)

    class Meta:
        verbose_name = _("suspended order")
        verbose_name_plural = _("suspended orders")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "request_hash"],
                condition=Q(released_at__isnull=True),
                name="suspension_is_one_per_order",
            ),
            models.CheckConstraint(
                condition=Q(until__gt=models.F("created_at")), name="suspension_ends_after_it_starts"
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.pk)

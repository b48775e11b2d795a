"""Operations: what was done with money, each once per idempotency key; and the orders that were refused."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from accounts.enums import OperationKind, OperationSource, OperationStatus
from accounts.models.bill import Bill
from accounts.models.card import Card
from accounts.models.customer import Customer
from accounts.models.payee import Payee

OPEN_OR_DONE = (OperationStatus.PENDING, OperationStatus.POSTED)


class Operation(models.Model):
    """One row: one act with money, from its first entry to its end; entries belong to it while it is pending.

    Its status moves only forward, everything else never changes, no row is deleted (triggers). `idem_scope` and
    `idem_key` make it happen once; `request_hash` tells a repeated order from another one under the same key.
    `confirmation` is the customer's yes it rests on. `reverses` takes a whole operation back, once; `refunds` a part
    of one, never more in sum than it was. A bill has at most one operation that is pending or posted.

    Personal data: customer, description, and through its entries what was paid; kept as the law keeps payments.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid7, editable=False)
    kind = models.CharField(_("kind"), max_length=24, choices=OperationKind)
    customer = models.ForeignKey(
        Customer,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="operations",
        verbose_name=_("customer"),
    )
    status = models.CharField(_("status"), max_length=16, choices=OperationStatus, default=OperationStatus.PENDING)
    source = models.CharField(_("source"), max_length=16, choices=OperationSource)
    confirmation = models.UUIDField(_("confirmation"), null=True, blank=True, unique=True)
    reverses = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reversed_by",
        verbose_name=_("takes back"),
    )
    refunds = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="refunded_by",
        verbose_name=_("refunds a part of"),
    )
    card = models.ForeignKey(
        Card, on_delete=models.PROTECT, null=True, blank=True, related_name="operations", verbose_name=_("card")
    )
    payee = models.ForeignKey(
        Payee, on_delete=models.PROTECT, null=True, blank=True, related_name="operations", verbose_name=_("payee")
    )
    bill = models.ForeignKey(
        Bill, on_delete=models.PROTECT, null=True, blank=True, related_name="operations", verbose_name=_("bill")
    )
    idem_scope = models.CharField(_("idempotency scope"), max_length=64)
    idem_key = models.CharField(_("idempotency key"), max_length=128)
    request_hash = models.CharField(_("request hash"), max_length=64)
    value_date = models.DateField(_("value date"))
    created_at = models.DateTimeField(_("created at"))
    description = models.CharField(_("description"), max_length=140, blank=True)

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        default_permissions = ("view",)
        permissions = [("reverse_operation", _("Can reverse operations"))]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="operation_by_time"),
            models.Index(fields=["customer", "-created_at", "-id"], name="operation_by_customer"),
            models.Index(
                fields=["created_at"], condition=Q(status=OperationStatus.PENDING), name="operation_still_pending"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["idem_scope", "idem_key"], name="operation_key_is_used_once"),
            models.UniqueConstraint(
                fields=["bill"],
                condition=Q(status__in=OPEN_OR_DONE),
                name="operation_pays_a_bill_once",
            ),
            models.CheckConstraint(condition=Q(kind__in=OperationKind.values), name="operation_kind_is_known"),
            models.CheckConstraint(condition=Q(status__in=OperationStatus.values), name="operation_status_is_known"),
            models.CheckConstraint(condition=Q(source__in=OperationSource.values), name="operation_source_is_known"),
            models.CheckConstraint(
                condition=Q(kind=OperationKind.REVERSAL, reverses__isnull=False)
                | (~Q(kind=OperationKind.REVERSAL) & Q(reverses__isnull=True)),
                name="operation_reverses_when_reversal",
            ),
            models.CheckConstraint(
                condition=Q(refunds__isnull=True) | Q(kind=OperationKind.REFUND), name="operation_refunds_when_refund"
            ),
            models.CheckConstraint(
                condition=(Q(reverses__isnull=True) | ~Q(reverses=F("id")))
                & (Q(refunds__isnull=True) | ~Q(refunds=F("id"))),
                name="operation_does_not_undo_itself",
            ),
            models.CheckConstraint(
                condition=~Q(idem_scope="") & ~Q(idem_key="") & Q(request_hash__regex=r"^[0-9a-f]{64}$"),
                name="operation_has_a_key",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.public_id)


class RefusedOrder(models.Model):
    """One row: one order that a rule of the bank refused; the same key gets the same refusal for ever. Immutable.

    Personal data: customer, and that an order of hers was refused; no amounts or names.
    """

    idem_scope = models.CharField(_("idempotency scope"), max_length=64)
    idem_key = models.CharField(_("idempotency key"), max_length=128)
    request_hash = models.CharField(_("request hash"), max_length=64)
    kind = models.CharField(_("kind"), max_length=24, choices=OperationKind)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="refused_orders", verbose_name=_("customer")
    )
    code = models.CharField(_("code"), max_length=32)
    details = models.JSONField(_("details"), default=dict)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("refused order")
        verbose_name_plural = _("refused orders")
        default_permissions = ("view",)
        indexes = [models.Index(fields=["customer", "-created_at", "-id"], name="refused_order_by_customer")]
        constraints = [
            models.UniqueConstraint(fields=["idem_scope", "idem_key"], name="refused_order_key_is_used_once"),
        ]

    @override
    def __str__(self) -> str:
        return str(self.pk)

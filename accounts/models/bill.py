"""Billers and their bills."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from accounts.enums import BillStatus, Category
from accounts.models.customer import Customer


class Biller(models.Model):
    """One row: one company that sends bills.

    Personal data: none.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid7, editable=False)
    code = models.CharField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=100)
    inn = models.CharField(_("INN"), max_length=12, blank=True)
    category = models.CharField(_("category"), max_length=24, choices=Category, default=Category.HOUSING)

    class Meta:
        verbose_name = _("biller")
        verbose_name_plural = _("billers")
        default_permissions = ("view",)

    @override
    def __str__(self) -> str:
        return self.code


class Bill(models.Model):
    """One row: one bill of one customer. `paid` only when an operation that pays it is posted (trigger).

    `reference` is the customer's number at the biller; `details_untrusted` is the biller's own text.

    Personal data: what the customer owes to whom; kept as long as operations.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="bills", verbose_name=_("customer"))
    biller = models.ForeignKey(Biller, on_delete=models.PROTECT, related_name="bills", verbose_name=_("biller"))
    reference = models.CharField(_("reference"), max_length=32)
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, default="RUB")
    due_on = models.DateField(_("due on"))
    period_start = models.DateField(_("period"))
    status = models.CharField(_("status"), max_length=16, choices=BillStatus, default=BillStatus.UNPAID)
    details_untrusted = models.CharField(_("details"), max_length=140, blank=True)
    issued_at = models.DateTimeField(_("issued at"))
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)

    class Meta:
        verbose_name = _("bill")
        verbose_name_plural = _("bills")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["customer", "status", "due_on"], name="bill_by_due_date"),
            models.Index(fields=["-issued_at", "-id"], name="bill_by_time"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["biller", "customer", "reference", "period_start"], name="bill_is_one_per_period"
            ),
            models.CheckConstraint(condition=Q(status__in=BillStatus.values), name="bill_status_is_known"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="bill_amount_is_positive"),
            models.CheckConstraint(
                condition=Q(status=BillStatus.PAID, paid_at__isnull=False)
                | (~Q(status=BillStatus.PAID) & Q(paid_at__isnull=True)),
                name="bill_has_a_time_when_paid",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.public_id)

"""What customers ask the bank for beside payments: statements and disputes."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from accounts.enums import DisputeReason, DisputeStatus, StatementFormat, StatementStatus
from accounts.models.account import Account
from accounts.models.customer import Customer
from accounts.models.line import AccountLine


class StatementRequest(models.Model):
    """One row: one statement a customer ordered, both dates included; the file is made when it is fetched.

    Personal data: customer and account; kept as long as the account.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid7, editable=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="statement_requests", verbose_name=_("customer")
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", verbose_name=_("account"))
    date_from = models.DateField(_("from"))
    date_to = models.DateField(_("to"))
    format = models.CharField(_("format"), max_length=8, choices=StatementFormat)
    status = models.CharField(_("status"), max_length=16, choices=StatementStatus, default=StatementStatus.REQUESTED)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("statement request")
        verbose_name_plural = _("statement requests")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(date_to__gte=models.F("date_from")), name="statement_ends_after_it_starts"
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.public_id)


class Dispute(models.Model):
    """One row: one line a customer disputes; at most one open dispute per line.

    Personal data: `comment` in the customer's words; kept as long as the case may be asked about.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid7, editable=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="disputes", verbose_name=_("customer")
    )
    line = models.ForeignKey(AccountLine, on_delete=models.PROTECT, related_name="disputes", verbose_name=_("line"))
    reason = models.CharField(_("reason"), max_length=16, choices=DisputeReason)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=DisputeStatus, default=DisputeStatus.OPEN)
    created_at = models.DateTimeField(_("created at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["line"], condition=Q(status=DisputeStatus.OPEN), name="dispute_is_one_per_line"
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.public_id)

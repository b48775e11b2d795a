"""How much of a spending limit is used."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models.customer import Customer


class CapUsage(models.Model):
    """One row: what a customer used of one cap in one local day or month, in minor units of `currency`.

    The database refuses to pass the cap. `code` is a limit rule's code, or "card.purchases_day:<card>" for the limits
    the customer set on a card. Money that did not move after all (a refused transfer, a voided hold) is given back.

    Personal data: how much a customer spent in a period; kept as long as operations.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="caps", verbose_name=_("customer"))
    code = models.CharField(_("code"), max_length=64)
    period_start = models.DateField(_("period start"))
    currency = models.CharField(_("currency"), max_length=3)
    used_minor = models.BigIntegerField(_("used"), default=0)
    cap_minor = models.BigIntegerField(_("cap"))

    class Meta:
        verbose_name = _("cap usage")
        verbose_name_plural = _("cap usages")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["customer", "code", "period_start"], name="cap_is_one_per_period"),
            models.CheckConstraint(
                condition=Q(used_minor__gte=0, used_minor__lte=F("cap_minor")), name="cap_is_not_exceeded"
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.pk)

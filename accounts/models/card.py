"""Payment cards; the full number is never stored."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from accounts.enums import CardStatus, CardSystem
from accounts.models.account import Account


class Card(models.Model):
    """One row: one card on one account. Of its number only `bin`, `last4` and a keyed digest are kept.

    Limits are in minor units of the account's currency; null: only the bank's own limits apply. Freezing a card
    leaves its open holds alone. `expires_on` is the last day it pays.

    Personal data: last4, the digest, limits; kept as long as the account.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid7, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="cards", verbose_name=_("account"))
    token = models.CharField(_("token"), max_length=64, unique=True)
    bin = models.CharField(_("issuer digits"), max_length=6)
    last4 = models.CharField(_("last four digits"), max_length=4)
    pan_digest = models.CharField(max_length=64, unique=True, editable=False)
    system = models.CharField(_("network"), max_length=8, choices=CardSystem, default=CardSystem.MIR)
    status = models.CharField(_("status"), max_length=16, choices=CardStatus, default=CardStatus.ACTIVE)
    expires_on = models.DateField(_("expires on"))
    purchases_day_minor = models.BigIntegerField(_("purchases a day"), null=True, blank=True)
    purchases_month_minor = models.BigIntegerField(_("purchases a month"), null=True, blank=True)
    cash_day_minor = models.BigIntegerField(_("cash a day"), null=True, blank=True)
    online_minor = models.BigIntegerField(_("one online purchase"), null=True, blank=True)
    issued_at = models.DateTimeField(_("issued at"))

    class Meta:
        verbose_name = _("card")
        verbose_name_plural = _("cards")
        default_permissions = ("view",)
        indexes = [models.Index(fields=["-issued_at", "-id"], name="card_by_time")]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=CardStatus.values), name="card_status_is_known"),
            models.CheckConstraint(
                condition=Q(bin__regex=r"^[0-9]{6}$", last4__regex=r"^[0-9]{4}$", pan_digest__regex=r"^[0-9a-f]{64}$"),
                name="card_keeps_no_full_number",
            ),
            models.CheckConstraint(
                condition=(Q(purchases_day_minor__isnull=True) | Q(purchases_day_minor__gte=0))
                & (Q(purchases_month_minor__isnull=True) | Q(purchases_month_minor__gte=0))
                & (Q(cash_day_minor__isnull=True) | Q(cash_day_minor__gte=0))
                & (Q(online_minor__isnull=True) | Q(online_minor__gte=0)),
                name="card_limits_are_not_negative",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.public_id)

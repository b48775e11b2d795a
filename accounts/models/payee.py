"""Whom a customer pays."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from accounts.enums import PayeeKind, PayeeOrigin
from accounts.models.bank_directory import BankDirectory
from accounts.models.customer import Customer


class Payee(models.Model):
    """One row: one way a customer may send money to somebody. Kind, target and bank never change (trigger).

    The target (phone or account number) is kept encrypted, with a keyed digest to find it again (`accounts.vault`).
    `shown_name` is masked as the other bank gave it: "Иван И.".

    Personal data: the target and name of another person; kept as long as the customer keeps the payee.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="payees", verbose_name=_("customer"))
    kind = models.CharField(_("kind"), max_length=16, choices=PayeeKind)
    target_sealed = models.BinaryField()
    target_digest = models.CharField(max_length=64, editable=False)
    target_hint = models.CharField(_("last digits"), max_length=4, blank=True)
    shown_name = models.CharField(_("name"), max_length=100)
    bank = models.ForeignKey(
        BankDirectory, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("bank")
    )
    origin = models.CharField(_("origin"), max_length=16, choices=PayeeOrigin)
    created_at = models.DateTimeField(_("created at"))
    first_paid_at = models.DateTimeField(_("first paid at"), null=True, blank=True)
    last_paid_at = models.DateTimeField(_("last paid at"), null=True, blank=True)

    class Meta:
        verbose_name = _("payee")
        verbose_name_plural = _("payees")
        default_permissions = ("view",)
        indexes = [models.Index(fields=["-created_at", "-id"], name="payee_by_time")]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "kind", "target_digest", "bank"],
                name="payee_is_one_per_target",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(kind__in=PayeeKind.values), name="payee_kind_is_known"),
            models.CheckConstraint(condition=Q(origin__in=PayeeOrigin.values), name="payee_origin_is_known"),
            models.CheckConstraint(
                condition=Q(target_digest__regex=r"^[0-9a-f]{64}$"), name="payee_target_is_a_digest"
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.public_id)

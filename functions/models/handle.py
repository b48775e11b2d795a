"""Handles: what the model sees instead of ids and of personal values."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import Customer
from functions.enums import HandleKind

SEALED_KINDS = (
    HandleKind.PHONE,
    HandleKind.PAN,
    HandleKind.NUMBER,
    HandleKind.INN,
    HandleKind.NAME,
    HandleKind.EMAIL,
)


class Handle(models.Model):
    """One row: `kind_number` in one conversation stands for one object, or for one value the customer typed.

    Minted in order of first mention and never reused; in another conversation the same text means nothing.

    reference  the object's public id, or the keyed digest of the value (`accounts.vault.digest_target`)
    sealed     the value, encrypted (`accounts.vault.seal_text`); null for objects

    Personal data: sealed (a phone, a number, a name); kept as long as the conversation.
    """

    conversation_id = models.UUIDField(_("conversation"))
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="handles", verbose_name=_("customer"))
    kind = models.CharField(_("kind"), max_length=8, choices=HandleKind)
    number = models.PositiveIntegerField(_("number"))
    reference = models.CharField(_("stands for"), max_length=64)
    sealed = models.BinaryField(_("sealed value"), null=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("handle")
        verbose_name_plural = _("handles")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["conversation_id", "kind", "number"], name="handle_is_minted_once"),
            models.UniqueConstraint(fields=["conversation_id", "kind", "reference"], name="object_has_one_handle"),
            models.CheckConstraint(condition=Q(number__gte=1), name="handle_numbers_start_at_one"),
            models.CheckConstraint(condition=Q(kind__in=HandleKind.values), name="handle_kind_is_known"),
            models.CheckConstraint(
                condition=Q(kind__in=SEALED_KINDS, sealed__isnull=False)
                | (~Q(kind__in=SEALED_KINDS) & Q(sealed__isnull=True)),
                name="handle_seals_values_only",
            ),
        ]

    @override
    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """The handle as the model writes it: `acc_1`."""
        return f"{self.kind}_{self.number}"

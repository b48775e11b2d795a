"""The bank's customer, as far as the assistant must know one."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from accounts.enums import Language


class Customer(models.Model):
    """One row: one person who may sign in on a phone; exactly one login each.

    Staff are users without a customer row: they cannot sign in on a phone. A customer is never deleted, because
    conversations and evidence point here; `user.is_active` closes the door.

    Personal data: first_name, last_name, phone; kept as long as the bank keeps the customer.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="customer", verbose_name=_("login")
    )
    first_name = models.CharField(_("first name"), max_length=64)
    last_name = models.CharField(_("last name"), max_length=64)
    phone = models.CharField(_("phone"), max_length=16, blank=True, help_text=_("E.164: + and up to 15 digits."))
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.RUSSIAN)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        indexes = [models.Index(fields=["-created_at", "-id"], name="customer_by_time")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(phone="") | models.Q(phone__regex=r"^\+[0-9]{7,15}$"), name="customer_phone_is_e164"
            ),
            models.CheckConstraint(condition=models.Q(language__in=Language.values), name="customer_language_is_known"),
        ]

    @override
    def __str__(self) -> str:
        return str(self.id)

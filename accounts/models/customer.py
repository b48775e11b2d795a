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

    `zone` decides what "today" and "this month" mean for the customer. Never serialised whole.

    Personal data: names, phone, INN, birth date; kept as long as the bank keeps the customer.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="customer", verbose_name=_("login")
    )
    first_name = models.CharField(_("first name"), max_length=64)
    patronymic = models.CharField(_("patronymic"), max_length=64, blank=True)
    last_name = models.CharField(_("last name"), max_length=64)
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    inn = models.CharField(_("INN"), max_length=12, blank=True)
    zone = models.CharField(_("time zone"), max_length=40, default="Europe/Moscow")
    is_politically_exposed = models.BooleanField(_("politically exposed person"), default=False)
    is_watched = models.BooleanField(_("under watch"), default=False)
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
            models.CheckConstraint(
                condition=models.Q(inn="") | models.Q(inn__regex=r"^[0-9]{12}$"), name="customer_inn_is_twelve_digits"
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.id)

"""Banks by their BIK."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class BankDirectory(models.Model):
    """One row: one bank. `is_fictional` marks BIKs of demonstrations, which no payment system knows.

    Personal data: none.
    """

    bik = models.CharField(_("BIK"), max_length=9, primary_key=True)
    name = models.CharField(_("name"), max_length=128)
    is_sbp_member = models.BooleanField(_("takes transfers by phone"), default=True)
    is_fictional = models.BooleanField(_("fictional"), default=False)

    class Meta:
        verbose_name = _("bank")
        verbose_name_plural = _("banks")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=models.Q(bik__regex=r"^[0-9]{9}$"), name="bank_bik_is_nine_digits"),
        ]

    @override
    def __str__(self) -> str:
        return self.bik

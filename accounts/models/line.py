"""Statement lines: what a customer sees of an entry on one account."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from accounts.enums import Category, LineDirection, LineStatus
from accounts.models.account import Account
from accounts.models.bank_directory import BankDirectory
from accounts.models.entry import Entry
from accounts.models.operation import Operation


class AccountLine(models.Model):
    """One row: one entry as it looks on one customer's account; written in the posting transaction.

    `balance_after` is set by the database: the previous booked line's plus or minus this one; null for holds. The
    database checks every other figure against the entry. Only `category`, and `status` from PDNG to VOID, may change:
    when a hold ends, its own line becomes VOID, and what was charged gets a BOOK line of its own. `memo_untrusted`
    and `merchant` were written by strangers: they are shown as quotations and never obeyed. `search_text` is what
    people may look for, folded (`accounts.folding`), because databases fold Cyrillic each in their own way.

    Personal data: what was bought where, counterparty (masked name), memo; kept as the law keeps payments.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid7, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="lines", verbose_name=_("account"))
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="lines", verbose_name=_("entry"))
    operation = models.ForeignKey(
        Operation, on_delete=models.PROTECT, related_name="lines", verbose_name=_("operation")
    )
    direction = models.CharField(_("direction"), max_length=3, choices=LineDirection)
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    status = models.CharField(_("status"), max_length=4, choices=LineStatus)
    booked_at = models.DateTimeField(_("booked at"))
    value_at = models.DateField(_("value date"))
    balance_after = models.BigIntegerField(_("balance after"), null=True, blank=True, editable=False)
    category = models.CharField(_("category"), max_length=24, choices=Category, default=Category.OTHER)
    mcc = models.CharField(_("merchant category code"), max_length=4, blank=True)
    merchant = models.CharField(_("merchant"), max_length=100, blank=True)
    counterparty_name = models.CharField(_("counterparty"), max_length=100, blank=True)
    counterparty_bank = models.ForeignKey(
        BankDirectory, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("their bank")
    )
    memo_untrusted = models.CharField(_("message"), max_length=140, blank=True)
    search_text = models.CharField(max_length=400, blank=True, editable=False)

    class Meta:
        verbose_name = _("statement line")
        verbose_name_plural = _("statement lines")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["account", "booked_at", "id"], name="line_by_time"),
            models.Index(fields=["account", "category", "booked_at"], name="line_by_category"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["entry", "account"], name="line_is_one_per_entry_and_account"),
            models.CheckConstraint(condition=Q(direction__in=LineDirection.values), name="line_direction_is_known"),
            models.CheckConstraint(condition=Q(status__in=LineStatus.values), name="line_status_is_known"),
            models.CheckConstraint(condition=Q(category__in=Category.values), name="line_category_is_known"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="line_amount_is_positive"),
            models.CheckConstraint(
                condition=Q(status=LineStatus.BOOKED, balance_after__isnull=False)
                | (~Q(status=LineStatus.BOOKED) & Q(balance_after__isnull=True)),
                name="line_has_a_balance_when_booked",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.public_id)

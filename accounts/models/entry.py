"""Entries: double entry in one row; a hold is a pending entry."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.enums import EntryPhase
from accounts.models.account import Account
from accounts.models.operation import Operation
from accounts.money import CURRENCIES, MAX_AMOUNT_MINOR

RESOLVING = (EntryPhase.POST, EntryPhase.VOID)


class Entry(models.Model):
    """One row: `amount_minor` moves from the debited to the credited account, or is held or released. Immutable.

    The insert moves the counters of both accounts (trigger). `pending` holds until `expires_at`; `post` and `void`
    resolve exactly one hold between the same accounts, `post` with at most its amount (the rest is released), `void`
    with amount 0. Both accounts have `currency` and must let money pass that way; two accounts are always locked in
    the order of their ids.

    Personal data: through its accounts, what was paid; kept as the law keeps payments.
    """

    operation = models.ForeignKey(
        Operation, on_delete=models.PROTECT, related_name="entries", verbose_name=_("operation")
    )
    seq = models.PositiveSmallIntegerField(_("number in the operation"))
    phase = models.CharField(_("phase"), max_length=8, choices=EntryPhase)
    debit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="debits", verbose_name=_("debit"))
    credit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credits", verbose_name=_("credit"))
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    resolves = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="resolution", verbose_name=_("resolves")
    )
    expires_at = models.DateTimeField(_("hold expires at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="entry_by_creation"),
            models.Index(fields=["expires_at"], condition=Q(phase=EntryPhase.PENDING), name="entry_hold_by_expiry"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["operation", "seq"], name="entry_seq_is_unique"),
            models.CheckConstraint(condition=Q(phase__in=EntryPhase.values), name="entry_phase_is_known"),
            models.CheckConstraint(condition=Q(currency__in=list(CURRENCIES)), name="entry_currency_is_known"),
            models.CheckConstraint(
                condition=Q(phase=EntryPhase.VOID, amount_minor=0)
                | (~Q(phase=EntryPhase.VOID) & Q(amount_minor__gt=0, amount_minor__lte=MAX_AMOUNT_MINOR)),
                name="entry_amount_is_in_range",
            ),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="entry_accounts_differ"),
            models.CheckConstraint(
                condition=Q(phase__in=RESOLVING, resolves__isnull=False)
                | (~Q(phase__in=RESOLVING) & Q(resolves__isnull=True)),
                name="entry_resolves_when_post_or_void",
            ),
            models.CheckConstraint(
                condition=Q(phase=EntryPhase.PENDING, expires_at__isnull=False)
                | (~Q(phase=EntryPhase.PENDING) & Q(expires_at__isnull=True)),
                name="entry_expires_when_pending",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.pk)

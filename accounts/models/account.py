"""Ledger accounts: customers' and the bank's own."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from accounts.enums import AccountKind, AccountSide, AccountStatus
from accounts.models.bank_directory import BankDirectory
from accounts.models.customer import Customer
from accounts.money import CURRENCIES, Money

COUNTERS = ("debits_posted", "credits_posted", "debits_pending", "credits_pending")


def build_number_condition() -> Q:
    """Customers' accounts have a number whose positions 6 to 8 say the currency; the bank's own have none."""
    condition = Q(customer__isnull=True, number__isnull=True)
    for code, currency in CURRENCIES.items():
        number = rf"^[0-9]{{5}}{currency.account_digits}[0-9]{{12}}$"
        condition |= Q(customer__isnull=False, currency=code, number__regex=number, bank__isnull=False)
    return condition


class Account(models.Model):
    """One row: one ledger account in one currency, a customer's or (without customer) the bank's own.

    The four counters are sums of entries in minor units, moved by the database in the statement that inserts an
    entry; nothing else may write them. `is_guarded` forbids that more goes out than is there, holds and
    `overdraft_limit` counted; every customer's account is guarded. Number, side, currency, holder and overdraft never
    change; no account is ever deleted. `code` names the bank's own accounts: "clearing.sbp". `last_posted_at` is the
    time of the newest entry of a customer's account: entries of one account are in order of time.

    Personal data: number, title, balances; kept as long as the law keeps accounts.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid7, editable=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts", verbose_name=_("customer")
    )
    code = models.CharField(_("code"), max_length=32, blank=True)
    bank = models.ForeignKey(
        BankDirectory, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("bank")
    )
    number = models.CharField(_("number"), max_length=20, null=True, blank=True)  # noqa: DJ001 - none is not empty
    kind = models.CharField(_("kind"), max_length=16, choices=AccountKind)
    side = models.CharField(_("side"), max_length=1, choices=AccountSide)
    currency = models.CharField(_("currency"), max_length=3)
    title = models.CharField(_("title"), max_length=64)
    status = models.CharField(_("status"), max_length=16, choices=AccountStatus, default=AccountStatus.ACTIVE)
    is_guarded = models.BooleanField(_("never overdrawn"), default=True)
    overdraft_limit = models.BigIntegerField(_("overdraft limit"), default=0)
    debits_posted = models.BigIntegerField(_("debits posted"), default=0)
    credits_posted = models.BigIntegerField(_("credits posted"), default=0)
    debits_pending = models.BigIntegerField(_("debits pending"), default=0)
    credits_pending = models.BigIntegerField(_("credits pending"), default=0)
    last_posted_at = models.DateTimeField(_("last entry at"), null=True, blank=True)
    opened_at = models.DateTimeField(_("opened at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        default_permissions = ("view",)
        permissions = [("freeze_account", _("Can block and unblock accounts"))]
        indexes = [models.Index(fields=["-opened_at", "-id"], name="account_by_time")]
        constraints = [
            models.UniqueConstraint(fields=["bank", "number"], name="account_number_is_unique"),
            models.UniqueConstraint(fields=["code", "currency"], condition=~Q(code=""), name="account_code_is_unique"),
            models.CheckConstraint(
                condition=Q(customer__isnull=False, code="") | (Q(customer__isnull=True) & ~Q(code="")),
                name="account_is_a_customers_or_named",
            ),
            models.CheckConstraint(condition=build_number_condition(), name="account_number_fits_currency"),
            models.CheckConstraint(condition=Q(currency__in=list(CURRENCIES)), name="account_currency_is_known"),
            models.CheckConstraint(condition=Q(kind__in=AccountKind.values), name="account_kind_is_known"),
            models.CheckConstraint(condition=Q(side__in=AccountSide.values), name="account_side_is_known"),
            models.CheckConstraint(condition=Q(status__in=AccountStatus.values), name="account_status_is_known"),
            models.CheckConstraint(
                condition=Q(customer__isnull=True) | Q(is_guarded=True, side=AccountSide.LIABILITY),
                name="account_of_a_customer_is_guarded",
            ),
            models.CheckConstraint(
                condition=Q(**{f"{counter}__gte": 0 for counter in (*COUNTERS, "overdraft_limit")}),
                name="account_counters_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(is_guarded=False)
                | Q(
                    side=AccountSide.LIABILITY,
                    credits_posted__gte=F("debits_posted") + F("debits_pending") - F("overdraft_limit"),
                )
                | Q(
                    side=AccountSide.ASSET,
                    debits_posted__gte=F("credits_posted") + F("credits_pending") - F("overdraft_limit"),
                ),
                name="account_is_not_overdrawn",
            ),
            models.CheckConstraint(
                condition=(~Q(status=AccountStatus.CLOSED) & Q(closed_at__isnull=True))
                | Q(
                    status=AccountStatus.CLOSED,
                    closed_at__isnull=False,
                    credits_posted=F("debits_posted"),
                    debits_pending=0,
                    credits_pending=0,
                ),
                name="account_is_empty_when_closed",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def is_liability(self) -> bool:
        return self.side == AccountSide.LIABILITY

    @property
    def booked(self) -> Money:
        """What was posted: money in minus money out."""
        balance = self.credits_posted - self.debits_posted
        return Money(balance if self.is_liability else -balance, self.currency)

    @property
    def held_out(self) -> Money:
        """The open holds on money that will leave."""
        return Money(self.debits_pending if self.is_liability else self.credits_pending, self.currency)

    @property
    def held_in(self) -> Money:
        """The open holds on money that will come."""
        return Money(self.credits_pending if self.is_liability else self.debits_pending, self.currency)

    @property
    def available(self) -> Money:
        """What may be spent now: booked minus holds plus overdraft."""
        return self.booked - self.held_out + Money(self.overdraft_limit, self.currency)

    @property
    def expected(self) -> Money:
        """What will be booked when every open hold is posted in full."""
        return self.booked + self.held_in - self.held_out

    @property
    def last4(self) -> str:
        """The last four digits of the number; empty for the bank's own accounts."""
        return (self.number or "")[-4:]

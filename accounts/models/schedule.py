"""Payments that come again: those the customer ordered and those we noticed."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from accounts.enums import Frequency, ScheduleStatus
from accounts.models.account import Account
from accounts.models.customer import Customer
from accounts.models.line import AccountLine
from accounts.models.payee import Payee


class ScheduledPayment(models.Model):
    """One row: one payment a customer ordered for the future. Its payee never changes after creation (trigger).

    `day` is the wished day of the month (1 to 31): a shorter month pays on its last day, the next one on `day` again.

    Personal data: whom the customer pays regularly; kept as long as operations.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid7, editable=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="scheduled_payments", verbose_name=_("customer")
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", verbose_name=_("account"))
    payee = models.ForeignKey(
        Payee, on_delete=models.PROTECT, related_name="scheduled_payments", verbose_name=_("payee")
    )
    title = models.CharField(_("title"), max_length=64)
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, default="RUB")
    frequency = models.CharField(_("frequency"), max_length=16, choices=Frequency)
    day = models.PositiveSmallIntegerField(_("day of the month"))
    next_on = models.DateField(_("next on"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=ScheduleStatus, default=ScheduleStatus.ACTIVE)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("scheduled payment")
        verbose_name_plural = _("scheduled payments")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["customer", "status", "next_on"], name="scheduled_payment_by_date"),
            # For the upkeep, which looks at every customer's.
            models.Index(fields=["next_on"], condition=Q(status=ScheduleStatus.ACTIVE), name="scheduled_payment_due"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="scheduled_amount_is_positive"),
            models.CheckConstraint(condition=Q(day__gte=1, day__lte=31), name="scheduled_day_is_of_a_month"),
            models.CheckConstraint(condition=Q(frequency__in=Frequency.values), name="scheduled_frequency_is_known"),
            models.CheckConstraint(
                condition=(Q(status=ScheduleStatus.ENDED, next_on__isnull=True))
                | (Q(status__in=[ScheduleStatus.ACTIVE, ScheduleStatus.PAUSED], next_on__isnull=False)),
                name="scheduled_next_until_it_ends",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.public_id)


class Subscription(models.Model):
    """One row: one regular charge derived from a customer's lines; rebuilt by `services.subscriptions`.

    `evidence` are the charges it was derived from; `previous_minor` and `increased_on` say the last increase.

    Personal data: what the customer subscribes to; rebuilt at will, dropped with its evidence.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid7, editable=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="subscriptions", verbose_name=_("customer")
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", verbose_name=_("account"))
    merchant = models.CharField(_("merchant"), max_length=100)
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, default="RUB")
    frequency = models.CharField(_("frequency"), max_length=16, choices=Frequency)
    last_charged_on = models.DateField(_("last charged on"))
    next_on = models.DateField(_("next on"))
    previous_minor = models.BigIntegerField(_("previous amount"), null=True, blank=True)
    increased_on = models.DateField(_("increased on"), null=True, blank=True)
    evidence = models.ManyToManyField(AccountLine, related_name="+", verbose_name=_("evidence"))

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["account", "merchant"], name="subscription_is_one_per_merchant"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="subscription_amount_is_positive"),
            models.CheckConstraint(
                condition=Q(previous_minor__isnull=True, increased_on__isnull=True)
                | Q(previous_minor__isnull=False, increased_on__isnull=False),
                name="subscription_increase_is_whole",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.public_id)

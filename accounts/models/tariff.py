"""What the bank decides and dates: rates, tariffs, limits. Never constants in code."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.enums import LimitPeriod


class Rate(models.Model):
    """One row: what one unit of `base` costs in `quote` from `valid_from` until the next row of the pair.

    buy   the bank buys `base` at this price; never above `sell`

    Personal data: none.
    """

    base = models.CharField(_("currency"), max_length=3)
    quote = models.CharField(_("in"), max_length=3)
    buy = models.DecimalField(_("buy"), max_digits=18, decimal_places=6)
    sell = models.DecimalField(_("sell"), max_digits=18, decimal_places=6)
    valid_from = models.DateTimeField(_("valid from"))

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["base", "quote", "valid_from"], name="rate_is_one_per_moment"),
            models.CheckConstraint(condition=Q(buy__gt=0, sell__gte=models.F("buy")), name="rate_buys_below_sell"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.base}/{self.quote} {self.valid_from}"


class Tariff(models.Model):
    """One row: the fee of a kind of operation from a local date until the next row of the same code.

    The fee is `rate_bp` hundredths of a percent of what passes `free_minor` in the calendar month, rounded half up to
    the minor unit, then at least `least_minor` (when anything is charged) and at most `most_minor`.

    Personal data: none.
    """

    code = models.CharField(_("code"), max_length=32)
    currency = models.CharField(_("currency"), max_length=3, default="RUB")
    free_minor = models.BigIntegerField(_("free in a month"), default=0)
    rate_bp = models.PositiveIntegerField(_("rate, 1/100 %"), default=0)
    least_minor = models.BigIntegerField(_("at least"), default=0)
    most_minor = models.BigIntegerField(_("at most"), null=True, blank=True)
    valid_from = models.DateField(_("valid from"))
    note = models.CharField(_("source"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("tariff")
        verbose_name_plural = _("tariffs")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["code", "currency", "valid_from"], name="tariff_is_one_per_date"),
            models.CheckConstraint(
                condition=Q(free_minor__gte=0, least_minor__gte=0, rate_bp__lte=10_000)
                & (Q(most_minor__isnull=True) | Q(most_minor__gte=models.F("least_minor"))),
                name="tariff_is_in_range",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.code} {self.valid_from}"


class LimitRule(models.Model):
    """One row: the most that may go out by `code` in one operation, local day or month, from a local date on.

    Personal data: none.
    """

    code = models.CharField(_("code"), max_length=32)
    currency = models.CharField(_("currency"), max_length=3, default="RUB")
    period = models.CharField(_("period"), max_length=16, choices=LimitPeriod)
    amount_minor = models.BigIntegerField(_("amount"))
    valid_from = models.DateField(_("valid from"))
    note = models.CharField(_("source"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["code", "currency", "period", "valid_from"], name="limit_rule_is_one_per_date"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="limit_rule_is_not_negative"),
            models.CheckConstraint(condition=Q(period__in=LimitPeriod.values), name="limit_rule_period_is_known"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.code} {self.period} {self.valid_from}"

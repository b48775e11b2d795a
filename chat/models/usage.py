"""What answers cost: tokens per day, and what a token costs from when."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class ModelPrice(models.Model):
    """One row: what tokens of a model cost from a day on, in kopecks per million.

    Personal data: none.
    """

    model = models.CharField(_("model"), max_length=64)
    valid_from = models.DateField(_("valid from"))
    prompt_kopecks = models.PositiveBigIntegerField(
        _("read tokens, kopecks per million"), validators=[MinValueValidator(0)]
    )
    completion_kopecks = models.PositiveBigIntegerField(
        _("written tokens, kopecks per million"), validators=[MinValueValidator(0)]
    )
    cached_kopecks = models.PositiveBigIntegerField(
        _("cached tokens, kopecks per million"), validators=[MinValueValidator(0)]
    )

    class Meta:
        verbose_name = _("price of a model")
        verbose_name_plural = _("prices of models")
        default_permissions = ("add", "view")
        constraints = [models.UniqueConstraint(fields=["model", "valid_from"], name="one_price_per_model_and_day")]

    @override
    def __str__(self) -> str:
        return f"{self.model} {self.valid_from}"


class UsageDay(models.Model):
    """One row: the tokens one customer used of one model on one day of the bank's time zone.

    Counters only grow, in the transaction that finishes the run. `precached` tokens are told apart because the
    provider bills them apart; nothing is derived from its totals.

    Personal data: the customer's id; kept as long as the customer.
    """

    day = models.DateField(_("day"))
    model = models.CharField(_("model"), max_length=64)
    customer = models.ForeignKey("accounts.Customer", on_delete=models.PROTECT, related_name="+")
    runs = models.PositiveIntegerField(_("answers"), default=0)
    prompt_tokens = models.PositiveBigIntegerField(_("read tokens"), default=0)
    completion_tokens = models.PositiveBigIntegerField(_("written tokens"), default=0)
    cached_tokens = models.PositiveBigIntegerField(_("cached tokens"), default=0)

    class Meta:
        verbose_name = _("day of usage")
        verbose_name_plural = _("days of usage")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["customer", "day", "model"], name="one_usage_per_customer_day_and_model")
        ]
        indexes = [models.Index(fields=["day", "model"], name="usage_by_day")]

    @override
    def __str__(self) -> str:
        return f"{self.day} {self.model}"

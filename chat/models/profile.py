"""How the assistant asks the model: which one, with which instructions and parameters."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

INSTRUCTIONS = (
    "Ты — помощник банка в мобильном приложении. Отвечай на языке вопроса, вежливо, коротко и по делу. "
    "Если чего-то не знаешь, скажи об этом прямо. Не выдумывай суммы, даты, тарифы и сведения о клиенте. "
    "Никогда не проси пароль, код из сообщения, полный номер карты или её код."
)


class AssistantProfile(models.Model):
    """One row: one way of asking the model. The default one answers; without a row the field defaults below do.

    model           empty: the setting GIGACHAT_MODEL
    fallback_model  asked instead when the first one is unknown, not paid for or not reachable; empty: none
    history_tokens  most tokens of history that go with a question
    Empty parameters are left to the provider.

    Personal data: none.
    """

    name = models.CharField(_("name"), max_length=64, unique=True)
    is_default = models.BooleanField(_("default"), default=False)
    model = models.CharField(_("model"), max_length=64, blank=True)
    fallback_model = models.CharField(_("fallback model"), max_length=64, blank=True)
    instructions = models.TextField(
        _("instructions"), default=INSTRUCTIONS, help_text=_("What the model is told before every question.")
    )
    temperature = models.FloatField(
        _("temperature"), null=True, blank=True, validators=[MinValueValidator(0.0), MaxValueValidator(2.0)]
    )
    top_p = models.FloatField(
        "top_p", null=True, blank=True, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)]
    )
    max_tokens = models.PositiveIntegerField(
        _("longest answer, tokens"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    repetition_penalty = models.FloatField(
        _("repetition penalty"), null=True, blank=True, validators=[MinValueValidator(0.01)]
    )
    update_interval = models.FloatField(
        _("update interval, seconds"), null=True, blank=True, validators=[MinValueValidator(0.0)]
    )
    uses_functions = models.BooleanField(
        _("calls functions"), default=True, help_text=_("Whether the model may look at accounts and prepare payments.")
    )
    history_tokens = models.PositiveIntegerField(
        _("longest history, tokens"), default=24_000, validators=[MinValueValidator(100)]
    )

    class Meta:
        verbose_name = _("assistant profile")
        verbose_name_plural = _("assistant profiles")
        default_permissions = ("add", "change", "view")
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_profile"
            ),
        ]

    @override
    def __str__(self) -> str:
        return self.name

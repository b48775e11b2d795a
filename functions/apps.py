"""The functions app: at start it gathers every function there is and has them checked."""

from django.apps import AppConfig
from django.core.checks import register
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class FunctionsConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "functions"
    verbose_name = _("Functions")

    @override
    def ready(self) -> None:
        from functions.checks import check_functions  # noqa: PLC0415 - needs every model loaded

        autodiscover_modules("functions")
        register(check_functions)

"""The project as an app (commands, checks) and Django's admin with our staff site as the default."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from typing_extensions import override


class AssistantProjectConfig(AppConfig):
    name = "assistant_project"

    @override
    def ready(self) -> None:
        import_module("assistant_project.checks")  # registers them


class StaffAdminConfig(admin_apps.AdminConfig):
    """Replaces `django.contrib.admin` in INSTALLED_APPS."""

    default = False
    default_site = "audit.staff.StaffSite"

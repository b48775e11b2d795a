"""The project as an app (commands, checks) and Django's admin with our staff site as the default."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AssistantProjectConfig(AppConfig):
    name = "assistant_project"


class StaffAdminConfig(admin_apps.AdminConfig):
    """Replaces `django.contrib.admin` in INSTALLED_APPS."""

    default = False
    default_site = "audit.staff.StaffSite"

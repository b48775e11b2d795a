"""The choices of the accounts app; stored as text."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Language(TextChoices):
    """The language a customer is addressed in."""

    RUSSIAN = "ru", _("Russian")
    ENGLISH = "en", _("English")


class RevokeReason(TextChoices):
    """Why a device session ended before its time."""

    LOGOUT = "logout", _("logout")
    REPLACED = "replaced", _("new login on the same device")
    TOO_MANY_DEVICES = "too_many_devices", _("login on one device too many")
    REUSE_DETECTED = "reuse_detected", _("refresh token used twice")
    PASSWORD_CHANGED = "password_changed", _("password changed")
    STAFF = "staff", _("revoked by staff")

"""Device sessions and the rotating refresh tokens that keep them alive."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from accounts.enums import RevokeReason
from accounts.models.customer import Customer


class DeviceSession(models.Model):
    """One row: one login of a customer on one device, from the password to `expires_at` or `revoked_at`.

    A device has at most one session that is not revoked: a new login there revokes the older one. A revoked session
    never lives again. `expires_at` is fixed at login; using the session does not move it.
    `authenticated_at` is the last time the customer proved who they are.

    Personal data: device_id (names a device of the customer); kept as evidence of who had access.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="sessions", verbose_name=_("customer")
    )
    device_id = models.CharField(_("device"), max_length=64)
    created_at = models.DateTimeField(_("created at"))
    last_used_at = models.DateTimeField(_("last used at"))
    stepped_up_at = models.DateTimeField(_("password given again at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    revoke_reason = models.CharField(_("revoke reason"), max_length=32, choices=RevokeReason, blank=True)

    class Meta:
        verbose_name = _("device session")
        verbose_name_plural = _("device sessions")
        permissions = [("revoke_devicesession", _("Can revoke device sessions"))]
        indexes = [
            # The admin's list.
            models.Index(fields=["-created_at", "-id"], name="session_by_time"),
            # Every server process asks again and again what was revoked lately.
            models.Index(
                fields=["revoked_at"], condition=models.Q(revoked_at__isnull=False), name="session_by_revocation"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "device_id"],
                condition=models.Q(revoked_at__isnull=True),
                name="one_open_session_per_device",
            ),
            models.CheckConstraint(
                condition=models.Q(revoked_at__isnull=True, revoke_reason="")
                | (models.Q(revoked_at__isnull=False) & ~models.Q(revoke_reason="")),
                name="session_revocation_has_a_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="session_expires_after_login"
            ),
            models.CheckConstraint(condition=~models.Q(device_id=""), name="session_names_its_device"),
        ]

    @override
    def __str__(self) -> str:
        return str(self.id)

    @property
    def authenticated_at(self) -> datetime:
        """When the password was given last: at login, or again since."""
        return self.stepped_up_at or self.created_at


class RefreshToken(models.Model):
    """One row: one refresh token that was ever given to a device, as the SHA-256 of its text.

    The tokens of a session form one chain: `predecessor` was exchanged for this one, and exactly one token of an open
    session is unused. Used rows stay while it lives, because a used token that comes back is how theft is noticed;
    `services.retention` deletes them some time after its end. `attempt_digest`
    is the SHA-256 of the id the device gave to its exchange, so that it may ask again when the answer got lost.

    Personal data: none (digests and times).
    """

    session = models.ForeignKey(DeviceSession, on_delete=models.PROTECT, related_name="refresh_tokens")
    digest = models.CharField(max_length=64, unique=True)
    predecessor = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="successors")
    issued_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    attempt_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("refresh token")
        verbose_name_plural = _("refresh tokens")
        constraints = [
            models.UniqueConstraint(
                fields=["session"], condition=models.Q(used_at__isnull=True), name="one_unused_token_per_session"
            ),
            models.CheckConstraint(
                condition=models.Q(used_at__isnull=False) | models.Q(attempt_digest=""),
                name="only_used_tokens_name_an_attempt",
            ),
        ]

    @override
    def __str__(self) -> str:
        return str(self.pk)

"""Keys of devices, with which a customer says yes."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from accounts.models.customer import Customer


class DeviceKey(models.Model):
    """One row: one public key that a customer's device enrolled; its private half never leaves the device.

    `kid` names it on the wire: the device and a running number, `phone-1#2`. A device has at most one key that is not
    revoked; a revoked one stays as evidence of what it signed.

    public_key  P-256, SubjectPublicKeyInfo in DER

    Personal data: device_id (names a device of the customer).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="device_keys", verbose_name=_("customer")
    )
    device_id = models.CharField(_("device"), max_length=64)
    number = models.PositiveIntegerField(_("number"))
    public_key = models.BinaryField(_("public key"))
    created_at = models.DateTimeField(_("created at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("device key")
        verbose_name_plural = _("device keys")
        default_permissions = ("view",)
        indexes = [models.Index(fields=["-created_at", "-id"], name="device_key_by_time")]
        constraints = [
            models.UniqueConstraint(fields=["customer", "device_id", "number"], name="device_keys_are_numbered"),
            models.UniqueConstraint(
                fields=["customer", "device_id"],
                condition=Q(revoked_at__isnull=True),
                name="one_live_key_per_device",
            ),
            models.CheckConstraint(condition=~Q(device_id="") & Q(number__gte=1), name="device_key_has_a_name"),
        ]

    @override
    def __str__(self) -> str:
        return str(self.id)

    @property
    def kid(self) -> str:
        """The key's name on the wire."""
        return f"{self.device_id}#{self.number}"

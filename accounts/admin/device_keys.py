"""What staff sees of the keys that customers' devices enrolled; a key is revoked on the customer's side."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import display
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.admin.columns import VIEW_CUSTOMER, VIEW_EVIDENCE
from accounts.models import DeviceKey
from audit.admin import ReadOnlyAdmin
from audit.list_filters import filter_by_id, filter_by_period
from audit.readonly import RelatedPage, link_to_list, link_to_row, show_column


@display(description=_("device key"))
def show_kid(key: DeviceKey) -> str:
    """The name under which the key signs."""
    return key.kid


@display(description=_("public key"))
def show_public_key(key: DeviceKey) -> str:
    """SubjectPublicKeyInfo in hexadecimal: what a signature is checked with."""
    return bytes(key.public_key).hex()


@admin.register(DeviceKey)
class DeviceKeyAdmin(ReadOnlyAdmin):
    """Keys of devices, live and revoked."""

    list_display = ("created_at", show_kid, show_column("customer_id", _("customer")), "revoked_at")
    list_filter = (filter_by_period("created_at"), filter_by_id("customer", "customer_id", _("customer")))
    list_select_related = False
    search_ids = ("pk", "customer_id")
    search_help_text = _("The exact id of a key or customer.")
    fields: ClassVar[Any] = (
        "id",
        show_kid,
        show_column("customer_id", _("customer")),
        "device_id",
        "created_at",
        "revoked_at",
        show_public_key,
    )

    @override
    def list_related(self, row: DeviceKey) -> list[RelatedPage]:
        return [
            link_to_row("accounts_customer", _("customer"), VIEW_CUSTOMER, row.customer_id),
            link_to_list("audit_auditentry", _("audit entries"), VIEW_EVIDENCE, q=row.pk),
        ]

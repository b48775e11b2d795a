"""What staff read of customers' files and their copies at GigaChat: facts, never content; nothing here writes."""

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from audit.admin import ReadOnlyAdmin
from audit.list_filters import filter_by_choice, filter_by_id, filter_by_period
from audit.readonly import RelatedPage, link_to_list, link_to_row, show_columns
from chat.models import GigaChatFile, StoredFile

VIEW_FILE = "chat.view_storedfile"
VIEW_COPY = "chat.view_gigachatfile"

LABELS = {
    "client_id": _("pseudonym of the customer"),
    "created_at": _("created at"),
    "customer_id": _("customer"),
    "deleted_at": _("deleted at"),
    "ended_at": _("ended at"),
    "expires_at": _("expires at"),
    "file_id": _("file"),
    "id": _("id"),
    "kind": _("kind"),
    "media_type": _("media type"),
    "name": _("name"),
    "provider_id": _("GigaChat's id of the file"),
    "sha256": _("SHA-256"),
    "size_bytes": _("bytes"),
    "state": _("state"),
    "uploaded_at": _("uploaded at"),
}


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnlyAdmin):
    """Customers' files; the content is the customer's own."""

    list_display = show_columns(LABELS, "created_at", "id", "customer_id", "kind", "size_bytes", "state")
    list_filter = (
        filter_by_period("created_at"),
        filter_by_id("customer", "customer_id", _("customer")),
        filter_by_id("message", "uses__message_id", _("message")),
        filter_by_choice("state", LABELS["state"]),
    )
    search_ids = ("pk", "customer_id")
    search_help_text = _("The exact id of a file or customer.")
    fields: ClassVar[Any] = show_columns(
        LABELS,
        "id",
        "customer_id",
        "kind",
        "media_type",
        "name",
        "size_bytes",
        "sha256",
        "state",
        "created_at",
        "deleted_at",
    )

    @override
    def list_related(self, row: StoredFile) -> list[RelatedPage]:
        return [link_to_list("chat_gigachatfile", _("copies at GigaChat"), VIEW_COPY, file=row.pk)]


@admin.register(GigaChatFile)
class GigaChatFileAdmin(ReadOnlyAdmin):
    """The register of copies at GigaChat."""

    keyset_field = "uploaded_at"
    list_display = show_columns(LABELS, "uploaded_at", "id", "file_id", "state", "expires_at", "ended_at")
    list_filter = (
        filter_by_period("uploaded_at"),
        filter_by_id("file", "file_id", _("file")),
        filter_by_choice("state", LABELS["state"]),
    )
    search_ids = ("pk", "file_id")
    search_help_text = _("The exact id of a copy or file.")
    fields: ClassVar[Any] = show_columns(
        LABELS, "id", "file_id", "client_id", "provider_id", "state", "uploaded_at", "expires_at", "ended_at"
    )

    @override
    def list_related(self, row: GigaChatFile) -> list[RelatedPage]:
        return [link_to_row("chat_storedfile", _("file"), VIEW_FILE, row.file_id)]

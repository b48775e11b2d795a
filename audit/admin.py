"""What staff sees of the evidence; `ReadOnlyAdmin` is the base of every admin page of the project."""

from typing import Any

import orjson
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from audit.errors import TooManyExports
from audit.export.download import build_download
from audit.export.filters import OPTIONS
from audit.export.formats import ExportFormat
from audit.export.job import open_export
from audit.forms import ExportForm
from audit.list_filters import filter_by_id, filter_by_period
from audit.models import AuditEntry
from audit.readonly import ReadOnlyAdmin
from audit.staff import build_staff_context

__all__ = ["AuditEntryAdmin", "ReadOnlyAdmin"]

EXPORT_PERMISSION = "audit.export_auditentry"


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The list of entries, one entry with its body, and the export."""

    keyset_field = "occurred_at"
    list_display = ("occurred_at", "action", "outcome", "actor_kind", "actor_id", "subject", "short_subject", "origin")
    list_filter = (
        filter_by_period("occurred_at"),
        filter_by_id("customer", "customer_id", _("customer")),
        filter_by_id("conversation", "conversation_id", _("conversation")),
        filter_by_id("turn", "turn_id", _("turn")),
        "outcome",
        "action",
    )
    search_ids = ("pk", "turn_id", "conversation_id", "customer_id", "request_id", "subject_id", "actor_id")
    search_help_text = _("The exact id of an entry, turn, conversation, customer, request, subject or actor.")
    fields = (
        "id",
        "occurred_at",
        "recorded_at",
        "action",
        "outcome",
        "actor_kind",
        "actor_id",
        "origin",
        "subject",
        "subject_id",
        "customer_id",
        "conversation_id",
        "turn_id",
        "request_id",
        "body_text",
        "digest_hex",
    )
    change_list_template = "audit/auditentry_list.html"

    @admin.display(description=_("subject"))
    def short_subject(self, entry: AuditEntry) -> str:
        return entry.subject_id if len(entry.subject_id) <= 40 else f"{entry.subject_id[:39]}…"

    @admin.display(description=_("evidence"))
    def body_text(self, entry: AuditEntry) -> SafeString:
        body = orjson.dumps(orjson.loads(bytes(entry.body)), option=orjson.OPT_INDENT_2).decode()
        return format_html('<pre class="evidence">{}</pre>', body)

    @admin.display(description=_("leaf hash (SHA-256)"))
    def digest_hex(self, entry: AuditEntry) -> str:
        return bytes(entry.digest).hex()

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(EXPORT_PERMISSION)

    @override
    def get_urls(self) -> list[URLPattern]:
        export = path("export/", self.admin_site.admin_view(self.export_view), name="audit_auditentry_export")
        return [export, *super().get_urls()]

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        link = ""
        if self.has_export_permission(request):
            # The list's filters become the form's first values, so that what is seen is what is exported.
            filters = request.GET.copy()
            filters["action"] = filters.get("action__exact", "")
            kept = [name for name in OPTIONS if filters.get(name)]
            for name in list(filters):
                if name not in kept:
                    del filters[name]
            link = f"{reverse('admin:audit_auditentry_export')}?{filters.urlencode()}"
        return super().changelist_view(request, {**(extra_context or {}), "export_url": link})

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Ask what to export, then stream it; every export is an entry by itself."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        form = ExportForm(request.POST) if request.method == "POST" else ExportForm(initial=request.GET.dict())
        status = 200
        if form.is_valid():
            try:
                kind = ExportFormat(form.cleaned_data["format"])
                return build_download(open_export(build_staff_context(request), form.chosen, kind=kind))
            except TooManyExports:
                form.add_error(None, _("Too many exports are running. Try again when one of them has ended."))
                status = 503
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Export audit entries"),
            "form": form,
        }
        return TemplateResponse(request, "audit/export.html", context, status=status)

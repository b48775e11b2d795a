"""What answers cost: prices that staff set, from a day on, and the totals of each day."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from audit.enums import AuditAction
from audit.journal import record_entry
from audit.readonly import AnyModelAdmin
from audit.staff import build_staff_context
from chat.costs import list_model_totals
from chat.models import ModelPrice, UsageDay
from chat.services.usage import get_bank_day

SHOWN_DAYS = 31


@admin.register(ModelPrice)
class ModelPriceAdmin(AnyModelAdmin):
    """Prices; one that applied stays as it was, a new one begins on its day."""

    list_display = ("model", "valid_from", "prompt_kopecks", "completion_kopecks", "cached_kopecks")
    ordering: ClassVar[Any] = ("model", "-valid_from")
    actions = None

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def save_model(self, request: HttpRequest, obj: ModelPrice, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        record_entry(
            build_staff_context(request),
            AuditAction.PRICE_SET,
            subject="model_price",
            subject_id=str(obj.pk),
            details={"model": obj.model, "valid_from": obj.valid_from.isoformat()},
        )


@admin.register(UsageDay)
class UsageDayAdmin(AnyModelAdmin):
    """The totals of the last days by model; what one customer used is nobody's business here."""

    actions = None

    @override
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        today = get_bank_day(timezone.now())
        context = {
            **self.admin_site.each_context(request),
            "title": _("Tokens and cost by day"),
            "opts": self.opts,
            "totals": list_model_totals(today - timedelta(days=SHOWN_DAYS - 1), today),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "chat/usage_totals.html", context)

    @override
    def change_view(self, *args: Any, **kwargs: Any) -> TemplateResponse:
        raise PermissionDenied

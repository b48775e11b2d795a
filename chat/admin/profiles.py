"""The one thing staff may change in the chat app: how the model is asked. Every change is an audit entry."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from typing_extensions import override

from audit.enums import AuditAction
from audit.journal import record_entry
from audit.readonly import AnyModelAdmin
from audit.staff import build_staff_context
from chat.models import AssistantProfile


@admin.register(AssistantProfile)
class AssistantProfileAdmin(AnyModelAdmin):
    """Profiles; the model validates ranges, and that one profile is the default."""

    list_display = ("name", "is_default", "model", "fallback_model", "temperature", "max_tokens")
    fields: ClassVar[Any] = (
        "name",
        "is_default",
        "model",
        "fallback_model",
        "instructions",
        "temperature",
        "top_p",
        "max_tokens",
        "repetition_penalty",
        "update_interval",
        "uses_functions",
        "history_tokens",
    )
    actions = None

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def save_model(self, request: HttpRequest, obj: AssistantProfile, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        record_entry(
            build_staff_context(request),
            AuditAction.PROFILE_CHANGED,
            subject="assistant_profile",
            subject_id=str(obj.pk),
            details={"fields": ",".join(form.changed_data), "is_new": not change},
        )

"""What staff sees of customers and their devices; the one act is to end a session, or all of a customer's.

Phones are shown masked. The page of a login is Django's own, but a new password or a deactivation there ends the
customer's sessions as well.
"""

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.admin.columns import (
    VIEW_ACCOUNT,
    VIEW_BILL,
    VIEW_CARD,
    VIEW_CONVERSATION,
    VIEW_CUSTOMER,
    VIEW_ENTRY_ROW,
    VIEW_EVIDENCE,
    VIEW_OPERATION,
    VIEW_PAYEE,
    VIEW_SESSION,
)
from accounts.enums import RevokeReason
from accounts.errors import SessionNotFound
from accounts.models import Customer, DeviceSession
from accounts.services.customers import revoke_customer_sessions
from accounts.services.sessions import revoke_session
from audit.admin import ReadOnlyAdmin
from audit.list_filters import filter_by_id, filter_by_period
from audit.readonly import RelatedPage, link_to_list, link_to_row, show_column
from audit.staff import build_staff_context

if TYPE_CHECKING:
    AnyUserAdmin = UserAdmin[User]
else:
    # Django's class becomes generic only for the type checker.
    AnyUserAdmin = UserAdmin

REVOKE_SESSION = "accounts.revoke_devicesession"


def may_revoke(request: HttpRequest) -> bool:
    return request.user.has_perm(REVOKE_SESSION)


def require_revoking_post(request: HttpRequest) -> HttpResponse | None:
    """Return the refusal of a request that is no POST; the act behind it must not hang on a link.

    Raises: PermissionDenied
    """
    if not may_revoke(request):
        raise PermissionDenied
    return None if request.method == "POST" else HttpResponseNotAllowed(["POST"])


@admin.display(description=_("phone"))
def show_masked_phone(row: Customer) -> str:
    """The phone with its middle hidden: enough to compare with a caller's, too little to call."""
    return f"{row.phone[:2]} ••• •••-••-{row.phone[-2:]}" if row.phone else ""


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """Customers; found by their id or exact login name."""

    list_display = ("created_at", "id", "user", "first_name", "last_name", show_masked_phone, "language")
    list_filter = (filter_by_period("created_at"),)
    list_select_related = ("user",)
    search_ids = ("pk", "user__username")
    search_help_text = _("An exact id or user name.")
    fields: ClassVar[Any] = ("id", "user", "first_name", "last_name", show_masked_phone, "language", "created_at")
    readonly_fields: ClassVar[Any] = (show_masked_phone,)
    change_form_template = "accounts/revoke_form.html"

    @override
    def list_related(self, row: Customer) -> list[RelatedPage]:
        return [
            link_to_list("accounts_account", _("accounts"), VIEW_ACCOUNT, customer=row.pk),
            link_to_list("accounts_operation", _("operations"), VIEW_OPERATION, customer=row.pk),
            link_to_list("accounts_entry", _("entries"), VIEW_ENTRY_ROW, customer=row.pk),
            link_to_list("accounts_card", _("cards"), VIEW_CARD, customer=row.pk),
            link_to_list("accounts_payee", _("payees"), VIEW_PAYEE, customer=row.pk),
            link_to_list("accounts_bill", _("bills"), VIEW_BILL, customer=row.pk),
            link_to_list("accounts_devicesession", _("device sessions"), VIEW_SESSION, customer=row.pk),
            link_to_list("chat_conversation", _("conversations"), VIEW_CONVERSATION, customer=row.pk),
            link_to_list("audit_auditentry", _("audit entries"), VIEW_EVIDENCE, customer=row.pk),
        ]

    @override
    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        if row is not None and may_revoke(request):
            context["revoke_url"] = reverse("admin:accounts_customer_revoke", args=[row.pk])
            context["revoke_label"] = _("Sign out on all devices")
        return super().render_change_form(request, context, *args, **kwargs)

    @override
    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(self.revoke_all)
        return [path("<uuid:customer_id>/revoke/", revoke, name="accounts_customer_revoke"), *super().get_urls()]

    def revoke_all(self, request: HttpRequest, customer_id: UUID) -> HttpResponse:
        """End every open session of the customer."""
        refusal = require_revoking_post(request)
        if refusal is not None:
            return refusal
        if not Customer.objects.filter(pk=customer_id).exists():
            raise Http404
        count = revoke_customer_sessions(
            build_staff_context(request), customer_id=customer_id, reason=RevokeReason.STAFF
        )
        messages.success(request, _("Device sessions ended: %(count)d.") % {"count": count})
        return HttpResponseRedirect(reverse("admin:accounts_customer_change", args=[customer_id]))


@admin.register(DeviceSession)
class DeviceSessionAdmin(ReadOnlyAdmin):
    """Device sessions: who is signed in where, since when, and how it ended."""

    list_display = (
        "created_at",
        "id",
        show_column("customer_id", _("customer")),
        "device_id",
        "last_used_at",
        "expires_at",
        "revoked_at",
        "revoke_reason",
    )
    list_filter = (filter_by_period("created_at"), filter_by_id("customer", "customer_id", _("customer")))
    list_select_related = False
    search_ids = ("pk", "customer_id")
    search_help_text = _("The exact id of a session or customer.")
    fields: ClassVar[Any] = (
        "id",
        "customer",
        "device_id",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
        "revoke_reason",
    )
    change_form_template = "accounts/revoke_form.html"

    @override
    def list_related(self, row: DeviceSession) -> list[RelatedPage]:
        return [
            link_to_row("accounts_customer", _("customer"), VIEW_CUSTOMER, row.customer_id),
            link_to_list("audit_auditentry", _("audit entries"), VIEW_EVIDENCE, customer=row.customer_id),
        ]

    @override
    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        if row is not None and row.revoked_at is None and may_revoke(request):
            context["revoke_url"] = reverse("admin:accounts_devicesession_revoke", args=[row.pk])
            context["revoke_label"] = _("End this session")
        return super().render_change_form(request, context, *args, **kwargs)

    @override
    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(self.revoke)
        return [path("<uuid:session_id>/revoke/", revoke, name="accounts_devicesession_revoke"), *super().get_urls()]

    def revoke(self, request: HttpRequest, session_id: UUID) -> HttpResponse:
        """End the session; the device's sockets are closed within seconds."""
        refusal = require_revoking_post(request)
        if refusal is not None:
            return refusal
        try:
            ended = revoke_session(build_staff_context(request), session_id=session_id, reason=RevokeReason.STAFF)
        except SessionNotFound:
            raise Http404 from None
        messages.success(request, _("The session is ended.") if ended else _("The session had ended already."))
        return HttpResponseRedirect(reverse("admin:accounts_devicesession_change", args=[session_id]))


class LoginAdmin(AnyUserAdmin):
    """Django's page of logins; what closes a login also ends the sessions that were opened with it."""

    @override
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            if request.method == "POST" and response.status_code == 302:
                self.end_sessions(request, id, RevokeReason.PASSWORD_CHANGED)
        return response

    @override
    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            self.end_sessions(request, obj.pk, RevokeReason.STAFF)

    def end_sessions(self, request: HttpRequest, user_id: int | str, reason: RevokeReason) -> None:
        customer = Customer.objects.filter(user_id=user_id).first()
        if customer is not None:
            revoke_customer_sessions(build_staff_context(request), customer_id=customer.pk, reason=reason)


admin.site.unregister(User)
admin.site.register(User, LoginAdmin)

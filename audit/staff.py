"""The staff site: Django's admin with a second factor, a language switch, and a record of who came and was refused.

Sign-ins and refusals are recorded here, where they happen, not by signals: a reader finds every entry by its call.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _
from django.views.i18n import set_language
from django_otp import devices_for_user
from django_otp.admin import OTPAdminAuthenticationForm
from django_otp.models import Device
from typing_extensions import override

from audit.context import AuditContext
from audit.enums import ActorKind, AuditAction, Origin
from audit.journal import record_entry, record_refusal
from audit.log_context import get_request_id
from audit.peer import read_address
from audit.pseudonyms import build_pseudonym

ViewT = TypeVar("ViewT", bound=Callable[..., HttpResponseBase])


class SecondFactorForm(OTPAdminAuthenticationForm):  # type: ignore[misc]  # django-otp ships no types
    """Asks for user name, password and code at once; who has several devices chooses one on the second try."""

    otp_error_messages = {
        **OTPAdminAuthenticationForm.otp_error_messages,
        "token_required": _("Enter the code of your second factor."),
        "invalid_token": _("The code is wrong or was already used."),
        "verification_not_allowed": _("Codes are refused for a while after failed attempts."),
        "device_required": _("Choose the device that shows the code. If you have none, ask an administrator."),
    }

    @override
    def _chosen_device(self, user: AbstractBaseUser) -> Device | None:
        chosen: Device | None = super()._chosen_device(user)
        if chosen is None and not self.cleaned_data.get("otp_device"):
            # django-otp tries no device by itself, so that a wrong code is held against one only; here there is one.
            devices = list(devices_for_user(user))
            if len(devices) == 1:
                chosen = Device.from_persistent_id(devices[0].persistent_id, for_verify=True)
        return chosen

    @override
    def _update_form(self, user: AbstractBaseUser) -> None:
        super()._update_form(user)
        # django-otp would write the password into the page to spare typing it again.
        self.fields["password"].widget.render_value = False


class StaffSite(AdminSite):
    """The default admin site. With STAFF_OTP_REQUIRED nobody enters without a confirmed device."""

    site_title = _("Bank assistant")
    site_header = _("Bank assistant: staff")
    index_title = _("Evidence and conversations")

    @property
    @override
    def login_form(self) -> type[AdminAuthenticationForm]:  # type: ignore[override]  # decided by a setting, late
        return SecondFactorForm if settings.STAFF_OTP_REQUIRED else AdminAuthenticationForm

    @property
    @override
    def login_template(self) -> str:  # type: ignore[override]  # same
        return "audit/login.html"

    @override
    def has_permission(self, request: HttpRequest) -> bool:
        if not super().has_permission(request):
            return False
        # OTPMiddleware adds is_verified.
        return not settings.STAFF_OTP_REQUIRED or bool(request.user.is_verified())  # type: ignore[union-attr]

    @override
    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [path("language/", set_language, name="language"), *super().get_urls()]

    @override
    def admin_view(self, view: ViewT, cacheable: bool = False) -> ViewT:
        return super().admin_view(record_denials(view), cacheable)

    @override
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign in; success is recorded in the transaction that makes the session, a refusal after it."""
        if request.method != "POST":
            return super().login(request, extra_context)
        with transaction.atomic():
            response = super().login(request, extra_context)
            if isinstance(response, HttpResponseRedirect):
                record_login(request)
                return response
        record_failed_login(request, response)
        return response


def build_staff_context(request: HttpRequest) -> AuditContext:
    """Return the audit context of a request to the staff site; the session is named by a digest, never by its key."""
    user, key = request.user, request.session.session_key
    return AuditContext(
        actor_kind=ActorKind.STAFF if user.is_authenticated else ActorKind.ANONYMOUS,
        actor_id=str(user.pk) if user.is_authenticated else "",
        origin=Origin.ADMIN,
        request_id=get_request_id(),
        session_id=build_pseudonym("staff_session", key) if key else "",
        ip=read_address(request),
    )


def record_login(request: HttpRequest) -> None:
    record_entry(
        build_staff_context(request),
        AuditAction.STAFF_LOGIN_SUCCEEDED,
        subject="staff",
        subject_id=str(request.user.pk),
        details={"second_factor": getattr(request.user, "otp_device", None) is not None},
    )


def record_failed_login(request: HttpRequest, response: HttpResponseBase) -> None:
    """Record a refused sign-in; the name is a pseudonym, because people type passwords into that field."""
    record_refusal(
        build_staff_context(request),
        AuditAction.STAFF_LOGIN_REFUSED,
        subject="staff",
        subject_id=build_pseudonym("username", request.POST.get("username", "")),
        details={"reason": find_login_error(request, response)},
    )


def find_login_error(request: HttpRequest, response: HttpResponseBase) -> str:
    """Return the form's own error code, or `locked_out` when django-axes stopped the attempt."""
    if getattr(request, "axes_locked_out", False):
        return "locked_out"
    context = response.context_data if isinstance(response, TemplateResponse) else None
    errors = (context or {})["form"].errors.as_data() if context else {}
    codes = [error.code for found in errors.values() for error in found if error.code]
    return codes[0] if codes else "refused"


def record_denials(view: ViewT) -> ViewT:
    """Return `view`, which then records an `access.denied` entry for every refusal before it becomes a 403."""

    @wraps(view)
    def recorded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except PermissionDenied:
            match = request.resolver_match
            record_refusal(
                build_staff_context(request),
                AuditAction.ACCESS_DENIED,
                subject="page",
                subject_id=match.view_name if match else "",
                details={"method": request.method or ""},
            )
            raise

    return cast("ViewT", recorded)

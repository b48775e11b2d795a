"""What staff sees of operations, and the one act of the ledger that staff has: to take an operation back.

A correction is a reversal by the service: never an edit. It needs a permission of its own and a reason, and the
service records it.
"""

from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.admin.columns import (
    VIEW_CUSTOMER,
    VIEW_ENTRY_ROW,
    VIEW_EVIDENCE,
    VIEW_LINE,
    VIEW_OPERATION,
    show_money,
)
from accounts.admin.public_ids import PublicIdAdmin, filter_by_public_id
from accounts.enums import OperationStatus, ReversalReason
from accounts.errors import InsufficientFunds, OperationRefused
from accounts.models import Bill, Operation
from accounts.money import Money
from accounts.orders import ReversalOrder
from accounts.services.reversals import NEVER_REVERSED, submit_reversal
from audit.list_filters import filter_by_choice, filter_by_id, filter_by_period
from audit.readonly import RelatedPage, link_to_list, link_to_row, show_column
from audit.staff import build_staff_context

REVERSE = "accounts.reverse_operation"
COMMENT_LENGTH = 140


class ReversalForm(forms.Form):
    """Why the operation is taken back; `token` makes a form that is sent twice count once."""

    reason = forms.ChoiceField(label=_("Reason"), choices=ReversalReason.choices)
    comment = forms.CharField(label=_("Comment"), max_length=COMMENT_LENGTH, required=False)
    token = forms.UUIDField(widget=forms.HiddenInput)


def may_reverse(request: HttpRequest, operation: Operation) -> bool:
    """Tell whether this person may take this operation back now; the service decides again."""
    is_open = operation.status == OperationStatus.POSTED and operation.kind not in NEVER_REVERSED
    return is_open and request.user.has_perm(REVERSE)


@admin.register(Operation)
class OperationAdmin(PublicIdAdmin):
    """Operations; one operation's page shows its entries, and the button that takes it back."""

    list_display = ("created_at", "public_id", "kind", "status", "source", "customer_id", "value_date")
    list_filter = (
        filter_by_period("created_at"),
        filter_by_id("customer", "customer_id", _("customer")),
        filter_by_public_id("bill", Bill, "bill_id", _("bill")),
        filter_by_choice("status", _("status")),
        filter_by_choice("kind", _("kind")),
    )
    list_select_related = False
    search_ids = ("public_id", "confirmation", "customer_id")
    search_help_text = _("The exact id of an operation, confirmation or customer.")
    fields: ClassVar[Any] = (
        "public_id",
        "kind",
        "status",
        "source",
        "customer",
        show_column("card", _("card")),
        show_column("payee", _("payee")),
        show_column("bill", _("bill")),
        show_column("reverses", _("takes back")),
        show_column("refunds", _("refunds a part of")),
        "confirmation",
        "value_date",
        "created_at",
        "description",
    )
    change_form_template = "accounts/operation_form.html"

    @override
    def list_related(self, row: Operation) -> list[RelatedPage]:
        pages = [
            link_to_list("accounts_accountline", _("statement lines"), VIEW_LINE, operation=row.public_id),
            link_to_list("audit_auditentry", _("audit entries"), VIEW_EVIDENCE, q=row.public_id),
        ]
        if row.customer_id is not None:
            pages.append(link_to_row("accounts_customer", _("customer"), VIEW_CUSTOMER, row.customer_id))
        undone = row.reverses or row.refunds
        if undone is not None:
            pages.append(link_to_row("accounts_operation", _("original operation"), VIEW_OPERATION, undone.public_id))
        return pages

    @override
    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        if row is not None and request.user.has_perm(VIEW_ENTRY_ROW):
            context["entries"] = list_entries(row)
        if row is not None and may_reverse(request, row):
            context["reverse_url"] = reverse("admin:accounts_operation_reverse", args=[row.public_id])
        return super().render_change_form(request, context, *args, **kwargs)

    @override
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.reverse_view)
        return [path("<uuid:public_id>/reverse/", view, name="accounts_operation_reverse"), *super().get_urls()]

    def reverse_view(self, request: HttpRequest, public_id: Any) -> HttpResponse:
        """Ask why, then reverse the operation; a refusal is shown in words and changes nothing."""
        if not request.user.has_perm(REVERSE):
            raise PermissionDenied
        operation = Operation.objects.filter(public_id=public_id).first()
        if operation is None:
            raise Http404
        is_sent = request.method == "POST"
        form = ReversalForm(request.POST) if is_sent else ReversalForm(initial={"token": uuid4()})
        if form.is_valid() and reverse_by_form(request, operation, form):
            return HttpResponseRedirect(reverse("admin:accounts_operation_change", args=[public_id]))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Reverse an operation"),
            "operation": operation,
            "entries": list_entries(operation),
            "form": form,
        }
        status = 409 if is_sent and not form.errors.get("reason") else 200
        return TemplateResponse(request, "accounts/reverse_form.html", context, status=status)


def reverse_by_form(request: HttpRequest, operation: Operation, form: ReversalForm) -> bool:
    """Reverse as the form says; False, with the reason as the form's error, when the bank's rules refuse it."""
    order = ReversalOrder(
        customer_id=operation.customer_id,
        idempotency_key=f"reversal:{form.cleaned_data['token']}",
        operation=operation.public_id,
        reason=form.cleaned_data["reason"],
        comment=form.cleaned_data["comment"],
    )
    try:
        submit_reversal(build_staff_context(request), order=order, now=timezone.now())
    except InsufficientFunds:
        form.add_error(None, _("The money is not there any more."))
    except OperationRefused:
        form.add_error(None, _("This operation cannot be reversed: it is not posted, or was reversed or refunded."))
    else:
        messages.success(request, _("The operation is reversed."))
    return not form.errors


def list_entries(operation: Operation) -> list[dict[str, Any]]:
    """Return the operation's entries as its page shows them; one query."""
    rows = operation.entries.select_related("debit", "credit").order_by("seq")
    return [
        {
            "seq": row.seq,
            "phase": row.get_phase_display(),
            "debit": row.debit,
            "credit": row.credit,
            "amount": show_money(Money(row.amount_minor, row.currency)),
            "created_at": row.created_at,
        }
        for row in rows
    ]

"""What staff reads of the model's calls and of what customers were asked; nothing here writes.

A call's arguments are shown as the phone saw them, and its result to those who may read messages. A confirmation shows
the very bytes that the customer saw.
"""

from typing import Any, ClassVar

import orjson
from django.contrib import admin
from django.contrib.admin import display
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from audit.admin import ReadOnlyAdmin
from audit.list_filters import filter_by_choice, filter_by_id, filter_by_period
from audit.readonly import RelatedPage, link_to_list, link_to_row, show_columns
from functions.models import Confirmation, FunctionCall

VIEW_CALL = "functions.view_functioncall"
VIEW_CONFIRMATION = "functions.view_confirmation"
VIEW_MESSAGE = "chat.view_message"
VIEW_TURN = "chat.view_turn"
VIEW_CONVERSATION = "chat.view_conversation"
VIEW_OPERATION = "accounts.view_operation"
VIEW_CUSTOMER = "accounts.view_customer"
VIEW_DEVICE_KEY = "accounts.view_devicekey"
VIEW_ENTRY = "audit.view_auditentry"

LABELS = {
    "arguments_hash": _("arguments hash"),
    "bad_signatures": _("bad signatures"),
    "call_id": _("call"),
    "code": _("code"),
    "conversation_id": _("conversation"),
    "created_at": _("created at"),
    "customer_id": _("customer"),
    "decided_at": _("decided at"),
    "decided_device": _("decided on"),
    "decided_kid": _("device key"),
    "digest": _("digest"),
    "due_at": _("asked again at"),
    "duration_ms": _("duration, ms"),
    "expires_at": _("expires at"),
    "finished_at": _("finished at"),
    "function": _("function"),
    "id": _("id"),
    "is_money": _("moves money"),
    "kind": _("class"),
    "methods": _("methods"),
    "name": _("function"),
    "needs_payee": _("payee must be typed"),
    "needs_step_up": _("needs a fresh password"),
    "nonce": _("nonce"),
    "provenance": _("provenance"),
    "replaces_id": _("replaces"),
    "result_bytes": _("result, bytes"),
    "risk": _("risk"),
    "schema_hash": _("schema hash"),
    "state": _("state"),
    "status": _("status"),
    "step": _("step"),
    "turn_id": _("turn"),
    "version": _("version"),
}


@display(description=_("arguments"))
def show_arguments(call: FunctionCall) -> SafeString:
    """The masked ones, one a line."""
    return format_block("\n".join(f"{name}: {value}" for name, value in call.arguments_public.items()))


@display(description=_("result"))
def show_result(call: FunctionCall) -> SafeString:
    """What the model was told."""
    return format_json(call.result)


@display(description=_("payload"))
def show_payload(confirmation: Confirmation) -> SafeString:
    """The terms that the customer saw; the digest above is over the bytes as they were sent."""
    return format_json(bytes(confirmation.payload).decode())


@display(description=_("operation"))
def show_operation(confirmation: Confirmation) -> str:
    return str(confirmation.operation.public_id) if confirmation.operation else ""


def format_json(text: str) -> SafeString:
    """Return a JSON object spread over lines, letters as they are; nothing for no text."""
    return format_block(orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2).decode() if text else "")


def format_block(text: str) -> SafeString:
    return format_html('<pre class="evidence">{}</pre>', text)


@admin.register(FunctionCall)
class FunctionCallAdmin(ReadOnlyAdmin):
    """Calls of functions, with what they led to."""

    list_display = show_columns(
        LABELS, "created_at", "id", "name", "kind", "status", "code", "duration_ms", "customer_id", "turn_id"
    )
    list_filter = (
        filter_by_period("created_at"),
        filter_by_id("customer", "customer_id", _("customer")),
        filter_by_id("turn", "turn_id", _("turn")),
        filter_by_choice("status", LABELS["status"]),
        filter_by_choice("kind", LABELS["kind"]),
    )
    list_select_related = False
    search_ids = ("pk", "turn_id", "conversation_id", "customer_id")
    search_help_text = _("The exact id of a call, turn, conversation or customer.")

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        columns = show_columns(
            LABELS,
            "id",
            "name",
            "kind",
            "version",
            "schema_hash",
            "status",
            "code",
            "step",
            "created_at",
            "finished_at",
            "duration_ms",
            "customer_id",
            "conversation_id",
            "turn_id",
            "arguments_hash",
            "result_bytes",
        )
        # A result holds what the answer's text says: balances, payments.
        shown = (show_arguments, show_result) if request.user.has_perm(VIEW_MESSAGE) else (show_arguments,)
        return (*columns, *shown)

    @override
    def list_related(self, row: FunctionCall) -> list[RelatedPage]:
        return [
            link_to_list("functions_confirmation", _("confirmations"), VIEW_CONFIRMATION, call=row.pk),
            link_to_row("chat_turn", _("turn"), VIEW_TURN, row.turn_id),
            link_to_row("chat_conversation", _("conversation"), VIEW_CONVERSATION, row.conversation_id),
            link_to_row("accounts_customer", _("customer"), VIEW_CUSTOMER, row.customer_id),
            link_to_list("audit_auditentry", _("audit entries"), VIEW_ENTRY, turn=row.turn_id),
        ]


@admin.register(Confirmation)
class ConfirmationAdmin(ReadOnlyAdmin):
    """What customers were asked, how they answered, and which operation came of it."""

    list_display = show_columns(
        LABELS, "created_at", "id", "function", "risk", "state", "code", "decided_at", "customer_id", "turn_id"
    )
    list_filter = (
        filter_by_period("created_at"),
        filter_by_id("customer", "customer_id", _("customer")),
        filter_by_id("call", "call_id", _("call")),
        filter_by_id("turn", "turn_id", _("turn")),
        filter_by_choice("state", LABELS["state"]),
    )
    list_select_related = False
    search_ids = ("pk", "call_id", "turn_id", "operation__public_id", "customer_id")
    search_help_text = _("The exact id of a confirmation, call, turn, operation or customer.")
    fields: ClassVar[Any] = (
        *show_columns(
            LABELS,
            "id",
            "function",
            "version",
            "is_money",
            "state",
            "code",
            "risk",
            "methods",
            "needs_step_up",
            "needs_payee",
            "provenance",
            "created_at",
            "expires_at",
            "decided_at",
            "decided_device",
            "decided_kid",
            "bad_signatures",
            "due_at",
            "customer_id",
            "conversation_id",
            "turn_id",
            "call_id",
            "replaces_id",
        ),
        show_operation,
        "nonce",
        "digest",
        show_payload,
    )

    @override
    def list_related(self, row: Confirmation) -> list[RelatedPage]:
        pages = [
            link_to_row("functions_functioncall", _("function call"), VIEW_CALL, row.call_id),
            link_to_row("chat_turn", _("turn"), VIEW_TURN, row.turn_id),
            link_to_row("accounts_customer", _("customer"), VIEW_CUSTOMER, row.customer_id),
            link_to_list("audit_auditentry", _("audit entries"), VIEW_ENTRY, q=row.pk),
        ]
        if row.operation is not None:
            pages.append(
                link_to_row("accounts_operation", _("operation"), VIEW_OPERATION, row.operation.public_id),
            )
        return pages

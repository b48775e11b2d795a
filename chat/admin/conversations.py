"""What compliance and operators read of conversations, messages, turns and runs; nothing here writes.

A message's text is shown only to holders of `chat.view_message`. Turns and runs carry no text, so operators may read
them.
"""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from audit.admin import ReadOnlyAdmin
from audit.keyset import Keyset
from audit.list_filters import filter_by_choice, filter_by_id, filter_by_period
from audit.readonly import AFTER, BEFORE, RelatedPage, link_to_list, link_to_row, show_columns
from chat.models import Conversation, Message, Run, Turn

TRANSCRIPT_MESSAGES = 100

VIEW_CONVERSATION = "chat.view_conversation"
VIEW_MESSAGE = "chat.view_message"
VIEW_TURN = "chat.view_turn"
VIEW_RUN = "chat.view_run"
VIEW_FILE = "chat.view_storedfile"
VIEW_CALL = "functions.view_functioncall"
VIEW_CONFIRMATION = "functions.view_confirmation"
VIEW_ENTRY = "audit.view_auditentry"

LABELS = {
    "accepted_at": _("accepted at"),
    "accepted_seq": _("position of its acceptance"),
    "answer_id": _("id of the answer"),
    "attempt": _("attempt"),
    "cached_tokens": _("prompt tokens from cache"),
    "closed_at": _("closed at"),
    "completion_tokens": _("answer tokens"),
    "conversation_id": _("conversation"),
    "created_at": _("created at"),
    "customer_id": _("customer"),
    "device_id": _("device"),
    "digest": _("digest"),
    "engine": _("engine"),
    "epoch": _("epoch of the event log"),
    "error_code": _("error"),
    "fence": _("fence"),
    "finish_reason": _("why it ended"),
    "finished_at": _("finished at"),
    "first_delta_at": _("first piece at"),
    "id": _("id"),
    "last_turn_at": _("last turn at"),
    "lease_owner": _("lease owner"),
    "lease_until": _("lease until"),
    "mid": _("the phone's id of the message"),
    "model": _("model"),
    "prompt_bytes": _("prompt bytes"),
    "prompt_digest": _("prompt digest"),
    "prompt_messages": _("prompt messages"),
    "prompt_tokens": _("prompt tokens"),
    "question_id": _("id of the question"),
    "role": _("role"),
    "size_bytes": _("bytes"),
    "started_at": _("started at"),
    "state": _("state"),
    "text": _("text"),
    "title": _("title"),
    "top": _("events"),
    "turn_id": _("turn"),
    "upstream_request_id": _("GigaChat's id of the request"),
}


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    """Conversations; one conversation's page is its transcript."""

    list_display = show_columns(LABELS, "created_at", "id", "customer_id", "last_turn_at", "closed_at")
    list_filter = (filter_by_period("created_at"), filter_by_id("customer", "customer_id", _("customer")))
    search_ids = ("pk", "customer_id")
    search_help_text = _("The exact id of a conversation or customer.")
    fields: ClassVar[Any] = show_columns(
        LABELS, "id", "customer_id", "title", "created_at", "last_turn_at", "closed_at", "top", "epoch"
    )
    list_select_related = False
    change_form_template = "chat/conversation_form.html"

    @override
    def list_related(self, row: Conversation) -> list[RelatedPage]:
        return [
            link_to_list("chat_message", _("messages"), VIEW_MESSAGE, conversation=row.pk),
            link_to_list("chat_turn", _("turns"), VIEW_TURN, conversation=row.pk),
            link_to_list("audit_auditentry", _("audit entries"), VIEW_ENTRY, conversation=row.pk),
        ]

    @override
    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        if row is not None and request.user.has_perm(VIEW_MESSAGE):
            context["transcript"] = Keyset("created_at").read_page(
                Message.objects.filter(conversation=row),
                size=TRANSCRIPT_MESSAGES,
                after=request.GET.get(AFTER, ""),
                before=request.GET.get(BEFORE, ""),
            )
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Messages; the text is on the page of one message only."""

    list_display = show_columns(LABELS, "created_at", "id", "role", "conversation_id", "turn_id", "size_bytes")
    list_filter = (filter_by_period("created_at"), filter_by_id("conversation", "conversation_id", _("conversation")))
    search_ids = ("pk", "turn_id", "conversation_id")
    search_help_text = _("The exact id of a message, turn or conversation.")
    fields: ClassVar[Any] = show_columns(
        LABELS, "id", "role", "text", "created_at", "conversation_id", "turn_id", "size_bytes", "digest"
    )

    @override
    def list_related(self, row: Message) -> list[RelatedPage]:
        return [
            link_to_row("chat_conversation", _("conversation"), VIEW_CONVERSATION, row.conversation_id),
            link_to_row("chat_turn", _("turn"), VIEW_TURN, row.turn_id),
            link_to_list("chat_storedfile", _("attached files"), VIEW_FILE, message=row.pk),
        ]


@admin.register(Turn)
class TurnAdmin(ReadOnlyAdmin):
    """Turns: states, times and error codes; no text."""

    keyset_field = "accepted_at"
    list_display = show_columns(
        LABELS, "accepted_at", "id", "conversation_id", "state", "attempt", "finished_at", "finish_reason", "error_code"
    )
    list_filter = (
        filter_by_period("accepted_at"),
        filter_by_id("conversation", "conversation_id", _("conversation")),
        filter_by_choice("state", LABELS["state"]),
    )
    search_ids = ("pk", "conversation_id")
    search_help_text = _("The exact id of a turn or conversation.")
    fields: ClassVar[Any] = show_columns(
        LABELS,
        "id",
        "conversation_id",
        "state",
        "attempt",
        "accepted_at",
        "started_at",
        "finished_at",
        "finish_reason",
        "error_code",
        "mid",
        "question_id",
        "answer_id",
        "device_id",
        "accepted_seq",
        "fence",
        "lease_owner",
        "lease_until",
    )

    @override
    def list_related(self, row: Turn) -> list[RelatedPage]:
        return [
            link_to_row("chat_conversation", _("conversation"), VIEW_CONVERSATION, row.conversation_id),
            link_to_list("chat_run", _("runs"), VIEW_RUN, turn=row.pk),
            link_to_list("functions_functioncall", _("function calls"), VIEW_CALL, turn=row.pk),
            link_to_list("functions_confirmation", _("confirmations"), VIEW_CONFIRMATION, turn=row.pk),
            link_to_list("audit_auditentry", _("audit entries"), VIEW_ENTRY, turn=row.pk),
        ]


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Attempts to answer: what was asked of the model in sizes and digests, and what it cost; no text."""

    keyset_field = "started_at"
    list_display = show_columns(
        LABELS,
        "started_at",
        "id",
        "turn_id",
        "attempt",
        "state",
        "model",
        "prompt_tokens",
        "completion_tokens",
        "first_delta_at",
        "finished_at",
        "error_code",
    )
    list_filter = (filter_by_period("started_at"), filter_by_id("turn", "turn_id", _("turn")))
    search_ids = ("pk", "turn_id")
    search_help_text = _("The exact id of a run or turn.")
    fields: ClassVar[Any] = show_columns(
        LABELS,
        "id",
        "turn_id",
        "attempt",
        "state",
        "engine",
        "model",
        "started_at",
        "first_delta_at",
        "finished_at",
        "finish_reason",
        "error_code",
        "prompt_messages",
        "prompt_bytes",
        "prompt_digest",
        "prompt_tokens",
        "completion_tokens",
        "cached_tokens",
        "upstream_request_id",
    )

    @override
    def list_related(self, row: Run) -> list[RelatedPage]:
        return [
            link_to_row("chat_turn", _("turn"), VIEW_TURN, row.turn_id),
            link_to_list("audit_auditentry", _("audit entries"), VIEW_ENTRY, turn=row.turn_id),
        ]

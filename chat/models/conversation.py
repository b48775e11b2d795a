"""Conversations, their immutable messages and the event log that phones follow."""

import secrets
from uuid import UUID

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid_utils.compat import uuid7

from chat.enums import Role


def build_epoch() -> str:
    """Return a fresh opaque name for one unbroken life of an event log."""
    return secrets.token_hex(4)


class Conversation(models.Model):
    """One row: one dialogue of one customer, and the head of its event log.

    `top` is the position of the newest event; positions have no holes because every append holds this row until
    commit. `fence` grows whenever a turn starts, ends or is taken over: an append with an older number is refused, so
    a process that lost its turn can write nothing. `epoch` changes only when the log itself was lost or rewound.

    Personal data: title (may quote the customer), kept as long as the conversation.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey("accounts.Customer", on_delete=models.PROTECT, related_name="conversations")
    epoch = models.CharField(max_length=16, default=build_epoch, editable=False)
    top = models.BigIntegerField(default=0)
    fence = models.BigIntegerField(default=0)
    title = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    last_turn_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        indexes = [
            # The customer's list, newest first.
            models.Index(fields=["customer", "-last_turn_at", "-id"], name="conversation_by_customer"),
            # The admin's list.
            models.Index(fields=["-created_at", "-id"], name="conversation_by_time"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(top__gte=0, fence__gte=0), name="conversation_counters_grow"),
        ]

    @override
    def __str__(self) -> str:
        return str(self.id)


class Message(models.Model):
    """One row: one finished text, of the customer or of the assistant. Never changed but for its token count.

    The assistant's row is written when its turn ends; a turn that ended without text has none.

    Personal data: text; kept as long as the conversation.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="messages")
    turn = models.ForeignKey("chat.Turn", on_delete=models.PROTECT, related_name="messages")
    role = models.CharField(max_length=16, choices=Role)
    text = models.TextField()
    size_bytes = models.PositiveIntegerField(help_text=_("Length of the text in UTF-8."))
    digest = models.CharField(max_length=22, help_text=_("First 16 bytes of SHA-256 over the text, base64url."))
    token_count = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Counted by the model's provider when the history grew long.")
    )
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(fields=["conversation", "created_at", "id"], name="message_by_conversation"),
            # The admin's list.
            models.Index(fields=["-created_at", "-id"], name="message_by_time"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["turn", "role"], name="one_message_per_turn_and_role"),
        ]

    @override
    def __str__(self) -> str:
        return str(self.id)


class ConversationEvent(models.Model):
    """One row: one fact at position `seq` of a conversation's log, exactly as phones receive it.

    Written only by `chat.stream`; never changed. `body` is the JSON of the frame's `d`, stored as the bytes that are
    sent, so that every phone and every replay sees the same.

    Personal data: body may hold message text; kept as long as the conversation.
    """

    pk = models.CompositePrimaryKey("conversation_id", "seq")
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="events")
    seq = models.BigIntegerField()
    type = models.CharField(max_length=32)
    turn_id: UUID = models.UUIDField(null=True)  # type: ignore[assignment]  # no foreign key: the hottest insert of all
    body = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.CheckConstraint(condition=models.Q(seq__gte=1), name="event_positions_start_at_one"),
            # Exactly one terminal event per turn, ever.
            models.UniqueConstraint(
                fields=["turn_id"],
                condition=models.Q(type__in=["turn.completed", "turn.cancelled", "turn.failed"]),
                name="one_terminal_event_per_turn",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.conversation_id}:{self.seq}"

"""The JSON of conversations, messages and event pages, and the queries that ask for them."""

from typing import Any

from rest_framework import serializers
from typing_extensions import override

from chat.enums import FileKind, FileState, Role
from chat.models import Conversation, Message, MessageFile
from chat.protocol.replies import ResumeMode, SnapshotReason

MAX_CURSOR_CHARS = 200
MAX_POSITION = 2**53 - 1


class PageQuerySerializer(serializers.Serializer[Any]):
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20, help_text="Rows in a page.")
    cursor = serializers.CharField(
        max_length=MAX_CURSOR_CHARS, default="", allow_blank=True, help_text="`next_cursor` of the page before."
    )


class MessageQuerySerializer(PageQuerySerializer):
    order = serializers.ChoiceField(
        choices=["oldest", "newest"], default="oldest", help_text="Which end of the conversation comes first."
    )


class EventQuerySerializer(serializers.Serializer[Any]):
    epoch = serializers.CharField(
        max_length=16, default="", allow_blank=True, help_text="The log the position belongs to, as last seen."
    )
    after = serializers.IntegerField(
        min_value=0, max_value=MAX_POSITION, default=None, help_text="The phone's cursor; absent: from the start."
    )
    limit = serializers.IntegerField(min_value=1, max_value=500, default=100, help_text="Events in a page, at most.")


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    """A conversation and the head of its event log."""

    epoch = serializers.CharField(help_text="Name of the event log; changes only when the log was lost or rewound.")
    top = serializers.IntegerField(help_text="Position of the newest event.")

    class Meta:
        model = Conversation
        fields = ("id", "title", "created_at", "last_turn_at", "closed_at", "epoch", "top")
        read_only_fields = fields


class ConversationPageSerializer(serializers.Serializer[Any]):
    results = ConversationSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="Ask with it for the next page; null on the last.")


class MessageFileSerializer(serializers.Serializer[MessageFile]):
    """A file shown with a message; `gone` when it was deleted meanwhile."""

    id = serializers.UUIDField(source="file_id")
    kind = serializers.ChoiceField(source="file.kind", choices=FileKind.choices)
    media_type = serializers.CharField(source="file.media_type")
    name = serializers.CharField(source="file.name")
    bytes = serializers.IntegerField(source="file.size_bytes")
    gone = serializers.SerializerMethodField()

    def get_gone(self, attached: MessageFile) -> bool:
        return attached.file.state != FileState.STORED


class MessageSerializer(serializers.ModelSerializer[Message]):
    """A finished message; `bytes` and `sum` are those of the log."""

    turn = serializers.UUIDField(source="turn_id")
    mid = serializers.SerializerMethodField(help_text="The phone's own id of the customer's message, else null.")
    role = serializers.ChoiceField(choices=Role.choices)
    files = MessageFileSerializer(source="attached", many=True)
    bytes = serializers.IntegerField(source="size_bytes", help_text="Length of the text in UTF-8.")
    sum = serializers.CharField(source="digest", help_text="First 16 bytes of its SHA-256, base64url.")

    class Meta:
        model = Message
        fields = ("id", "turn", "mid", "role", "text", "files", "bytes", "sum", "created_at")
        read_only_fields = fields

    def get_mid(self, message: Message) -> str | None:
        return str(message.turn.mid) if message.role == Role.USER else None


class MessagePageSerializer(serializers.Serializer[Any]):
    results = MessageSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="Ask with it for the next page; null on the last.")


class FrameSerializer(serializers.Serializer[Any]):
    """One event exactly as the socket sends it."""

    t = serializers.CharField(help_text="Type.")
    c = serializers.UUIDField(help_text="Conversation.")
    s = serializers.IntegerField(help_text="Position of the event.")
    d = serializers.DictField(help_text="Body; its form depends on the type.")


class EventPageSerializer(serializers.Serializer[Any]):
    """Events after a position, by the rules of resuming on the socket."""

    epoch = serializers.CharField(help_text="The log as it is now.")
    top = serializers.IntegerField(help_text="Position of the newest event.")
    mode = serializers.ChoiceField(
        choices=[ResumeMode.LIVE, ResumeMode.REPLAY, ResumeMode.SNAPSHOT],
        help_text="`live`: nothing was missed. `replay`: apply the events to what you have. `snapshot`: forget what "
        "you have, the events start the conversation anew.",
    )
    why = serializers.ChoiceField(
        choices=[SnapshotReason.NEW, SnapshotReason.EPOCH, SnapshotReason.AHEAD],
        required=False,
        help_text="Only with `snapshot`: no position given, one of another log, one beyond the newest event.",
    )
    events = FrameSerializer(many=True)
    more = serializers.BooleanField(help_text="Ask again with the last event's position as `after`.")

    # `from` is a word of Python, so it cannot be an attribute above.
    @override
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        start = serializers.IntegerField(help_text="The position that the first event follows.")
        return {"from": start, **super().get_fields()}

"""What the chat app stores."""

from chat.models.conversation import Conversation, ConversationEvent, Message
from chat.models.file import GigaChatFile, MessageFile, StoredFile
from chat.models.profile import AssistantProfile
from chat.models.slot import StreamSlot
from chat.models.turn import Run, Turn
from chat.models.usage import ModelPrice, UsageDay

__all__ = [
    "AssistantProfile",
    "Conversation",
    "ConversationEvent",
    "GigaChatFile",
    "Message",
    "MessageFile",
    "ModelPrice",
    "Run",
    "StoredFile",
    "StreamSlot",
    "Turn",
    "UsageDay",
]

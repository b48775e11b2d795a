"""What the chat app stores."""

from chat.models.conversation import Conversation, ConversationEvent, Message
from chat.models.slot import StreamSlot
from chat.models.turn import Run, Turn

__all__ = ["Conversation", "ConversationEvent", "Message", "Run", "StreamSlot", "Turn"]

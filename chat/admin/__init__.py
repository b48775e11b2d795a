"""The staff's pages of the chat app."""

from chat.admin.conversations import ConversationAdmin, MessageAdmin, RunAdmin, TurnAdmin
from chat.admin.costs import ModelPriceAdmin, UsageDayAdmin
from chat.admin.files import GigaChatFileAdmin, StoredFileAdmin
from chat.admin.profiles import AssistantProfileAdmin

__all__ = [
    "AssistantProfileAdmin",
    "ConversationAdmin",
    "GigaChatFileAdmin",
    "MessageAdmin",
    "ModelPriceAdmin",
    "RunAdmin",
    "StoredFileAdmin",
    "TurnAdmin",
    "UsageDayAdmin",
]

"""The staff's pages of the chat app."""

from chat.admin.conversations import ConversationAdmin, MessageAdmin, RunAdmin, TurnAdmin
from chat.admin.costs import ModelPriceAdmin, UsageDayAdmin
from chat.admin.profiles import AssistantProfileAdmin

__all__ = [
    "AssistantProfileAdmin",
    "ConversationAdmin",
    "MessageAdmin",
    "ModelPriceAdmin",
    "RunAdmin",
    "TurnAdmin",
    "UsageDayAdmin",
]

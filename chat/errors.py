"""Errors of the chat domain.

ChatError
├── ConversationNotFound    unknown or foreign: outside they look the same
├── TurnNotFound            unknown, or of another conversation
├── TurnBusy                the conversation has an unfinished turn and the caller chose `reject`
├── MessageConflict         the same client message id with other content
├── TooManyTurns            the customer's turn rate is used up
├── QueueFull               too many turns wait for the model
└── RunLost                 this process no longer owns the turn: stop, close the upstream, write nothing
"""

from uuid import UUID


class ChatError(Exception):
    """Root of the chat errors."""


class ConversationNotFound(ChatError):
    """The conversation does not exist or belongs to somebody else. Retrying does not help."""


class TurnNotFound(ChatError):
    """The turn does not exist in this conversation. Retrying does not help."""


class TurnBusy(ChatError):
    """Another turn of the conversation is unfinished. Retrying helps once it ended."""

    def __init__(self, turn_id: UUID) -> None:
        super().__init__("the conversation has an unfinished turn")
        self.turn_id = turn_id


class MessageConflict(ChatError):
    """The client message id was already used with other content. Retrying does not help."""


class TooManyTurns(ChatError):
    """The customer asked too often. Retrying helps after `retry_after_ms`."""

    def __init__(self, *, limit: int, window_seconds: int, retry_after_ms: int) -> None:
        super().__init__(f"{limit} turns per {window_seconds} s")
        self.limit = limit
        self.window_seconds = window_seconds
        self.retry_after_ms = retry_after_ms


class QueueFull(ChatError):
    """As many turns wait for the model as may. Retrying helps after `retry_after_ms`."""

    def __init__(self, retry_after_ms: int) -> None:
        super().__init__("too many turns are waiting")
        self.retry_after_ms = retry_after_ms


class RunLost(ChatError):
    """The fencing number moved on: the turn was cancelled, recovered or finished elsewhere."""

"""Errors of the chat domain.

ChatError
├── ConversationNotFound    unknown or foreign: outside they look the same
├── ConversationClosed      its customer has closed it
├── TurnNotFound            unknown, or of another conversation
├── TurnBusy                the conversation has an unfinished turn and the caller chose `reject`
├── MessageConflict         the same client message id with other content
├── TooManyTurns            the customer's turn rate is used up
├── QueueFull               too many turns wait for the model
├── BudgetUsedUp            the tokens of the customer's day, or of the bank's, are used up
├── FileUnknown             unknown, foreign or deleted: outside they look the same
├── TooManyFiles            the customer stored as many files in the last hour as one may
├── FileRefused             what was sent cannot be kept; `reason` says why
│   ├── FileTooBig             more bytes, pixels or unpacked content than allowed
│   └── FileFormatRefused      none of the accepted formats, or a broken one
├── FileUnreadable          a stored file cannot be decrypted: a key is missing, or the bytes were changed
└── RunLost                 this process no longer owns the turn: stop, close the upstream, write nothing
"""

from uuid import UUID


class ChatError(Exception):
    """Root of the chat errors."""


class ConversationNotFound(ChatError):
    """The conversation does not exist or belongs to somebody else. Retrying does not help."""


class ConversationClosed(ChatError):
    """Nothing can be asked in the conversation any more. Retrying does not help; a new conversation does."""


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


class BudgetUsedUp(ChatError):
    """No more tokens today. Retrying helps after `retry_after_ms`, at the bank's midnight."""

    def __init__(self, *, retry_after_ms: int) -> None:
        super().__init__("the tokens of the day are used up")
        self.retry_after_ms = retry_after_ms


class FileUnknown(ChatError):
    """The file does not exist, was deleted or belongs to somebody else. Retrying does not help."""

    def __init__(self, file_id: UUID, position: int = 0) -> None:
        super().__init__("no such file")
        self.file_id = file_id
        self.position = position


class TooManyFiles(ChatError):
    """The customer stored too many files. Retrying helps after `retry_after_ms`."""

    def __init__(self, *, limit: int, retry_after_ms: int) -> None:
        super().__init__(f"{limit} files per hour")
        self.limit = limit
        self.retry_after_ms = retry_after_ms


class FileRefused(ChatError):
    """The file can never be kept as it is; `reason` is one of a closed set of words, never anything from the file."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FileTooBig(FileRefused):
    """Too many bytes (`bytes`), pixels (`pixels`), or too much inside an archive (`unpacked`)."""


class FileFormatRefused(FileRefused):
    """`unknown` format, `broken` content, `encrypted` document, document with `macros`, or `empty`."""


class FileUnreadable(ChatError):
    """The stored bytes do not decrypt to this very file. An operator must look: retrying does not help."""


class RunLost(ChatError):
    """The fencing number moved on: the turn was cancelled, recovered or finished elsewhere."""

"""What goes to GigaChat and what comes back, in our words: no JSON, no HTTP.

Customers' texts are kept out of every `repr`, so that a logged object never carries one.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from typing_extensions import override


class PromptRole(StrEnum):
    """Who speaks in a prompt message; `SYSTEM` at most once and first."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptMessage:
    role: PromptRole
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One question to the model with its history.

    session_id          groups a dialogue; a stable value raises the provider's prompt-cache hits
    client_id           a keyed pseudonym of the customer, never a name or a phone: the provider stores it
    request_id          ours, to find the call in both logs
    temperature         > 0; zero means "as deterministic as possible"
    top_p               0..1
    max_tokens          > 0, counts the answer only
    repetition_penalty  > 0, 1.0 is neutral
    update_interval     seconds the provider gathers text before sending it; 0 is the lowest delay
    """

    model: str
    messages: tuple[PromptMessage, ...] = field(repr=False)
    session_id: str
    client_id: str
    request_id: str
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    repetition_penalty: float | None = None
    update_interval: float | None = None


class FinishReason(StrEnum):
    """Why the model stopped.

    BLACKLIST  the provider's thematic filter: the text holds its canned refusal
    ERROR      the model generated invalid function arguments
    """

    STOP = "stop"
    LENGTH = "length"
    BLACKLIST = "blacklist"
    ERROR = "error"
    FUNCTION_CALL = "function_call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The provider's raw token counts. Nothing may be derived from them: sources disagree what `total` includes."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    precached_prompt_tokens: int = 0


class TextDelta(NamedTuple):
    """A non-empty piece of the answer, to append.

    A named tuple because one is made per token: a frozen dataclass costs three times as much.
    """

    text: str

    @override
    def __repr__(self) -> str:
        return f"TextDelta({len(self.text)} characters)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The end of an answer. `model` is the provider's name with its version, `GigaChat-2-Max:2.0.30.01`."""

    reason: FinishReason
    usage: Usage | None
    model: str


StreamPart = TextDelta | Finished

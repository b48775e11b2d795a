"""What goes to GigaChat and what comes back, in our words: no JSON, no HTTP.

Customers' texts are kept out of every `repr`, so that a logged object never carries one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from typing_extensions import override


class PromptRole(StrEnum):
    """Who speaks in a prompt message; `SYSTEM` at most once and first, `FUNCTION` right after the call it answers."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    FUNCTION = "function"


class AttachmentKind(StrEnum):
    """Of several documents the model reads the first only; a message takes one image."""

    IMAGE = "image"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that was uploaded under the same `client_id`; `file_id` is the provider's, `size_bytes` 0 if unknown."""

    file_id: str
    kind: AttachmentKind
    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCall:
    """What the model asks for; goes back into the next prompt unchanged.

    arguments  the model's own and unchecked: validate before use
    state_id   the provider's `functions_state_id`, None when it sent none
    """

    name: str
    arguments: Mapping[str, Any] = field(repr=False)
    state_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionExample:
    """What a customer says and the arguments it should lead to."""

    request: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDefinition:
    """One function the model may call.

    name               Latin letters, digits (not first), `_`, `-`, `.`
    parameters         a JSON schema of type object; every object has `properties`; no `$ref`, `anyOf` and the like
    few_shot_examples  the documented lever for good arguments
    return_parameters  a JSON schema of the result
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    few_shot_examples: tuple[FunctionExample, ...] = ()
    return_parameters: Mapping[str, Any] | None = None


class FunctionMode(StrEnum):
    """Whether the model may call a function of the prompt, or must not."""

    AUTO = "auto"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class NamedFunction:
    """The model must call this function of the prompt."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptMessage:
    """One message of a prompt.

    content        required for every role, may be empty; of a FUNCTION message a JSON object as text, made by
                   `encoding.build_result_message`
    attachments    USER only
    function_call  ASSISTANT only; the next message must be its result
    name           FUNCTION only: whose result it is
    """

    role: PromptRole
    content: str = field(repr=False)
    attachments: tuple[Attachment, ...] = ()
    function_call: FunctionCall | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One question to the model with its history.

    session_id          groups a dialogue; a stable value raises the provider's prompt-cache hits
    client_id           a keyed pseudonym of the customer, never a name or a phone: the provider stores it
    request_id          ours, to find the call in both logs
    temperature         0..2; zero means "as deterministic as possible"
    top_p               0..1
    max_tokens          > 0, counts the answer only
    repetition_penalty  > 0, 1.0 is neutral
    update_interval     seconds the provider gathers text before sending it; 0 is the lowest delay
    functions           what the model may call; without any, the provider's built-in functions stay off too
    function_choice     AUTO when there are functions
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
    functions: tuple[FunctionDefinition, ...] = ()
    function_choice: FunctionMode | NamedFunction = FunctionMode.AUTO


class FinishReason(StrEnum):
    """Why the model stopped.

    LENGTH         cut by `max_tokens` or by the model's window
    BLACKLIST      the provider's thematic filter: see `Finished.replacement`
    ERROR          the model generated invalid function arguments
    FUNCTION_CALL  the FunctionCall came just before
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
    """The end of an answer. `model` is the provider's name with its version, `GigaChat-2-Max:2.0.30.01`.

    replacement  BLACKLIST only: the provider's canned refusal, to be shown instead of all text of this answer, some of
                 which may be what the filter objects to; None when the provider sent no text
    """

    reason: FinishReason
    usage: Usage | None
    model: str
    replacement: str | None = field(default=None, repr=False)


# An answer is 0..n TextDelta, then one FunctionCall if and only if the reason is FUNCTION_CALL, then one Finished.
StreamPart = TextDelta | FunctionCall | Finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A whole answer that was not streamed; `text` is the canned refusal when the reason is BLACKLIST.

    request_id  the provider's id of the call; ours when it sent none
    """

    text: str = field(repr=False)
    function_call: FunctionCall | None
    reason: FinishReason
    usage: Usage | None
    model: str
    request_id: str

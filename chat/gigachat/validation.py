"""What GigaChat would answer with 400, 413 or 422, found before it is sent: pure.

The service's own texts name no field ("invalid JSON syntax" is its word for every mismatch); ours do.
Source: docs/gigachat.md "Messages and functions"
"""

import math
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from chat.gigachat.errors import PromptInvalid
from chat.gigachat.mapping import decode_json
from chat.gigachat.types import (
    AttachmentKind,
    FunctionCall,
    FunctionDefinition,
    FunctionMode,
    NamedFunction,
    Prompt,
    PromptMessage,
    PromptRole,
)

MAX_IMAGES_PER_MESSAGE = 1
MAX_IMAGES_PER_REQUEST = 10
MAX_IMAGES_BYTES = 80 * 1000 * 1000
MAX_TEMPERATURE = 2.0
MAX_ID_CHARACTERS = 128
FUNCTION_NAME = re.compile(r"[A-Za-z_.\-][A-Za-z0-9_.\-]{0,63}")
# The provider's own; a function of ours by one of these names would start something else.
BUILT_IN_NAMES = frozenset({"text2image", "text2model3d", "get_file_content", "web_search"})
# What the provider's schema language does not know, or drops silently.
UNKNOWN_KEYWORDS = frozenset({"$ref", "$defs", "anyOf", "oneOf", "allOf", "not", "if", "then", "else"})
SCHEMA_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean"})
STRING_FORMATS = ("date", "date-time", "time")

Fault = tuple[str, str]


def validate_prompt(prompt: Prompt) -> None:
    """Raises: PromptInvalid, which names the first field the service would refuse"""
    for field, rule in iter_faults(prompt):
        raise PromptInvalid(field, rule)


def iter_faults(prompt: Prompt) -> Iterator[Fault]:
    """Yield the path of each field that would be refused, and what is asked of it."""
    if not prompt.model:
        yield "model", "is required"
    yield from check_ids(prompt)
    yield from check_sampling(prompt)
    yield from check_messages(prompt.messages)
    yield from check_attachments(prompt.messages)
    yield from check_functions(prompt.functions)
    yield from check_choice(prompt)


def check_ids(prompt: Prompt) -> Iterator[Fault]:
    """They travel as headers; of what could break out of one, nothing may pass."""
    for name in ("request_id", "session_id", "client_id"):
        value = getattr(prompt, name)
        if not (0 < len(value) <= MAX_ID_CHARACTERS and value.isascii() and value.isprintable()):
            yield name, f"must be 1 to {MAX_ID_CHARACTERS} printable ASCII characters"


def check_sampling(prompt: Prompt) -> Iterator[Fault]:
    if not is_within(prompt.temperature, 0, MAX_TEMPERATURE):
        yield "temperature", f"must be between 0 and {MAX_TEMPERATURE:g}"
    if not is_within(prompt.top_p, 0, 1):
        yield "top_p", "must be between 0 and 1"
    if prompt.max_tokens is not None and (type(prompt.max_tokens) is not int or prompt.max_tokens <= 0):
        yield "max_tokens", "must be a whole number above 0"
    if not is_within(prompt.repetition_penalty, 0, math.inf) or prompt.repetition_penalty == 0:
        yield "repetition_penalty", "must be above 0"
    if not is_within(prompt.update_interval, 0, math.inf):
        yield "update_interval", "must be 0 or more seconds"


def is_within(value: float | None, least: float, most: float) -> bool:
    """Whether the value is left out or a finite number in the range; `True` is no number."""
    if value is None:
        return True
    return type(value) in {int, float} and math.isfinite(value) and least <= value <= most


def check_messages(messages: tuple[PromptMessage, ...]) -> Iterator[Fault]:
    if not messages:
        yield "messages", "must not be empty"
        return
    for index, message in enumerate(messages):
        at = f"messages[{index}]"
        if message.role is PromptRole.SYSTEM and index > 0:
            yield f"{at}.role", "the only system message must be the first message"
        if not is_text(message.content):
            yield f"{at}.content", "must be a string of valid Unicode"
        if message.role is not PromptRole.ASSISTANT and message.function_call is not None:
            yield f"{at}.function_call", "only the assistant calls functions"
        if message.role is not PromptRole.USER and message.attachments:
            yield f"{at}.attachments", "only the user attaches files"
        if message.role is not PromptRole.FUNCTION and message.name is not None:
            yield f"{at}.name", "only a function result has a name"
        if message.role is PromptRole.FUNCTION and not isinstance(decode_text(message.content), dict):
            yield f"{at}.content", "a function result must be a string holding a JSON object"
        if message.function_call is not None:
            yield from check_call(message.function_call, f"{at}.function_call")
    yield from check_pairs(messages)


def check_call(call: FunctionCall, at: str) -> Iterator[Fault]:
    if FUNCTION_NAME.fullmatch(call.name) is None:
        yield f"{at}.name", "must be Latin letters, digits (not first), `_`, `-`, `.`"
    if not isinstance(call.arguments, Mapping):
        yield f"{at}.arguments", "must be an object"


def check_pairs(messages: tuple[PromptMessage, ...]) -> Iterator[Fault]:
    """Each call is followed by its result, and each result follows its call."""
    if messages[0].role is PromptRole.FUNCTION:
        yield "messages[0]", "a function result must follow its call"
    if messages[-1].function_call is not None:
        yield f"messages[{len(messages) - 1}].function_call", "a call must be followed by its result"
    for index, (message, follower) in enumerate(pairwise(messages)):
        call, is_result = message.function_call, follower.role is PromptRole.FUNCTION
        if call is not None and not is_result:
            yield f"messages[{index}].function_call", "a call must be followed by its result"
        if call is None and is_result:
            yield f"messages[{index + 1}]", "a function result must follow its call"
        if call is not None and is_result and follower.name != call.name:
            yield f"messages[{index + 1}].name", "must be the name of the call before"


def check_attachments(messages: tuple[PromptMessage, ...]) -> Iterator[Fault]:
    images = size_bytes = 0
    for index, message in enumerate(messages):
        here = [file for file in message.attachments if file.kind is AttachmentKind.IMAGE]
        if len(here) > MAX_IMAGES_PER_MESSAGE:
            yield f"messages[{index}].attachments", "a message takes one image"
        if any(not file.file_id for file in message.attachments):
            yield f"messages[{index}].attachments", "an id must not be empty"
        images += len(here)
        size_bytes += sum(file.size_bytes for file in here)
    if images > MAX_IMAGES_PER_REQUEST:
        yield "messages", f"a request takes {MAX_IMAGES_PER_REQUEST} images"
    if size_bytes >= MAX_IMAGES_BYTES:
        yield "messages", f"the images of a request must be below {MAX_IMAGES_BYTES} bytes together"


def check_functions(functions: tuple[FunctionDefinition, ...]) -> Iterator[Fault]:
    known: set[str] = set()
    for index, function in enumerate(functions):
        at = f"functions[{index}]"
        if FUNCTION_NAME.fullmatch(function.name) is None:
            yield f"{at}.name", "must be Latin letters, digits (not first), `_`, `-`, `.`"
        if function.name in BUILT_IN_NAMES:
            yield f"{at}.name", "is a built-in function of the provider"
        if function.name in known:
            yield f"{at}.name", "must be used once"
        known.add(function.name)
        if not is_text(function.description):
            yield f"{at}.description", "must be a string of valid Unicode"
        yield from check_object(function.parameters, f"{at}.parameters")
        if function.return_parameters is not None:
            yield from check_object(function.return_parameters, f"{at}.return_parameters")
        for number, example in enumerate(function.few_shot_examples):
            if not (is_text(example.request) and isinstance(example.params, Mapping)):
                yield f"{at}.few_shot_examples[{number}]", "must have a text and an object of arguments"


def check_object(schema: Any, at: str) -> Iterator[Fault]:
    """A function's own schema, and what it returns, is an object."""
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        yield f"{at}.type", "must be object"
        return
    yield from check_schema(schema, at)


def check_schema(schema: Any, at: str) -> Iterator[Fault]:
    if not isinstance(schema, Mapping):
        yield at, "must be an object"
        return
    for keyword in sorted(UNKNOWN_KEYWORDS.intersection(schema)):
        yield f"{at}.{keyword}", "is not understood"
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in SCHEMA_TYPES:
        yield f"{at}.type", "must be one of " + ", ".join(sorted(SCHEMA_TYPES))
    if kind == "string" and schema.get("format", "date") not in STRING_FORMATS:
        yield f"{at}.format", "must be one of " + ", ".join(STRING_FORMATS)
    words = schema.get("enum", [])
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        yield f"{at}.enum", "must hold strings"
    properties = schema.get("properties")
    if kind == "object" and not isinstance(properties, Mapping):
        yield f"{at}.properties", "is required of every object"
    elif isinstance(properties, Mapping):
        for name, child in properties.items():
            yield from check_schema(child, f"{at}.properties.{name}")
    if kind == "array":
        yield from check_schema(schema.get("items"), f"{at}.items")


def check_choice(prompt: Prompt) -> Iterator[Fault]:
    choice = prompt.function_choice
    if isinstance(choice, NamedFunction) and choice.name not in {function.name for function in prompt.functions}:
        yield "function_call.name", "must be one of functions"
    elif not isinstance(choice, NamedFunction | FunctionMode):
        yield "function_call", "must be auto, none or a named function"


def is_text(value: object) -> bool:
    """Whether it is a string that UTF-8 can hold: half of a surrogate pair it cannot."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def decode_text(value: object) -> Any:
    return decode_json(value.encode()) if isinstance(value, str) and is_text(value) else None

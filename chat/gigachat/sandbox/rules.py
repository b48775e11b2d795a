"""What is valid JSON and still refused with 422: the rules of messages, functions and sampling parameters.

Texts are the recorded ones where a record exists; the others follow their form (docs/sandbox.md lists which).
"""

import re
from collections.abc import Iterator, Sequence

import orjson
from pydantic import JsonValue

from chat.gigachat.sandbox.errors import ApiError
from chat.gigachat.sandbox.schema import CompletionIn, FunctionIn, MessageIn

_FUNCTION_NAME = re.compile(r"[A-Za-z_.\-][A-Za-z0-9_.\-]*")
_NAME_RULE = (
    "Invalid function names. Only Latin letters (A-Z or a-z), underscore (_), hyphen (-), dot (.) "
    "and digits (not leading) are allowed.: [{names}]"
)


def check_completion(request: CompletionIn) -> None:
    """Raises: ApiError 422"""
    check_sampling(request)
    check_messages(request.messages)
    check_functions(request.functions)
    choice = request.function_call
    if choice is not None and not isinstance(choice, str):
        names = [function.name for function in request.functions]
        if choice.name not in names:
            raise _refuse(f"function {choice.name} is not in functions")


def check_sampling(request: CompletionIn) -> None:
    """Raises: ApiError 422"""
    for name, value in (
        ("temperature", request.temperature),
        ("max_tokens", request.max_tokens),
        ("repetition_penalty", request.repetition_penalty),
    ):
        if value is not None and value <= 0:
            raise _refuse(f"{name} must be in range (0, +inf)")
    if request.top_p is not None and not 0 <= request.top_p <= 1:
        raise _refuse("top_p must be in range [0, 1]")
    if request.update_interval is not None and request.update_interval < 0:
        raise _refuse("update_interval must be in range [0, +inf)")


def check_messages(messages: Sequence[MessageIn]) -> None:
    """Raises: ApiError 422"""
    if not messages:
        raise _refuse("messages must not be empty")
    if any(message.role == "system" for message in messages[1:]):
        raise _refuse("system message must be the first message")
    followers: list[MessageIn | None] = [*messages[1:], None]
    for message, follower in zip(messages, followers, strict=True):
        is_call = message.role == "assistant" and message.function_call is not None
        has_result = follower is not None and follower.role == "function"
        if is_call and not has_result:
            raise _refuse("every assistant function call must have a result in history")
        if has_result and not is_call:
            raise _refuse("every assistant function result must have an assistant function call in history")
        if follower is not None and has_result:
            check_result(follower, message)
    if messages[0].role == "function":
        raise _refuse("every assistant function result must have an assistant function call in history")


def check_result(result: MessageIn, call: MessageIn) -> None:
    """Raises: ApiError 422 unless the content is a string holding a JSON object"""
    name = result.name or (call.function_call.name if call.function_call else "")
    try:
        value = orjson.loads(result.content)
    except orjson.JSONDecodeError as error:
        reason = f"JSON parse error at line {error.lineno} column {error.colno}"
        text = f"INVALID_PARAMS: invalid function result for function {name} json string {result.content}: {reason}"
        raise ApiError(422, text) from error
    if not isinstance(value, dict):
        raise ApiError(422, "INVALID_PARAMS: function content must contain FunctionResult")


def check_functions(functions: Sequence[FunctionIn]) -> None:
    """Raises: ApiError 422"""
    wrong = [function.name for function in functions if not _FUNCTION_NAME.fullmatch(function.name)]
    if wrong:
        raise _refuse(_NAME_RULE.format(names=", ".join(wrong)))
    for function in functions:
        missing = next(iter_missing_properties(function), None)
        if missing is not None:
            raise ApiError(422, f"Field '{missing}' is missing")


def iter_missing_properties(function: FunctionIn) -> Iterator[str]:
    """Yield the path of each nested object schema's absent `properties`, as the service names it."""
    yield from _iter_missing(function.parameters, "")


def _iter_missing(schema: dict[str, JsonValue], path: str) -> Iterator[str]:
    properties = schema.get("properties")
    # An object at the top may have no properties: a function without parameters.
    if path and schema.get("type") == "object" and not isinstance(properties, dict):
        yield f"{path}properties"
    if isinstance(properties, dict):
        for name, child in properties.items():
            if isinstance(child, dict):
                yield from _iter_missing(child, f"{path}properties.{name}.")
    items = schema.get("items")
    if isinstance(items, dict):
        yield from _iter_missing(items, f"{path}items.")


def _refuse(reason: str) -> ApiError:
    return ApiError(422, f"Invalid params: {reason}")

"""The JSON of short calls to our types: pure. What is not as documented is AnswerMalformed, never half a result."""

from collections.abc import Callable
from typing import Any, TypeVar

from chat.gigachat.errors import AnswerMalformed
from chat.gigachat.rest_types import (
    FunctionFault,
    FunctionReport,
    ModelInfo,
    PackageBalance,
    TokenCount,
    UploadedFile,
)

Item = TypeVar("Item")
Value = TypeVar("Value")


def parse_model(value: Any) -> ModelInfo:
    """Raises: AnswerMalformed"""
    return ModelInfo(name=take(value, "id", str), kind=find(value, "type", "chat"), owner=find(value, "owned_by", ""))


def parse_models(value: Any) -> tuple[ModelInfo, ...]:
    """Raises: AnswerMalformed"""
    return parse_list(take(value, "data", list), parse_model)


def parse_counts(value: Any) -> tuple[TokenCount, ...]:
    """Return one count per text; the answer is a bare array. Raises: AnswerMalformed"""
    return parse_list(
        value, lambda item: TokenCount(tokens=take(item, "tokens", int), characters=take(item, "characters", int))
    )


def parse_balance(value: Any) -> tuple[PackageBalance, ...]:
    """Raises: AnswerMalformed"""
    return parse_list(take(value, "balance", list), parse_package)


def parse_package(value: Any) -> PackageBalance:
    tokens = value.get("value") if isinstance(value, dict) else None
    if isinstance(tokens, bool) or not isinstance(tokens, int | float):
        raise AnswerMalformed
    return PackageBalance(model=take(value, "usage", str), tokens=int(tokens))


def parse_file(value: Any) -> UploadedFile:
    """Raises: AnswerMalformed"""
    file_id = take(value, "id", str)
    # It becomes a part of addresses and of prompts.
    if not file_id.isascii() or not file_id.replace("-", "").replace("_", "").isalnum():
        raise AnswerMalformed
    return UploadedFile(
        file_id=file_id,
        size_bytes=find(value, "bytes", 0),
        created_at=find(value, "created_at", 0),
        filename=find(value, "filename", ""),
        purpose=find(value, "purpose", ""),
    )


def parse_files(value: Any) -> tuple[UploadedFile, ...]:
    """Raises: AnswerMalformed"""
    return parse_list(take(value, "data", list), parse_file)


def parse_deletion(value: Any) -> bool:
    """Raises: AnswerMalformed"""
    return take(value, "deleted", bool)


def parse_report(value: Any) -> FunctionReport:
    """Raises: AnswerMalformed"""
    take(value, "message", str)
    errors = parse_list(find(value, "errors", []), parse_fault)
    return FunctionReport(
        is_valid=not errors, errors=errors, warnings=parse_list(find(value, "warnings", []), parse_fault)
    )


def parse_fault(value: Any) -> FunctionFault:
    return FunctionFault(text=take(value, "description", str), location=find(value, "schema_location", ""))


def parse_list(value: Any, parse: Callable[[Any], Item]) -> tuple[Item, ...]:
    if not isinstance(value, list):
        raise AnswerMalformed
    return tuple(parse(item) for item in value)


def take(value: Any, name: str, kind: type[Value]) -> Value:
    """Return a required field. Raises: AnswerMalformed"""
    found = value.get(name) if isinstance(value, dict) else None
    if type(found) is not kind:
        raise AnswerMalformed
    return found


def find(value: dict[str, Any], name: str, default: Value) -> Value:
    """Return an optional field; the default also for a value of another type."""
    found = value.get(name)
    return found if type(found) is type(default) else default

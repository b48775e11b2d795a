"""Checks frames against docs/asyncapi.yaml: a frame that a test sees and the contract does not allow fails it.

Stricter than the file: fields it does not name are refused here, since it is our own server that is checked.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

PATH = Path(__file__).resolve().parent.parent / "docs" / "asyncapi.yaml"


def close(schema: Any) -> Any:
    """Return the schema with every object of named fields refusing others."""
    if isinstance(schema, list):
        return [close(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: close(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


@cache
def read_document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return document


@cache
def build_validator(message: str) -> Draft202012Validator:
    """Return the validator of one message's frame. Raises: KeyError for a message the contract does not know."""
    components = close(read_document()["components"])
    payload = components["messages"][message]["payload"]
    return Draft202012Validator(
        {"components": components, **payload}, format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def check_sent(frame: Mapping[str, Any]) -> None:
    """Check a frame that the server sent. Raises: ValidationError, KeyError for an unknown type"""
    build_validator(frame["t"]).validate(frame)


def check_command(frame: Mapping[str, Any]) -> None:
    """Check a frame that a phone sent. Raises: ValidationError, KeyError for an unknown type"""
    build_validator(f"phone.{frame['t']}").validate(frame)

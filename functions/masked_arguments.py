"""What the phone and the staff see of a call's arguments: handles, amounts, days, words; never a number of a person."""

from collections.abc import Mapping
from datetime import date
from enum import Enum

from pydantic import BaseModel

from accounts.folding import clean_untrusted
from accounts.money import Money, format_money
from audit.redaction import redact_text

MAX_CHARACTERS = 80


def mask_arguments(arguments: BaseModel | None) -> dict[str, str]:
    """Return the given arguments as short texts, by name; those left out are left out here."""
    if arguments is None:
        return {}
    fields = type(arguments).model_fields
    given: Mapping[str, object] = {field.alias or name: getattr(arguments, name) for name, field in fields.items()}
    return {name: mask_value(value) for name, value in given.items() if value is not None}


def mask_value(value: object) -> str:
    if isinstance(value, Money):
        return format_money(value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | date):
        return str(value)
    return clean_untrusted(redact_text(str(value)), MAX_CHARACTERS)

"""Canonical bytes of an entry's body: RFC 8785 on a domain small enough to have no surprises. Pure.

On this domain `orjson` with sorted keys gives byte for byte what RFC 8785 asks for; a property test holds it to a
slow reference. Outside of it (floats, keys beyond ASCII) the two differ, so such values are refused, not converted.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import orjson

from audit.errors import EntryRefused

JsonScalar: TypeAlias = str | int | bool | None
JsonValue: TypeAlias = "JsonScalar | Sequence[JsonValue] | Mapping[str, JsonValue]"

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 8
MAX_BYTES = 64 * 1024
KEY = re.compile(r"[\x20-\x7e]{1,64}")


def encode_canonical(value: Mapping[str, JsonValue]) -> bytes:
    """Return the canonical JSON bytes of `value`.

    Keys are 1..64 printable ASCII characters, strings valid Unicode in NFC, integers within ±(2^53-1), nesting at most
    8, the result at most 64 KiB; there are no floats.

    Raises: EntryRefused
    Source: RFC 8785
    """
    check_domain(value, "body", depth=1)
    encoded = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if len(encoded) > MAX_BYTES:
        raise EntryRefused("body", f"more than {MAX_BYTES} bytes")
    return encoded


def check_domain(value: object, path: str, *, depth: int) -> None:
    """Raise EntryRefused when `value` or anything inside it lies outside the canonical domain."""
    if depth > MAX_DEPTH:
        raise EntryRefused(path, f"nested deeper than {MAX_DEPTH}")
    if type(value) is dict:
        for key, item in value.items():
            check_key(key, path)
            check_domain(item, f"{path}.{key}", depth=depth + 1)
    elif type(value) in {list, tuple}:
        for item in value:  # type: ignore[attr-defined]
            check_domain(item, f"{path}[]", depth=depth + 1)
    else:
        check_scalar(value, path)


def check_key(key: object, path: str) -> None:
    if type(key) is not str or not KEY.fullmatch(key):
        raise EntryRefused(path, "keys are 1 to 64 printable ASCII characters")


def check_scalar(value: object, path: str) -> None:
    """Exact types only: a subclass of str or int may print as something else."""
    if value is None or type(value) is bool:
        return
    if type(value) is int:
        if abs(value) > MAX_INTEGER:
            raise EntryRefused(path, "integers lie within ±(2^53-1)")
    elif type(value) is str:
        check_string(value, path)
    else:
        raise EntryRefused(path, f"a {type(value).__name__} has no canonical form")


def check_string(value: str, path: str) -> None:
    if not unicodedata.is_normalized("NFC", value):
        raise EntryRefused(path, "strings are in NFC")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise EntryRefused(path, "strings are valid Unicode")

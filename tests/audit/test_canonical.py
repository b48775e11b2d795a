"""The fast encoder equals a slow reading of RFC 8785 on the whole domain, and refuses everything outside of it."""

import enum
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.canonical import MAX_BYTES, MAX_INTEGER, encode_canonical
from audit.errors import EntryRefused

ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def write_string(value: str) -> str:
    """RFC 8785 §3.2.2.2."""
    return '"' + "".join(ESCAPES.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in value) + '"'


def write_reference(value: Any) -> str:
    """RFC 8785, word by word: literals, integers, strings, arrays in order, members sorted by UTF-16 code units."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return write_string(value)
    if isinstance(value, list):
        return "[" + ",".join(map(write_reference, value)) + "]"
    members = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
    return "{" + ",".join(f"{write_string(key)}:{write_reference(item)}" for key, item in members) + "}"


keys = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=12)
strings = st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: unicodedata.normalize("NFC", text))
scalars = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | strings
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
bodies = st.dictionaries(keys, values, max_size=6)


def measure_depth(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(measure_depth, children), default=0)


@given(bodies.filter(lambda body: measure_depth(body) <= 8))
@settings(max_examples=500, deadline=None)
def test_encode_within_the_domain_equals_the_reference(body: dict[str, Any]) -> None:
    assert encode_canonical(body) == write_reference(body).encode()


def test_encode_sorts_keys_and_leaves_russian_alone() -> None:
    body: dict[str, Any] = {"b": 1, "a": "Привет\n\x1f/", "A": [True, None]}

    assert encode_canonical(body) == '{"A":[true,null],"a":"Привет\\n\\u001f/","b":1}'.encode()


class Sort(enum.StrEnum):
    FIRST = "first"


def nest(depth: int) -> Any:
    return 1 if depth == 0 else [nest(depth - 1)]


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        MAX_INTEGER + 1,
        -MAX_INTEGER - 1,
        b"bytes",
        {1, 2},
        {"nested": {"ключ": 1}},
        {"": 1},
        {"k" * 65: 1},
        {1: 1},
        "e\u0301",
        "\ud800",
        Sort.FIRST,
        nest(8),
        "x" * MAX_BYTES,
    ],
)
def test_encode_outside_the_domain_is_refused(value: Any) -> None:
    body: dict[str, Any] = {"value": value}

    with pytest.raises(EntryRefused):
        encode_canonical(body)


def test_encode_at_the_edges_of_the_domain_is_accepted() -> None:
    edge: dict[str, Any] = {"most": MAX_INTEGER, "least": -MAX_INTEGER, "deep": nest(6), "k" * 64: "x" * 60_000}

    assert encode_canonical(edge) == write_reference(edge).encode()


def test_refusal_names_the_place_but_not_the_value() -> None:
    with pytest.raises(EntryRefused) as refused:
        encode_canonical({"outer": {"inner": ["e\u0301secret"]}})

    assert refused.value.field == "body.outer.inner[]"
    assert "secret" not in str(refused.value)

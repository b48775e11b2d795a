"""Samples fit the schemas they are made from."""

from typing import Any

import pytest

from chat.gigachat.sandbox.brain.samples import build_sample


@pytest.mark.parametrize(
    ("schema", "sample"),
    [
        ({"type": "string"}, "текст"),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "number", "minimum": 0.5}, 0.5),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": "object"}, {}),
        ({"enum": ["a", "b"]}, "a"),
        ({"const": 7}, 7),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
        (
            {
                "properties": {"row": {"$ref": "#/$defs/Row"}},
                "$defs": {"Row": {"properties": {"k": {"type": "string"}}}},
            },
            {"row": {"k": "текст"}},
        ),
        ({"$ref": "#/$defs/Absent"}, "текст"),
    ],
)
def test_build_sample_fits_the_schema(schema: dict[str, Any], sample: Any) -> None:
    assert build_sample(schema, "текст") == sample


def test_build_sample_of_endless_schema_ends() -> None:
    node: Any = {"properties": {"next": {"$ref": "#/$defs/Node"}}}

    sample: Any = build_sample({"$ref": "#/$defs/Node", "$defs": {"Node": node}}, "x")

    depth = 0
    while sample is not None:
        sample, depth = sample["next"], depth + 1
    assert depth == 9

"""An instance of a JSON schema: the answer when `response_format` asks for one."""

from pydantic import JsonValue

_MAX_DEPTH = 8


def build_sample(schema: dict[str, JsonValue], text: str) -> JsonValue:
    """Return the smallest value that fits; strings hold `text`, references go by the schema's own `$defs`."""
    definitions = schema.get("$defs")
    return _build(schema, text, definitions=definitions if isinstance(definitions, dict) else {}, depth=0)


def _build(schema: JsonValue, text: str, *, definitions: dict[str, JsonValue], depth: int) -> JsonValue:
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return None
    schema = _resolve(schema, definitions)
    if "const" in schema:
        return schema["const"]
    choices = schema.get("enum") or schema.get("examples")
    if isinstance(choices, list) and choices:
        return choices[0]
    properties = schema.get("properties")
    if isinstance(properties, dict):
        return {
            name: _build(child, text, definitions=definitions, depth=depth + 1) for name, child in properties.items()
        }
    if schema.get("type") == "array":
        count = schema.get("minItems", 1)
        item = _build(schema.get("items", {}), text, definitions=definitions, depth=depth + 1)
        return [item] * (count if isinstance(count, int) else 1)
    return _build_scalar(schema, text)


def _resolve(schema: dict[str, JsonValue], definitions: dict[str, JsonValue]) -> dict[str, JsonValue]:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        target = definitions.get(reference.rpartition("/")[2])
        return target if isinstance(target, dict) else {}
    for name in ("anyOf", "oneOf", "allOf"):
        options = schema.get(name)
        if isinstance(options, list) and options and isinstance(options[0], dict):
            return _resolve(options[0], definitions)
    return schema


def _build_scalar(schema: dict[str, JsonValue], text: str) -> JsonValue:
    smallest = schema.get("minimum", 1)
    match schema.get("type"):
        case "integer":
            return int(smallest) if isinstance(smallest, int | float) else 1
        case "number":
            return float(smallest) if isinstance(smallest, int | float) else 1.0
        case "boolean":
            return True
        case "null":
            return None
        case "object":
            return {}
        case _:
            return text

"""Two renderings of a function from its one pydantic model: JSON Schema 2020-12, and what GigaChat carries. Pure.

GigaChat knows type, description, enum, items, properties and required; whatever else a parameter demands is written
into its description, in Russian, and enforced by us (docs/gigachat.md "Messages and functions").
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError

from functions.definitions import Function

Schema = dict[str, Any]
Fault = tuple[str, str]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# In a field's schema: the Russian words for a constraint, the kind of handle, the kind of mask. None is exported.
RULE, HANDLE, MASK = "x-rule", "x-handle", "x-mask"
# In a model's: the one member that GigaChat is told of.
SUMMARY = "x-summary"
PRIVATE = frozenset({RULE, HANDLE, MASK, SUMMARY})
FORMATS: Mapping[str, str] = {
    "date": "формат ГГГГ-ММ-ДД",
    "date-time": "формат ГГГГ-ММ-ДДTЧЧ:ММ:СС+ЧЧ:ММ",
    "time": "формат ЧЧ:ММ:СС",
}
TYPES = frozenset({"array", "boolean", "integer", "number", "object", "string"})
CARRIED = ("type", "description", "enum")
# `properties` is walked by name: a parameter may be called "title", and then it is no keyword.
DROPPED = frozenset({"$defs", "title", "properties"})


def render_json_schema(function: Function) -> Schema:
    """Return the function with its parameters and result as JSON Schema 2020-12."""
    return {
        "name": function.name,
        "description": function.description,
        "parameters": {"$schema": DIALECT, **strip_private(flatten_arguments(function.args))},
        "result": {"$schema": DIALECT, **strip_private(flatten_result(function.result))},
    }


def render_gigachat(function: Function) -> Schema:
    """Return the function as an item of `functions` in a request to GigaChat."""
    return {
        "name": function.name,
        "description": function.description,
        "parameters": reduce_schema(flatten_arguments(function.args)),
        "few_shot_examples": [{"request": said, "params": dict(params)} for said, params in function.examples],
        "return_parameters": reduce_schema(flatten_result(function.result), is_result=True),
    }


def digest_schema(function: Function) -> str:
    """Return 16 hexadecimal digits over everything the model is told of the function; "" when it cannot be told."""
    if function.args is None or function.result is None:
        return ""
    try:
        told = [function.kind.value, sorted(function.scopes), render_json_schema(function), render_gigachat(function)]
    except (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError):
        return ""
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def flatten_arguments(model: type[BaseModel] | None) -> Schema:
    """Return the schema of a parameter model without references and nulls; an optional parameter is not required."""
    return flatten(model.model_json_schema(mode="validation")) if model else {"type": "object", "properties": {}}


def flatten_result(model: type[BaseModel] | None) -> Schema:
    """Return the schema of a result model without references and nulls: what is None is left out of a result."""
    return flatten(model.model_json_schema(mode="serialization")) if model else {"type": "object", "properties": {}}


def flatten(schema: Schema) -> Schema:
    flat: Schema = inline(schema, schema.get("$defs", {}), ())
    flat.pop("description", None)
    return flat


def inline(node: Any, defs: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """Return `node` with every reference replaced by what it names; a recursion stays a reference."""
    if isinstance(node, list):
        return [inline(item, defs, path) for item in node]
    if not isinstance(node, dict):
        return node
    node = drop_null(node)
    name = str(node.get("$ref", "")).removeprefix("#/$defs/")
    if name and name not in path:
        rest = {key: value for key, value in node.items() if key != "$ref"}
        # A model's docstring is ours, not the reader's of the schema.
        named = {key: value for key, value in defs[name].items() if key != "description"}
        return inline({**named, **rest}, defs, (*path, name))
    made = {key: inline(value, defs, path) for key, value in node.items() if key not in DROPPED}
    if "properties" in node:
        made["properties"] = {key: inline(value, defs, path) for key, value in node["properties"].items()}
    if "const" in made:
        made["enum"] = [made.pop("const")]
    return made


def drop_null(node: Schema) -> Schema:
    """Return `X | None = None` as X: an optional value is left out, never null."""
    choices = node.get("anyOf")
    if not isinstance(choices, list) or node.get("default", ...) is not None:
        return node
    others = [choice for choice in choices if choice.get("type") != "null"]
    if len(others) != 1:
        return node
    rest = {key: value for key, value in node.items() if key not in {"anyOf", "default"}}
    return {**others[0], **rest}


def find_faults(node: Schema, path: str, *, is_result: bool) -> Iterator[Fault]:
    """Yield where a flat schema says what GigaChat does not carry, and what that is."""
    kind = node.get("type")
    if kind not in TYPES:
        yield path, describe_fault(node)
        return
    if any(not isinstance(word, str) for word in node.get("enum", ())):
        yield path, "an enumeration of anything but strings"
    if node.get("format", "date") not in FORMATS:
        yield path, f"the format {node['format']}"
    if kind == "array":
        yield from find_faults(node.get("items", {}), f"{path}[]", is_result=is_result)
    if kind == "object":
        yield from find_object_faults(node, path, is_result=is_result)


def find_object_faults(node: Schema, path: str, *, is_result: bool) -> Iterator[Fault]:
    if "properties" not in node and (is_nested(path) or node.get("additionalProperties") is not False):
        yield path, "an object with free names"
    for name, child in node.get("properties", {}).items():
        is_optional = name not in node.get("required", ())
        if is_optional and child.get("type") == "object" and not is_result:
            yield f"{path}.{name}", "an object that may be left out"
        yield from find_faults(child, f"{path}.{name}", is_result=is_result)


def is_nested(path: str) -> bool:
    return "." in path or "[" in path


def describe_fault(node: Schema) -> str:
    if "$ref" in node:
        return "a model inside itself"
    if "anyOf" in node or "oneOf" in node or "allOf" in node or isinstance(node.get("type"), list):
        return "a choice of types, or null"
    return "a null" if node.get("type") == "null" else "a value of any type"


def strip_private(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: strip_private(value) for key, value in node.items() if key not in PRIVATE}
    return [strip_private(item) for item in node] if isinstance(node, list) else node


def reduce_schema(node: Schema, *, is_result: bool = False) -> Schema:
    """Return what GigaChat carries of a flat schema, the rest as words in its descriptions.

    is_result  only names and types: each request pays for them, and whoever reads a result sees what is there
    """
    made: Schema = {key: node[key] for key in CARRIED if key in node}
    words = [made.get("description", "").rstrip(".;"), *(() if is_result else iter_rules(node))]
    description = "; ".join(word for word in words if word)
    if description:
        made["description"] = description
    if node.get("type") == "object":
        children = node.get("properties", {})
        told = [node[SUMMARY]] if SUMMARY in node else list(children)
        made["properties"] = {name: reduce_schema(children[name], is_result=is_result) for name in told}
        if node.get("required") and not is_result:
            made["required"] = list(node["required"])
    if node.get("type") == "array":
        made["items"] = reduce_schema(node.get("items", {}), is_result=is_result)
    return made


def iter_rules(node: Schema) -> Iterator[str]:
    """Yield the Russian words for each constraint that GigaChat cannot carry."""
    if RULE in node:
        yield node[RULE]
        return
    yield from iter_bounds(node)
    if "format" in node:
        yield FORMATS.get(node["format"], f"формат {node['format']}")
    if "pattern" in node:
        yield f"вид {node['pattern']}"
    if node.get("default") is not None:
        yield f"по умолчанию {node['default']}"


def iter_bounds(node: Schema) -> Iterator[str]:
    least, most = node.get("minimum"), node.get("maximum")
    if least is not None and most is not None:
        yield f"от {least} до {most}"
    elif least is not None:
        yield f"не меньше {least}"
    elif most is not None:
        yield f"не больше {most}"
    if "exclusiveMinimum" in node:
        yield f"больше {node['exclusiveMinimum']}"
    if "exclusiveMaximum" in node:
        yield f"меньше {node['exclusiveMaximum']}"
    if "maxLength" in node:
        yield f"не длиннее {node['maxLength']} символов"
    if node.get("minLength", 0) > 1:
        yield f"не короче {node['minLength']} символов"
    if "maxItems" in node:
        yield f"не больше {node['maxItems']} элементов"

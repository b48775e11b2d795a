"""The registry as documents: a page for people, and one JSON file for each function. Pure.

`manage.py export_functions` writes them and checks that they are current.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from functions.definitions import Function
from functions.enums import FunctionClass
from functions.schemas import Schema, render_gigachat, render_json_schema

HEADER = """\
# Catalogue of functions

Made by `manage.py export_functions --write` from the registry; do not edit. What functions are and how they are called
is told in [functions.md](functions.md). Descriptions are what the model reads, so they are Russian. The schemas of each
function, as JSON Schema and as GigaChat is given them, are in [functions/](functions/). Required parameters are bold.
"""
CLASSES = {
    FunctionClass.READ: "read",
    FunctionClass.ACTION: "action, after a confirmation",
    FunctionClass.MONEY: "money, after a confirmation",
}


def render_catalogue(functions: Sequence[Function]) -> str:
    """Return the page: one table of all, then a section for each."""
    rows = [
        f"| [`{one.name}`](#{one.name}) | {name_class(one)} | {join_scopes(one)} | {one.version}, `{one.schema_hash}` |"
        for one in functions
    ]
    table = ["| function | class | scopes | version, schema |", "|---|---|---|---|", *rows]
    sections = [line for one in functions for line in iter_section(one)]
    return "\n".join([HEADER, *table, *sections]) + "\n"


def name_class(function: Function) -> str:
    return "action, at once" if function.is_immediate else CLASSES[function.kind]


def join_scopes(function: Function) -> str:
    return ", ".join(f"`{scope}`" for scope in sorted(function.scopes)) or "–"


def iter_section(function: Function) -> Iterator[str]:
    told = render_gigachat(function)
    yield from ("", f"## {function.name}", "", function.description, "")
    yield from iter_fields("parameter", told["parameters"])
    yield from iter_fields("result", told["return_parameters"])
    for example in told["few_shot_examples"]:
        yield f"* «{example['request']}» → `{encode(example['params'])}`"


def iter_fields(title: str, schema: Schema) -> Iterator[str]:
    properties = schema["properties"]
    if not properties:
        yield from (f"No {title}s.", "")
        return
    yield from (f"| {title} | type | meaning |", "|---|---|---|")
    required = schema.get("required", ())
    for path, child in walk(schema, ""):
        name = f"**`{path}`**" if path in required else f"`{path}`"
        yield f"| {name} | {name_type(child)} | {escape(child.get('description', ''))} |"
    yield ""


def walk(schema: Schema, prefix: str) -> Iterator[tuple[str, Schema]]:
    for name, child in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield path, child
        leaf = child.get("items", {}) if child.get("type") == "array" else child
        yield from walk(leaf, f"{path}[]." if leaf is not child else f"{path}.")


def name_type(schema: Schema) -> str:
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    return f"array of {name_type(schema['items'])}" if schema["type"] == "array" else str(schema["type"])


def escape(text: str) -> str:
    return text.replace("|", "\\|")


def encode(value: Any) -> str:
    return orjson.dumps(value).decode()


def render_snapshot(function: Function) -> str:
    """Return everything the model is told of one function, as JSON for the repository."""
    facts = {
        "version": function.version,
        "schema_hash": function.schema_hash,
        "class": function.kind.value,
        "scopes": sorted(function.scopes),
        "gigachat": render_gigachat(function),
        "jsonschema": render_json_schema(function),
    }
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode() + "\n"

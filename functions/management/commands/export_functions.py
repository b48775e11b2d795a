"""Print the functions for a model's provider, write their documents, or check that the written ones are current."""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from functions.catalogue import render_catalogue, render_snapshot
from functions.definitions import Function
from functions.registry import list_functions
from functions.schemas import Schema, render_gigachat, render_json_schema
from functions.versions import list_unraised, read_lock, render_lock

RENDERERS: Mapping[str, Callable[[Function], Schema]] = {
    "gigachat": render_gigachat,
    "jsonschema": render_json_schema,
}
PAGE, SNAPSHOTS, LOCK = Path("docs/functions-catalogue.md"), Path("docs/functions"), Path("functions/versions.json")


class Command(BaseCommand):
    help = "Print all functions as JSON; --write and --check are for the documents in the repository."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=sorted(RENDERERS), default="gigachat")
        parser.add_argument("--write", action="store_true", help="write page, schemas and versions")
        parser.add_argument("--check", action="store_true", help="exit with an error when one of them is out of date")
        parser.add_argument(
            "--same-versions", action="store_true", help="with --write: what changed was never published; keep versions"
        )
        parser.add_argument("--root", type=Path, default=Path(settings.BASE_DIR))

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        root: Path = options["root"]
        if options["check"]:
            check_documents(root)
        elif options["write"]:
            write_documents(root, may_keep_versions=options["same_versions"])
        else:
            rendered = [RENDERERS[options["format"]](function) for function in list_functions()]
            self.stdout.write(orjson.dumps(rendered, option=orjson.OPT_INDENT_2).decode())


def iter_documents() -> Iterator[tuple[Path, str]]:
    """Yield each document's place and text."""
    functions = list_functions()
    yield PAGE, render_catalogue(functions)
    yield LOCK, render_lock(functions)
    for function in functions:
        yield SNAPSHOTS / f"{function.name}.json", render_snapshot(function)


def find_strays(root: Path) -> list[Path]:
    """Return the schemas of functions that are no more."""
    known = {f"{function.name}.json" for function in list_functions()}
    return [path for path in sorted((root / SNAPSHOTS).glob("*.json")) if path.name not in known]


def check_documents(root: Path) -> None:
    old = [path for path, text in iter_documents() if not is_current(root / path, text)]
    old += [path.relative_to(root) for path in find_strays(root)]
    if old:
        names = ", ".join(str(path) for path in old)
        raise CommandError(f"out of date: {names}; run `manage.py export_functions --write`")


def is_current(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def write_documents(root: Path, *, may_keep_versions: bool) -> None:
    unraised = list_unraised(list_functions(), read_lock(root / LOCK))
    if unraised and not may_keep_versions:
        names = ", ".join(unraised)
        raise CommandError(f"changed under the same version: {names}; raise the version (or say --same-versions)")
    for path in find_strays(root):
        path.unlink()
    for path, text in iter_documents():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")

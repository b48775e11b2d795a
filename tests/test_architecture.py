"""Size budgets and house rules that no linter checks; import directions are import-linter's (pyproject.toml)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import Model

PROJECT_DIR = Path(__file__).resolve().parent.parent
PACKAGES = ("assistant_project", "accounts", "audit", "chat", "functions")
FILE_LINES = 400
FUNCTION_LINES = 50
BANNED_NAMES = {"utils", "helpers", "common", "misc", "base", "manager", "core", "v2"}
ENVIRONMENT = re.compile(r"\bos\.(environ|getenv)\b")
# Settings read it; a child needs a copy of it; the searched PATH is the system's.
READS_ENVIRONMENT = {
    "assistant_project/environment.py",
    "assistant_project/embedded/programs.py",
    "assistant_project/asgi.py",
}
OUR_APPS = ("accounts", "audit", "chat", "functions")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def list_sources() -> list[Path]:
    found = [path for package in PACKAGES for path in (PROJECT_DIR / package).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def list_functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT_DIR).as_posix()


def test_files_keep_their_budget() -> None:
    lines = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in list_sources()}

    assert {name: count for name, count in lines.items() if count > FILE_LINES} == {}


def test_functions_keep_their_budget() -> None:
    long = [
        f"{name_of(path)}:{function.name} {(function.end_lineno or 0) - function.lineno + 1}"
        for path in list_sources()
        for function in list_functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > FUNCTION_LINES
    ]

    assert long == []


def test_functions_import_nothing_but_in_ready() -> None:
    inner = [
        f"{name_of(path)}:{function.name}"
        for path in list_sources()
        for function in list_functions(path)
        if function.name != "ready"
        and any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function))
    ]

    assert inner == []


def test_modules_have_telling_names() -> None:
    assert [name_of(path) for path in list_sources() if path.stem in BANNED_NAMES] == []


def test_modules_say_what_they_are_for() -> None:
    silent = [
        name_of(path)
        for path in list_sources()
        if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert silent == []


def test_environment_is_read_in_one_place() -> None:
    reading = {name_of(path) for path in list_sources() if ENVIRONMENT.search(path.read_text(encoding="utf-8"))}

    assert reading - READS_ENVIRONMENT == set()


@pytest.mark.parametrize("model", [model for app in OUR_APPS for model in apps.get_app_config(app).get_models()])
def test_model_states_its_personal_data(model: type[Model]) -> None:
    assert "Personal data:" in (model.__doc__ or "")

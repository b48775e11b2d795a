"""The bank's functions reach data only through their context and the bank's own selectors and services."""

import ast
from pathlib import Path

import pytest

BANK = Path(__file__).resolve().parents[3] / "functions" / "bank"
MANAGERS = {"objects", "_default_manager", "_base_manager", "raw", "extra"}
FORBIDDEN = ("django.db.connection", "django.db.transaction", "django.apps", "functions.models")


def list_violations(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in MANAGERS:
            found.append(f"{node.lineno}: .{node.attr}")
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [f"{node.lineno}: {name}" for name in names if name.startswith(FORBIDDEN)]
    return found


@pytest.mark.parametrize("path", sorted(BANK.glob("*.py")), ids=lambda path: path.stem)
def test_handlers_never_ask_a_manager(path: Path) -> None:
    assert list_violations(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "Account.objects.all()",
        "Account._base_manager.get(pk=1)",
        "ctx.accounts.extra(where=['1=1'])",
        "from django.db import connection",
        "from functions.models import Confirmation",
    ],
)
def test_the_rule_finds_what_it_forbids(source: str) -> None:
    assert len(list_violations(source)) == 1

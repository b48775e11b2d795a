import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from functions.registry import list_functions


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("export_functions", *arguments, stdout=out)
    return out.getvalue()


def test_documents_in_the_repository_are_current() -> None:
    run("--check")


def test_functions_are_printed_in_either_form() -> None:
    gigachat, plain = json.loads(run()), json.loads(run("--format", "jsonschema"))
    assert [one["name"] for one in gigachat] == [one["name"] for one in plain] == [f.name for f in list_functions()]
    assert set(gigachat[0]) == {"name", "description", "parameters", "few_shot_examples", "return_parameters"}
    assert set(plain[0]) == {"name", "description", "parameters", "result"}


def test_written_documents_pass_the_check_until_one_changes(tmp_path: Path) -> None:
    root = ("--root", str(tmp_path))
    with pytest.raises(CommandError, match=r"out of date: docs/functions-catalogue\.md"):
        run("--check", *root)
    run("--write", *root)
    run("--check", *root)
    (tmp_path / "docs/functions/gone.json").write_text("{}")
    with pytest.raises(CommandError, match=r"docs/functions/gone\.json"):
        run("--check", *root)
    run("--write", *root)
    run("--check", *root)
    page = tmp_path / "docs/functions-catalogue.md"
    page.write_text(page.read_text(encoding="utf-8").replace("##", "#"), encoding="utf-8")
    with pytest.raises(CommandError, match="catalogue"):
        run("--check", *root)


def test_change_under_the_same_version_is_not_written(tmp_path: Path) -> None:
    root = ("--root", str(tmp_path))
    run("--write", *root)
    lock = tmp_path / "functions/versions.json"
    known = json.loads(lock.read_text())
    known["list_accounts"]["schema_hash"] = "0" * 16
    lock.write_text(json.dumps(known))
    with pytest.raises(CommandError, match="list_accounts; raise the version"):
        run("--write", *root)
    run("--write", "--same-versions", *root)
    run("--check", *root)


def test_page_tells_of_every_function(tmp_path: Path) -> None:
    run("--write", "--root", str(tmp_path))
    page = (tmp_path / "docs/functions-catalogue.md").read_text(encoding="utf-8")
    for function in list_functions():
        assert f"\n## {function.name}\n" in page
        assert function.description in page
        facts = json.loads((tmp_path / f"docs/functions/{function.name}.json").read_text(encoding="utf-8"))
        assert (facts["version"], facts["schema_hash"]) == (function.version, function.schema_hash)
    assert "| **`amount`** | number |" in page

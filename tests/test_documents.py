"""What the documents say about the project's files is true."""

import re
import tomllib
from pathlib import Path

import pytest

PROJECT_DIR = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [*PROJECT_DIR.glob("*.md"), *(PROJECT_DIR / "docs").rglob("*.md"), PROJECT_DIR / "certs" / "README.md"]
)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def list_dependencies() -> list[str]:
    project = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    return [re.split(r"[\[<>=;]", line)[0].strip() for line in lines]


@pytest.mark.parametrize("name", list_dependencies())
def test_dependency_has_its_reason(name: str) -> None:
    text = (PROJECT_DIR / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]

    assert any(re.search(rf"(^|[ ,]){re.escape(name)}([ ,(]|$)", row) for row in rows)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(PROJECT_DIR).as_posix())
def test_links_of_document_lead_somewhere(path: Path) -> None:
    targets = LINK.findall(path.read_text(encoding="utf-8"))

    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_decisions_have_numbers_of_their_own_and_say_four_things() -> None:
    decisions = sorted((PROJECT_DIR / "docs" / "decisions").glob("*.md"))

    assert len({int(path.name[:4]) for path in decisions}) == len(decisions)
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        for part in ("Context", "Decision", "Rejected", "Consequences"):
            assert re.search(rf"^(## |\*\*){part}", text, re.MULTILINE), (path.name, part)

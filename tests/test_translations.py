"""Every compiled Russian catalogue holds exactly what its source says, and nothing in it is left untranslated."""

import ast
import gettext
from pathlib import Path

import pytest

PROJECT_DIR = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path for app in ("accounts", "audit", "chat", "functions") for path in (PROJECT_DIR / app).rglob("django.po")
)
CURE = "run `manage.py compilemessages`"


def read_source(path: Path) -> dict[str, str]:
    """Return msgid to msgstr; of a plural, its id to the first form. Fuzzy entries count as missing, as for msgfmt."""
    found: dict[str, str] = {}
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        fields = read_fields(lines)
        if "msgid" in fields and "#, fuzzy" not in block:
            context = f"{fields['msgctxt']}\x04" if "msgctxt" in fields else ""
            found[context + fields["msgid"]] = fields.get("msgstr", fields.get("msgstr[0]", ""))
    return found


def read_fields(lines: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in lines:
        if not line.startswith('"'):
            name, _, line = line.partition(" ")  # noqa: PLW2901 - the rest of the line continues the field
        fields[name] = fields.get(name, "") + str(ast.literal_eval(line))
    return fields


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PROJECT_DIR).parts[0])
def test_compiled_catalogue_is_current(path: Path) -> None:
    with path.with_suffix(".mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    compiled = {
        key[0] if isinstance(key, tuple) else key: value
        for key, value in catalogue.items()
        if not isinstance(key, tuple) or key[1] == 0
    }

    source = read_source(path)
    source.pop("", None)
    compiled.pop("", None)
    assert compiled == {key: value for key, value in source.items() if value}, CURE


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PROJECT_DIR).parts[0])
def test_nothing_is_left_untranslated(path: Path) -> None:
    assert [key for key, value in read_source(path).items() if not value] == []

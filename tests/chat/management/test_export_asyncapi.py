from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from chat.protocol.asyncapi import build_document


def test_export_asyncapi_writes_the_document(tmp_path: Path) -> None:
    path = tmp_path / "new" / "asyncapi.yaml"
    call_command("export_asyncapi", output=path)
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == build_document()


def test_export_asyncapi_check_of_the_committed_file_passes() -> None:
    call_command("export_asyncapi", check=True)


def test_export_asyncapi_check_of_a_changed_file_fails(tmp_path: Path) -> None:
    path = tmp_path / "asyncapi.yaml"
    call_command("export_asyncapi", output=path)
    path.write_text(path.read_text(encoding="utf-8").replace("older", "newer"), encoding="utf-8")
    with pytest.raises(CommandError, match="out of date"):
        call_command("export_asyncapi", output=path, check=True)


def test_export_asyncapi_check_without_a_file_fails(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="out of date"):
        call_command("export_asyncapi", output=tmp_path / "missing.yaml", check=True)

"""Secrets come from a variable or from the file that `<NAME>_FILE` names."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from assistant_project.settings import read_secret


def test_read_secret_with_file_returns_stripped_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    path.write_text("s3cret\n", encoding="utf-8")
    monkeypatch.setenv("SAMPLE_FILE", str(path))
    monkeypatch.setenv("SAMPLE", "ignored")

    assert read_secret("SAMPLE") == "s3cret"


def test_read_secret_with_missing_file_refuses_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE_FILE", str(tmp_path / "absent"))

    with pytest.raises(ImproperlyConfigured, match="SAMPLE_FILE"):
        read_secret("SAMPLE")


def test_read_secret_without_file_returns_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAMPLE_FILE", raising=False)
    monkeypatch.setenv("SAMPLE", "direct")

    assert read_secret("SAMPLE", "default") == "direct"

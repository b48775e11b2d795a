"""The run directory is private, held by one demo at a time, and its files are never half written."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant_project.embedded.errors import StartRefused
from assistant_project.embedded.run_directory import RunDirectory, make_random_key


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[RunDirectory]:
    directory = RunDirectory(tmp_path / ".run")
    directory.lock()
    yield directory
    directory.unlock()


def test_lock_makes_the_directory_private(tmp_path: Path) -> None:
    path = tmp_path / ".run"
    path.mkdir(mode=0o777)
    path.chmod(0o777)

    directory = RunDirectory(path)
    directory.lock()

    assert path.stat().st_mode & 0o777 == 0o700
    assert (path / "lock").read_text(encoding="ascii") == str(os.getpid())
    directory.unlock()
    directory.unlock()


def test_lock_excludes_a_second_demo_and_names_the_first(directory: RunDirectory) -> None:
    second = RunDirectory(directory.path)
    with pytest.raises(StartRefused, match=rf"already runs on .* \(process {os.getpid()}\)"):
        second.lock()

    directory.unlock()
    second.lock()
    second.unlock()


def test_lock_where_nothing_can_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StartRefused, match="cannot be used: Not a directory"):
        RunDirectory(tmp_path / "file" / ".run").lock()


def test_written_json_is_private_and_replaced_whole(directory: RunDirectory) -> None:
    path = directory.write_json("demo.json", {"who": "Анна"})

    assert path.stat().st_mode & 0o777 == 0o600
    assert directory.read_json("demo.json") == {"who": "Анна"}
    directory.write_json("demo.json", {})
    assert directory.read_json("demo.json") == {}
    assert sorted(child.name for child in directory.path.iterdir()) == ["demo.json", "lock"]
    directory.remove("demo.json")
    directory.remove("demo.json")
    assert directory.read_json("demo.json") == {}


@pytest.mark.parametrize("content", ["", "{", "[1]"])
def test_cut_json_counts_as_absent(directory: RunDirectory, content: str) -> None:
    (directory.path / "demo.json").write_text(content, encoding="utf-8")

    assert directory.read_json("demo.json") == {}


def test_secrets_are_made_once_and_kept(directory: RunDirectory) -> None:
    first = directory.keep_secrets({"ONE": make_random_key})
    second = directory.keep_secrets({"ONE": make_random_key, "TWO": make_random_key})

    assert (
        first["ONE"] == second["ONE"] == directory.keep_secrets({"ONE": make_random_key, "TWO": make_random_key})["ONE"]
    )
    assert len(second["TWO"]) >= 50


def test_delete_removes_everything(directory: RunDirectory) -> None:
    directory.delete()

    assert not directory.path.exists()

"""The storage named `files`, for real on disk."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pytest_django import Settings
from uuid_utils.compat import uuid7

from chat.errors import FileUnreadable
from chat.files.storage import build_path, list_stored_ids, read_content, remove_content, write_content
from tests.factories.files import make_image

CONTENT = make_image("PNG")


@pytest.fixture
def directory(settings: Settings, tmp_path: Path) -> Path:
    """Files lie where and how the product keeps them."""
    settings.STORAGES = {
        **settings.STORAGES,
        "files": {
            "BACKEND": settings.FILE_STORAGE_BACKEND,
            "OPTIONS": {**settings.FILE_STORAGE_OPTIONS, "location": str(tmp_path)},
        },
    }
    return tmp_path


def test_write_content_leaves_nothing_readable_on_disk(directory: Path) -> None:
    file_id = uuid7()

    write_content(file_id, CONTENT)

    [path] = [found for found in directory.rglob("*") if found.is_file()]
    stored = path.read_bytes()
    assert CONTENT not in stored
    assert b"PNG" not in stored
    assert b"IHDR" not in stored
    assert path.name == str(file_id)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_content(file_id) == CONTENT


def test_build_path_names_the_day_of_the_id() -> None:
    assert build_path(UUID("0199f2c4-7a51-7c3e-9d0a-5b1f6a2e8c44")) == (
        "2025/10/17/0199f2c4-7a51-7c3e-9d0a-5b1f6a2e8c44"
    )


def test_read_content_of_exchanged_files_fails_closed(directory: Path) -> None:
    one, other = uuid7(), uuid7()
    write_content(one, b"one")
    write_content(other, b"other")
    (directory / build_path(one)).write_bytes((directory / build_path(other)).read_bytes())

    with pytest.raises(FileUnreadable):
        read_content(one)


def test_read_content_that_is_gone_says_so(directory: Path) -> None:
    with pytest.raises(FileUnreadable, match="storage"):
        read_content(uuid7())


def test_write_content_never_replaces_a_file(directory: Path) -> None:
    file_id = uuid7()
    write_content(file_id, b"first")

    with pytest.raises(FileExistsError):
        write_content(file_id, b"second")

    assert read_content(file_id) == b"first"
    assert len([found for found in directory.rglob("*") if found.is_file()]) == 1


def test_remove_content_twice_is_fine(directory: Path) -> None:
    file_id = uuid7()
    write_content(file_id, CONTENT)

    remove_content(file_id)
    remove_content(file_id)

    assert [found for found in directory.rglob("*") if found.is_file()] == []


def test_list_stored_ids_finds_those_of_the_last_days_only(directory: Path) -> None:
    now = datetime.now(UTC)
    today, gone = uuid7(), build_id(now - timedelta(days=9))
    for file_id in (today, build_id(now - timedelta(days=1)), gone):
        write_content(file_id, b"x")
    (directory / build_path(today)).with_name("README").write_text("not ours")

    found = set(list_stored_ids(now, days=2))

    assert today in found
    assert len(found) == 2
    assert gone not in found


def build_id(moment: datetime) -> UUID:
    return UUID(int=int(moment.timestamp() * 1000) << 80 | uuid7().int & (1 << 80) - 1)

"""Where encrypted files lie: Django's storage named `files`, a directory or any other backend of STORAGES.

Names hold the day and the id only. Nothing here knows of rows: a file is written before its row and removed after it.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from chat.errors import FileUnreadable
from chat.files.encryption import decrypt_content, encrypt_content


def get_storage() -> Storage:
    return storages["files"]


def build_path(file_id: UUID) -> str:
    """Return the file's name in the storage; the day is that of its id (UUIDv7)."""
    return f"{build_directory(read_moment(file_id))}/{file_id}"


def read_moment(file_id: UUID) -> datetime:
    """Return when the id was made, which a UUIDv7 tells."""
    return datetime.fromtimestamp((file_id.int >> 80) / 1000, UTC)


def build_directory(moment: datetime) -> str:
    return moment.strftime("%Y/%m/%d")


def write_content(file_id: UUID, content: bytes) -> None:
    """Encrypt and store; a failing storage raises its own error and may leave a part, which the sweeper finds."""
    path = build_path(file_id)
    name = get_storage().save(path, ContentFile(encrypt_content(content, file_id)))
    if name != path:
        get_storage().delete(name)
        raise FileExistsError("a file of this id is stored already")


def read_content(file_id: UUID) -> bytes:
    """Return the decrypted content.

    Raises: FileUnreadable
    """
    try:
        with get_storage().open(build_path(file_id)) as stored:
            return decrypt_content(stored.read(), file_id)
    except FileNotFoundError:
        raise FileUnreadable("not in storage") from None


def remove_content(file_id: UUID) -> None:
    """Remove what is stored; nothing there is fine."""
    get_storage().delete(build_path(file_id))


def list_stored_ids(now: datetime, days: int) -> Iterator[UUID]:
    """Yield the ids of the files stored today and in the `days` before."""
    for day in range(days + 1):
        with suppress(FileNotFoundError):
            _directories, names = get_storage().listdir(build_directory(now - timedelta(days=day)))
            yield from (UUID(name) for name in names if is_id(name))


def is_id(name: str) -> bool:
    """Return whether the name is one of ours; a storage may keep other things beside them."""
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False

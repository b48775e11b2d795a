"""A storage that is out of order."""

from django.core.files.storage import Storage
from typing_extensions import override


class FailingStorage(Storage):
    @override
    def delete(self, name: str) -> None:
        raise OSError("the storage is away")

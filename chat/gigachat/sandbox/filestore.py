"""Uploaded files in memory, each visible only to the `X-Client-ID` that uploaded it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chat.gigachat.sandbox.errors import ApiError

_MEGABYTE = 1024 * 1024
# The service's own MIME names, not the registered ones where the two differ; limits in bytes.
_TEXT_TYPES = {
    "text/plain",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/pdf",
    "application/epub",
    "application/ppt",
    "application/pptx",
    "application/vnd.ms-excel",
}
_IMAGE_TYPES = {"image/jpeg", "image/png", "image/tiff", "image/bmp"}
_AUDIO_TYPES = {
    "audio/mp4",
    "audio/mpeg",
    "audio/mp3",
    "audio/x-m4a",
    "audio/wav",
    "audio/x-wav",
    "audio/weba",
    "audio/webm",
    "audio/ogg",
    "audio/opus",
    "video/mp4",
}
_LIMITS = {"text": 40 * _MEGABYTE, "image": 15 * _MEGABYTE, "audio": 35 * _MEGABYTE}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    id: str
    owner: tuple[str, str]  # client id of the token, X-Client-ID
    filename: str
    mime: str
    modality: str
    purpose: str
    created_at: float
    content: bytes

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": int(self.created_at),
            "filename": self.filename,
            "purpose": self.purpose,
            "access_policy": "private",
            "modalities": [self.modality],
        }


def find_modality(mime: str) -> str | None:
    for modality, types in (("text", _TEXT_TYPES), ("image", _IMAGE_TYPES), ("audio", _AUDIO_TYPES)):
        if mime in types:
            return modality
    return None


class FileStore:
    def __init__(self, lifetime_seconds: float, clock: Callable[[], float]) -> None:
        self._lifetime_seconds = lifetime_seconds
        self._clock = clock
        self._files: dict[str, StoredFile] = {}

    def add(self, owner: tuple[str, str], content: bytes, *, filename: str, mime: str, purpose: str) -> StoredFile:
        """Raises: ApiError 400 for a format the service does not read, 413 for one too large"""
        modality = find_modality(mime)
        if modality is None:
            raise ApiError(400, "File format is not supported")
        if len(content) > _LIMITS[modality]:
            raise ApiError(413, "Payload too large")
        stored = StoredFile(
            id=str(uuid.uuid4()),
            owner=owner,
            filename=filename,
            mime=mime,
            modality=modality,
            purpose=purpose,
            created_at=self._clock(),
            content=content,
        )
        self._files[stored.id] = stored
        return stored

    def get(self, owner: tuple[str, str], file_id: str) -> StoredFile:
        """Raises: ApiError 404 when absent or past its lifetime, 403 when someone else's"""
        self._drop_expired()
        stored = self._files.get(file_id)
        if stored is None:
            raise ApiError(404, "No such file")
        if stored.owner != owner:
            raise ApiError(403, f"Access to file '{file_id}' is denied")
        return stored

    def list_files(self, owner: tuple[str, str]) -> list[StoredFile]:
        self._drop_expired()
        return [stored for stored in self._files.values() if stored.owner == owner]

    def delete(self, owner: tuple[str, str], file_id: str) -> StoredFile:
        """Raises: ApiError as `get`"""
        stored = self.get(owner, file_id)
        del self._files[file_id]
        return stored

    def _drop_expired(self) -> None:
        horizon = self._clock() - self._lifetime_seconds
        self._files = {key: stored for key, stored in self._files.items() if stored.created_at > horizon}

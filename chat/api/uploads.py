"""One file out of a multipart body, in memory and no larger than allowed.

Django's own handlers write large files to a temporary directory, where nobody encrypts them.
"""

import io
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from typing_extensions import override

from accounts.api import problems
from accounts.api.problems import ApiError, Problem
from chat.files.cleaning import MAX_FILE_BYTES

FIELD = "file"
TOO_MANY = Problem(400, "limit.files", "send one file")
UNUSABLE = Problem(415, "request.media_type", "this is no file that can be kept")
# Boundaries, headers and a few small fields around the file itself.
ENVELOPE_BYTES = 64 * 1024
MAX_BODY_BYTES = MAX_FILE_BYTES + ENVELOPE_BYTES


class OneFileHandler(FileUploadHandler):
    """Keeps the bytes of the part `file`; a second file or one byte too many ends the reading.

    Raises while reading: ApiError (limit.files, limit.size, request.invalid)
    """

    def __init__(self) -> None:
        super().__init__()
        self._buffer: io.BytesIO | None = None
        self._size = 0

    @override
    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.field_name != FIELD:
            raise ApiError(problems.INVALID, message="the file belongs in the part `file`", field=FIELD)
        if self._buffer is not None:
            raise ApiError(TOO_MANY, field=FIELD)
        self._buffer = io.BytesIO()

    @override
    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._size += len(raw_data)
        if self._size > MAX_FILE_BYTES:
            raise ApiError(problems.TOO_BIG, message="a file has at most 40 MB", field=FIELD)
        assert self._buffer is not None
        self._buffer.write(raw_data)

    @override
    def file_complete(self, file_size: int) -> "UploadedFile[bytes]":
        assert self._buffer is not None
        return InMemoryUploadedFile(self._buffer, FIELD, self.file_name, self.content_type, file_size, self.charset)


def read_upload(request: Request) -> tuple[str, bytes]:
    """Return name and content of the one file of the request; call before its body was looked at.

    Raises: ApiError (request.invalid, request.media_type, limit.size, limit.files), ParseError
    """
    http_request = request._request  # noqa: SLF001 - DRF has no other way to the upload handlers
    http_request.upload_handlers = [OneFileHandler()]
    try:
        found = request.FILES.get(FIELD)
    except UnsupportedMediaType:
        message = "send multipart/form-data with one part `file`"
        raise ApiError(problems.MEDIA_TYPE, message=message) from None
    if not isinstance(found, InMemoryUploadedFile):
        raise ApiError(problems.INVALID, message="expected a part `file` with a file name", field=FIELD)
    buffer = found.file
    assert isinstance(buffer, io.BytesIO)
    # Shares the buffer's memory instead of copying it.
    return found.name or "", buffer.getvalue()

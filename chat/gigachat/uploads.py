"""Which files GigaChat takes: pure. What a file really is, its content decides elsewhere."""

from chat.gigachat.errors import FileFormatRefused, FileTooLarge
from chat.gigachat.types import AttachmentKind

IMAGE_MIMES = frozenset({"image/jpeg", "image/png", "image/tiff", "image/bmp"})
# The service's own names, some unlike the registered ones.
DOCUMENT_MIMES = frozenset(
    {
        "text/plain",
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/pdf",
        "application/epub",
        "application/ppt",
        "application/pptx",
        "application/vnd.ms-excel",
    }
)
MAX_IMAGE_BYTES = 15 * 1024 * 1024
MAX_DOCUMENT_BYTES = 40 * 1024 * 1024
MAX_BYTES = {AttachmentKind.IMAGE: MAX_IMAGE_BYTES, AttachmentKind.DOCUMENT: MAX_DOCUMENT_BYTES}


def verify_upload(size_bytes: int, mime: str) -> AttachmentKind:
    """Return what the file counts as in a prompt.

    Raises: FileFormatRefused, FileTooLarge
    Source: docs/gigachat.md "Files"
    """
    if mime in IMAGE_MIMES:
        kind = AttachmentKind.IMAGE
    elif mime in DOCUMENT_MIMES:
        kind = AttachmentKind.DOCUMENT
    else:
        raise FileFormatRefused
    if size_bytes > MAX_BYTES[kind]:
        raise FileTooLarge
    return kind

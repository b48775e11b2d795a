"""From the bytes a phone sent to what may be kept: the content alone says what it is, never its name or header."""

from dataclasses import dataclass, field

from chat.enums import FileKind
from chat.errors import FileFormatRefused, FileTooBig
from chat.files.documents import PDF_HEADER, clean_text, verify_pdf
from chat.files.images import clean_image, find_image_format
from chat.files.word import ZIP_HEADER, verify_word

MEGABYTE = 1024 * 1024
# GigaChat's own limits.
MAX_IMAGE_BYTES = 15 * MEGABYTE
MAX_DOCUMENT_BYTES = 40 * MEGABYTE
MAX_FILE_BYTES = MAX_DOCUMENT_BYTES

WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
# Everything that is kept is one of these.
SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "application/pdf": ".pdf",
    WORD_TYPE: ".docx",
    "text/plain": ".txt",
}


@dataclass(frozen=True, slots=True)
class CleanFile:
    """Content that is safe to keep and to show to a model."""

    kind: FileKind
    media_type: str
    content: bytes = field(repr=False)


def clean_file(content: bytes) -> CleanFile:
    """Return what may be kept of `content`; pictures are written anew, documents are taken or refused as they are.

    Raises: FileTooBig, FileFormatRefused
    """
    if not content:
        raise FileFormatRefused("empty")
    image_format = find_image_format(content)
    if len(content) > (MAX_DOCUMENT_BYTES if image_format is None else MAX_IMAGE_BYTES):
        raise FileTooBig("bytes")
    if image_format is not None:
        picture, media_type = clean_image(content, image_format, max_bytes=MAX_IMAGE_BYTES)
        return CleanFile(FileKind.IMAGE, media_type, picture)
    document = clean_document(content)
    # Russian text in CP1251 becomes nearly twice as long in UTF-8.
    if len(document.content) > MAX_DOCUMENT_BYTES:
        raise FileTooBig("bytes")
    return document


def clean_document(content: bytes) -> CleanFile:
    if content.startswith(PDF_HEADER):
        verify_pdf(content)
        return CleanFile(FileKind.DOCUMENT, "application/pdf", content)
    if content.startswith(ZIP_HEADER):
        verify_word(content)
        return CleanFile(FileKind.DOCUMENT, WORD_TYPE, content)
    return CleanFile(FileKind.DOCUMENT, "text/plain", clean_text(content))

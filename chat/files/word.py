"""Word documents (.docx): an archive is opened only as far as its own table of contents allows.

Every part is unpacked once, in small pieces and into nothing, to see that it is as large as it says: the service that
reads the document afterwards must not meet a bomb, a macro or an entity of ours. `zipfile` reads the table only: it
stops at a part's declared size and would not notice more behind it.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chat.errors import FileFormatRefused, FileTooBig

ZIP_HEADER = b"PK\x03\x04"
ZIP_END = b"PK\x05\x06"
ZIP_END_BYTES = 22
# Signature, then 22 bytes that the table repeats, then the lengths of name and extra field.
LOCAL_HEADER = struct.Struct("<4s22xHH")
UTF8_FLAG = 0x800
ENCRYPTED_FLAG = 0x1

MAX_PARTS = 5_000
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
# Text compresses tenfold; a hundredfold is a drawing of nothing, or a bomb.
MAX_RATIO = 100
# Small documents may repeat themselves.
FREE_BYTES = 1024 * 1024
PIECE_BYTES = 256 * 1024

CONTENT_TYPES = "[Content_Types].xml"
MAX_CONTENT_TYPES_BYTES = 1024 * 1024
MAIN_PART = "word/document.xml"
MAIN_TYPE = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
MACRO_PART = "vbaproject.bin"
MARKUP_SUFFIXES = (".xml", ".rels", ".vml")
# Office files have no document types; entities need one.
DOCTYPES = tuple("<!DOCTYPE".encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))
OVERLAP_BYTES = max(map(len, DOCTYPES)) - 1

# What zipfile, zlib and struct raise on hostile input; none of it says more than "broken".
ARCHIVE_FAULTS = (zipfile.BadZipFile, zlib.error, struct.error, OSError, ValueError, LookupError, NotImplementedError)


@dataclass(frozen=True, slots=True)
class Part:
    """One member of the archive and where its compressed bytes lie."""

    info: zipfile.ZipInfo
    start: int

    @property
    def end(self) -> int:
        return self.start + self.info.compress_size

    @property
    def is_markup(self) -> bool:
        return self.info.filename.lower().endswith(MARKUP_SUFFIXES)


def verify_word(content: bytes) -> None:
    """Let pass a Word document without macros, bombs and entities, and nothing but it.

    Raises: FileTooBig, FileFormatRefused
    """
    try:
        if content[-ZIP_END_BYTES:][:4] != ZIP_END:
            raise FileFormatRefused("broken")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
        verify_table(infos, len(content))
        verify_names([info.filename for info in infos])
        parts = locate_parts(content, infos)
        for part in parts:
            verify_part(content, part)
        verify_content_types(content, parts)
    except ARCHIVE_FAULTS:
        raise FileFormatRefused("broken") from None


def verify_table(infos: list[zipfile.ZipInfo], size_bytes: int) -> None:
    """Check what the archive says of itself, before anything is unpacked.

    Raises: FileTooBig, FileFormatRefused
    """
    unpacked = sum(info.file_size for info in infos)
    if len(infos) > MAX_PARTS or unpacked > min(MAX_UNPACKED_BYTES, FREE_BYTES + size_bytes * MAX_RATIO):
        raise FileTooBig("unpacked")
    if any(info.flag_bits & ENCRYPTED_FLAG for info in infos):
        raise FileFormatRefused("encrypted")
    if any(info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for info in infos):
        raise FileFormatRefused("broken")


def verify_names(names: list[str]) -> None:
    """Raises: FileFormatRefused"""
    lowered = {name.lower() for name in names}
    if len(lowered) != len(names):
        raise FileFormatRefused("broken")
    if any(name.startswith("/") or "\\" in name or ".." in name.split("/") for name in names):
        raise FileFormatRefused("broken")
    if CONTENT_TYPES not in names or MAIN_PART not in names:
        raise FileFormatRefused("unknown")
    if any(name.rsplit("/", 1)[-1] == MACRO_PART for name in lowered):
        raise FileFormatRefused("macros")


def locate_parts(content: bytes, infos: Iterable[zipfile.ZipInfo]) -> list[Part]:
    """Return the parts in the order of their bytes, the first at the very beginning, none inside another.

    Shared bytes make small bombs, bytes before the first part a file of two formats.
    Raises: FileFormatRefused, and what struct raises
    """
    parts: list[Part] = []
    for info in sorted(infos, key=lambda info: info.header_offset):
        signature, name_bytes, extra_bytes = LOCAL_HEADER.unpack_from(content, info.header_offset)
        named = info.header_offset + LOCAL_HEADER.size
        encoding = "utf-8" if info.flag_bits & UTF8_FLAG else "cp437"
        name = content[named : named + name_bytes].decode(encoding)
        part = Part(info, named + name_bytes + extra_bytes)
        begins_after = info.header_offset >= parts[-1].end if parts else info.header_offset == 0
        if signature != ZIP_HEADER or not name == info.orig_filename == info.filename or not begins_after:
            raise FileFormatRefused("broken")
        parts.append(part)
    if parts[-1].end + ZIP_END_BYTES > len(content):
        raise FileFormatRefused("broken")
    return parts


def verify_part(content: bytes, part: Part) -> None:
    """Unpack the part piece by piece, to its true end.

    Raises: FileTooBig, FileFormatRefused, and what zlib raises
    """
    size, checksum, kept = 0, 0, b""
    for piece in unpack_part(content, part):
        size += len(piece)
        if size > part.info.file_size:
            raise FileTooBig("unpacked")
        checksum = zlib.crc32(piece, checksum)
        if part.is_markup:
            seen = kept + piece
            if any(mark in seen for mark in DOCTYPES):
                raise FileFormatRefused("broken")
            kept = seen[-OVERLAP_BYTES:]
    if (size, checksum) != (part.info.file_size, part.info.CRC):
        raise FileFormatRefused("broken")


def unpack_part(content: bytes, part: Part) -> Iterator[bytes]:
    """Yield what the part holds in pieces of at most PIECE_BYTES, however much that is.

    Raises: FileFormatRefused, and what zlib raises
    """
    if part.info.compress_type == zipfile.ZIP_STORED:
        for start in range(part.start, part.end, PIECE_BYTES):
            yield content[start : min(start + PIECE_BYTES, part.end)]
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for start in range(part.start, part.end, PIECE_BYTES):
        packed = content[start : min(start + PIECE_BYTES, part.end)]
        # Bytes behind the end of the stream are somebody else's content.
        if inflater.eof:
            raise FileFormatRefused("broken")
        while packed and not inflater.eof:
            yield inflater.decompress(packed, PIECE_BYTES)
            packed = inflater.unconsumed_tail
    while piece := inflater.decompress(b"", PIECE_BYTES):
        yield piece
    if inflater.unused_data or not inflater.eof:
        raise FileFormatRefused("broken")


def verify_content_types(content: bytes, parts: Iterable[Part]) -> None:
    """Raises: FileFormatRefused for an office file that is no plain Word document"""
    [types] = [part for part in parts if part.info.filename == CONTENT_TYPES]
    if types.info.file_size > MAX_CONTENT_TYPES_BYTES or MAIN_TYPE not in b"".join(unpack_part(content, types)):
        raise FileFormatRefused("unknown")

"""Pictures and documents as phones send them, and as attackers do; every `make_` returns bytes or a part of them."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from PIL import Image, TiffImagePlugin
from PIL.ExifTags import GPS, IFD, Base

from accounts.models import Customer
from audit.context import AuditContext
from audit.enums import ActorKind, Origin
from chat.models import StoredFile
from chat.services.files import store_file

WORD_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument'
    '.wordprocessingml.document.main+xml"/></Types>'
)
WORD_BODY = "<w:document><w:body><w:p>Договор вклада</w:p></w:body></w:document>"
SECRET_PLACE = b"Moscow-Arbat-12"


def make_picture(mode: str = "RGB", size: tuple[int, int] = (40, 24)) -> Image.Image:
    """Return a picture whose left half is dark, so that turning it shows."""
    image = Image.new("L", size, 220)
    image.paste(20, (0, 0, size[0] // 2, size[1]))
    return image.convert(mode)


def make_image(name: str = "PNG", *, mode: str = "RGB", size: tuple[int, int] = (40, 24), **options: object) -> bytes:
    out = io.BytesIO()
    make_picture(mode, size).save(out, name, **options)
    return out.getvalue()


def make_exif(orientation: int = 6) -> Image.Exif:
    """Return what a telephone writes: the way it was held, its maker, and where it was."""
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    exif[Base.Make] = "SecretPhone"
    exif[Base.ImageDescription] = SECRET_PLACE.decode()
    places = exif.get_ifd(IFD.GPSInfo)
    places[GPS.GPSLatitudeRef] = "N"
    places[GPS.GPSLatitude] = (55.0, 45.0, 7.0)
    places[GPS.GPSAreaInformation] = SECRET_PLACE
    return exif


def make_photo(orientation: int = 6) -> bytes:
    """Return a JPEG with EXIF, GPS, XMP and a comment."""
    exif = make_exif(orientation).tobytes()
    return make_image("JPEG", exif=exif, comment=SECRET_PLACE, xmp=b"<x:xmpmeta>" + SECRET_PLACE, quality=95)


def make_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def make_png(size: tuple[int, int], rows: bytes, *extra: bytes) -> bytes:
    """Return a grey PNG whose header says `size`, whatever its rows hold."""
    header = make_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + make_chunk(b"IDAT", rows) + make_chunk(b"IEND", b"")


def make_png_bomb() -> bytes:
    """Return 63 KB that unpack to 64 million pixels."""
    squeeze = zlib.compressobj(9)
    row = b"\0" + bytes(8_000)
    rows = b"".join([*(squeeze.compress(row) for _ in range(8_000)), squeeze.flush()])
    return make_png((8_000, 8_000), rows)


def make_tiff_pages(pages: int) -> bytes:
    out = io.BytesIO()
    first, *rest = [make_picture(size=(20, 20)) for _ in range(pages)]
    first.save(out, "TIFF", save_all=True, append_images=rest, tiffinfo=make_tiff_tags())
    return out.getvalue()


def make_tiff_tags() -> TiffImagePlugin.ImageFileDirectory_v2:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[Base.ImageDescription] = SECRET_PLACE.decode()
    return tags


def make_pdf(*, trailer: bytes = b"/Root 1 0 R", objects: bytes = b"1 0 obj<</Type/Catalog>>endobj\n") -> bytes:
    head = b"%PDF-1.7\n" + objects
    table = b"xref\n0 2\n0000000000 65535 f \n0000000009 00000 n \ntrailer<<" + trailer + b"/Size 2>>\n"
    return head + table + b"startxref\n%d\n%%%%EOF\n" % len(head)


def make_zip(parts: Mapping[str, bytes | str], *, comment: bytes = b"", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        archive.comment = comment
    return out.getvalue()


def make_word(extra: Mapping[str, bytes | str] | None = None, **options: Any) -> bytes:
    parts = {"[Content_Types].xml": WORD_TYPES, "word/document.xml": WORD_BODY, **(extra or {})}
    return make_zip(parts, **options)


def make_word_bomb(unpacked_bytes: int = 64 * 1024 * 1024) -> bytes:
    """Return an honest bomb: its table says how much it unpacks to."""
    return make_word({"word/media/drawing.bin": bytes(unpacked_bytes)})


def make_lying_word_bomb() -> bytes:
    """Return a bomb whose table says that its part has ten bytes; the checksum is theirs, so `zipfile` sees nothing."""
    honest = make_word({"word/media/drawing.bin": bytes(30 * 1024 * 1024)})
    start = honest.rindex(b"PK\x01\x02")
    entry = bytearray(honest[start:])
    struct.pack_into("<I", entry, 16, zlib.crc32(bytes(10)))
    struct.pack_into("<I", entry, 24, 10)
    return honest[:start] + bytes(entry)


def store(customer: Customer, content: bytes = b"", *, name: str = "image.png") -> StoredFile:
    """Store a file by the service; a small picture when no content is given."""
    context = AuditContext(actor_kind=ActorKind.CUSTOMER, actor_id=str(customer.pk), origin=Origin.HTTP)
    return store_file(context, customer_id=customer.pk, name=name, content=content or make_image())

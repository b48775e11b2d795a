"""Word documents: one that is none, one that is more, and the bombs."""

import io
import struct
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from chat.errors import FileFormatRefused, FileRefused, FileTooBig
from chat.files.word import MAX_PARTS, PIECE_BYTES, verify_word
from tests.factories.files import (
    WORD_BODY,
    WORD_TYPES,
    make_lying_word_bomb,
    make_pdf,
    make_word,
    make_word_bomb,
    make_zip,
)

MAIN = "wordprocessingml.document.main+xml"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_verify_word_takes_a_document(method: int) -> None:
    verify_word(make_word({"word/media/image1.png": bytes(300_000), "документ.xml": "<a/>"}, method=method))


def test_verify_word_takes_streamed_parts() -> None:
    """Writers that cannot go back put a part's sizes behind it."""

    class Pipe(io.BytesIO):
        @override
        def seekable(self) -> bool:
            return False

        @override
        def tell(self) -> int:
            raise OSError

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", WORD_TYPES)
        archive.writestr("word/document.xml", WORD_BODY)
    verify_word(out.getvalue())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (make_zip({"a.txt": "b"}), "unknown"),
        (make_zip({"[Content_Types].xml": WORD_TYPES}), "unknown"),
        (make_word().replace(b"PK\x05\x06", b"PK\x05\x07"), "broken"),
        (make_zip({"[Content_Types].xml": WORD_TYPES.replace(MAIN, "x"), "word/document.xml": "<a/>"}), "unknown"),
        (make_word({"xl/workbook.xml": "<a/>", "word/vbaProject.bin": "macro"}), "macros"),
        (make_word({"../../etc/passwd": "x"}), "broken"),
        (make_word({"/etc/passwd": "x"}), "broken"),
        (make_word({"word\\document.xml": "x"}), "broken"),
        (make_word({"WORD/document.xml": "x"}), "broken"),
        (make_word({"word/styles.xml": '<?xml?><!DOCTYPE a [<!ENTITY b "c">]><a/>'}), "broken"),
        (make_word({"word/styles.xml": "<!DOCTYPE a>".encode("utf-16-le")}), "broken"),
        (make_word({"word/long.xml": b" " * (256 * 1024 - 4) + b"<!DOCTYPE a>" + bytes(range(256)) * 99}), "broken"),
        (make_word(comment=b"PK or whatever"), "broken"),
        (make_word() + b"tail", "broken"),
        (make_pdf() + make_word(), "broken"),
        (b"PK\x03\x04" + make_word(), "broken"),
        (b"PK\x03\x04", "broken"),
        (make_word()[:-30], "broken"),
        (make_word(method=zipfile.ZIP_BZIP2), "broken"),
        (make_zip({}), "unknown"),
    ],
)
def test_verify_word_refuses_what_is_no_plain_document(content: bytes, reason: str) -> None:
    with pytest.raises(FileFormatRefused, match=reason):
        verify_word(content)


def test_verify_word_refuses_an_encrypted_part() -> None:
    content = bytearray(make_word())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 8] |= 1

    with pytest.raises(FileFormatRefused, match="encrypted"):
        verify_word(bytes(content))


def test_verify_word_refuses_an_honest_bomb_before_unpacking_it() -> None:
    bomb = make_word_bomb()
    tracemalloc.start()

    with pytest.raises(FileTooBig, match="unpacked"):
        verify_word(bomb)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(bomb) < 70_000
    assert peak < 2 * 1024 * 1024


def test_verify_word_refuses_a_bomb_that_lies_about_its_size() -> None:
    bomb = make_lying_word_bomb()
    # What makes it dangerous: the library sees ten good bytes.
    assert zipfile.ZipFile(io.BytesIO(bomb)).read("word/media/drawing.bin") == bytes(10)
    tracemalloc.start()

    with pytest.raises(FileTooBig, match="unpacked"):
        verify_word(bomb)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 1024 * 1024


def test_verify_word_refuses_a_bomb_of_many_parts() -> None:
    with pytest.raises(FileTooBig, match="unpacked"):
        verify_word(make_word({f"word/{number}.xml": "" for number in range(MAX_PARTS)}))


def test_verify_word_refuses_parts_that_share_their_bytes() -> None:
    """The same compressed kilobytes, named many times in the table, unpack to any amount."""
    honest = make_word({"word/a.bin": bytes(100_000)})
    table = honest.index(b"PK\x01\x02")
    last = honest[honest.rindex(b"PK\x01\x02") : honest.index(b"PK\x05\x06")]
    twins = b"".join(last.replace(b"word/a.bin", b"word/%c.bin" % letter) for letter in b"bcdef")
    end = bytearray(honest[honest.index(b"PK\x05\x06") :])
    count = struct.unpack_from("<H", end, 10)[0] + 5
    size = struct.unpack_from("<I", end, 12)[0] + len(twins)
    struct.pack_into("<HHII", end, 8, count, count, size, table)

    with pytest.raises(FileFormatRefused, match="broken"):
        verify_word(honest[: honest.index(b"PK\x05\x06")] + twins + bytes(end))


def test_verify_word_refuses_bytes_behind_the_end_of_a_part() -> None:
    """A stream that ends before its part does leaves room for another file."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = squeeze.compress(b"<a/>") + squeeze.flush()
    for hidden in (b"hidden", b"hidden" * 100_000):
        content = bytearray(make_word({"word/a.xml": packed + hidden}, method=zipfile.ZIP_STORED))
        for signature, method_at, checksum_at, size_at in ((b"PK\x03\x04", 8, 14, 22), (b"PK\x01\x02", 10, 16, 24)):
            start = content.rindex(signature)
            struct.pack_into("<H", content, start + method_at, zipfile.ZIP_DEFLATED)
            struct.pack_into("<I", content, start + checksum_at, zlib.crc32(b"<a/>"))
            struct.pack_into("<I", content, start + size_at, 4)

        with pytest.raises(FileFormatRefused, match="broken"):
            verify_word(bytes(content))


@pytest.mark.parametrize("beyond", [-1, 0, 1, 21, 100, 300])
def test_verify_word_takes_a_part_that_ends_about_the_end_of_a_piece(beyond: int) -> None:
    """zlib can have read everything and still hold the last letters back."""
    verify_word(make_word({"word/media/blank.bin": bytes(PIECE_BYTES + beyond)}))


def test_verify_word_refuses_a_part_that_reaches_past_the_end() -> None:
    content = bytearray(make_word({"word/a.bin": b"x" * 50}))
    struct.pack_into("<I", content, content.rindex(b"PK\x01\x02") + 20, 1_000_000)

    with pytest.raises(FileFormatRefused, match="broken"):
        verify_word(bytes(content))


def test_verify_word_refuses_a_part_that_is_shorter_than_it_says() -> None:
    content = bytearray(make_word({"word/a.bin": b"x" * 50}))
    struct.pack_into("<I", content, content.rindex(b"PK\x01\x02") + 24, 60)

    with pytest.raises(FileFormatRefused, match="broken"):
        verify_word(bytes(content))


def test_verify_word_refuses_a_part_with_two_names() -> None:
    content = make_word({"word/a.xml": "<a/>"})
    start = content.index(b"word/a.xml")

    with pytest.raises(FileFormatRefused, match="broken"):
        verify_word(content[:start] + b"word/b.xml" + content[start + 10 :])


def test_verify_word_with_a_table_of_types_too_large_is_refused() -> None:
    types = WORD_TYPES + "".join(f"<!-- {number} -->" for number in range(120_000))

    with pytest.raises(FileFormatRefused, match="unknown"):
        verify_word(make_zip({"[Content_Types].xml": types, "word/document.xml": WORD_BODY}))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_verify_word_of_damaged_bytes_passes_or_is_refused(data: st.DataObject) -> None:
    content = bytearray(make_word({"word/media/a.bin": b"abc" * 40}))
    places = st.integers(4, len(content) - 1)
    for at, value in data.draw(st.dictionaries(places, st.integers(0, 255), max_size=6)).items():
        content[at] = value
    try:
        verify_word(bytes(content))
    except FileRefused:
        return

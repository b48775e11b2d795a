"""Content alone decides: the right limits for the right kind, and nothing of the name."""

import pytest

from chat.enums import FileKind
from chat.errors import FileFormatRefused, FileTooBig
from chat.files.cleaning import MAX_DOCUMENT_BYTES, MAX_IMAGE_BYTES, WORD_TYPE, clean_file
from tests.factories.files import make_image, make_pdf, make_photo, make_word, make_zip


@pytest.mark.parametrize(
    ("content", "kind", "media_type"),
    [
        (make_photo(), FileKind.IMAGE, "image/jpeg"),
        (make_image("PNG"), FileKind.IMAGE, "image/png"),
        (make_image("TIFF"), FileKind.IMAGE, "image/png"),
        (make_image("BMP"), FileKind.IMAGE, "image/png"),
        (make_pdf(), FileKind.DOCUMENT, "application/pdf"),
        (make_word(), FileKind.DOCUMENT, WORD_TYPE),
        ("Справка о вкладе".encode("cp1251"), FileKind.DOCUMENT, "text/plain"),
    ],
)
def test_clean_file_knows_every_format_by_its_content(content: bytes, kind: FileKind, media_type: str) -> None:
    cleaned = clean_file(content)

    assert (cleaned.kind, cleaned.media_type) == (kind, media_type)


def test_clean_file_keeps_documents_as_they_are_and_text_in_utf8() -> None:
    assert clean_file(make_pdf()).content == make_pdf()
    assert clean_file(make_word()).content == make_word()
    assert clean_file("Вклад".encode("cp1251")).content == "Вклад".encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"GIF89a\x01\0\x01\0\0\0\0;", "unknown"),
        (b"RIFF\x24\0\0\0WEBPVP8 " + bytes(20), "unknown"),
        (b"\0\0\0\x18ftypheic" + bytes(20), "unknown"),
        (b"MZ\x90\0\x03\0\0\0", "unknown"),
        (make_zip({"a.exe": "MZ"}), "unknown"),
        # An image of which only the first bytes are one, followed by a page for a browser.
        (b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", "broken"),
        (b"BM<script>alert(1)</script>", "broken"),
        (b"\xff\xd8\xff<script>alert(1)</script>", "broken"),
        (b"%PDF-1.7 <script>alert(1)</script>", "broken"),
    ],
)
def test_clean_file_refuses_everything_else(content: bytes, reason: str) -> None:
    with pytest.raises(FileFormatRefused, match=reason):
        clean_file(content)


def test_clean_file_of_a_picture_that_is_also_an_archive_keeps_the_picture_only() -> None:
    archive = make_zip({"evil.exe": b"MZ" * 100})

    cleaned = clean_file(make_image("PNG") + archive)

    assert b"PK" not in cleaned.content
    assert b"evil.exe" not in cleaned.content


@pytest.mark.parametrize(
    ("head", "limit"),
    [(b"\xff\xd8\xff", MAX_IMAGE_BYTES), (b"%PDF-1.7", MAX_DOCUMENT_BYTES), (b"text", MAX_DOCUMENT_BYTES)],
)
def test_clean_file_holds_each_kind_to_its_own_limit(head: bytes, limit: int) -> None:
    with pytest.raises(FileTooBig, match="bytes"):
        clean_file(head + b"a" * (limit - len(head) + 1))


def test_clean_file_takes_a_text_of_exactly_the_limit() -> None:
    assert len(clean_file(b"a" * MAX_DOCUMENT_BYTES).content) == MAX_DOCUMENT_BYTES


def test_clean_file_holds_a_text_to_the_limit_in_the_encoding_it_is_kept_in() -> None:
    with pytest.raises(FileTooBig, match="bytes"):
        clean_file("Вклад ".encode("cp1251") * (MAX_DOCUMENT_BYTES // 8))


def test_clean_file_says_nothing_of_its_content_when_shown() -> None:
    assert "Вклад" not in repr(clean_file("Вклад".encode()))

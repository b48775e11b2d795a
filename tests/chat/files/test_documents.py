"""PDF by its frame, text by its letters."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.errors import FileFormatRefused
from chat.files.documents import clean_text, verify_pdf
from tests.factories.files import make_image, make_pdf, make_zip


def test_verify_pdf_takes_a_plain_one() -> None:
    verify_pdf(make_pdf())


def test_verify_pdf_takes_a_table_in_a_stream() -> None:
    head = b"%PDF-2.0\r\n1 0 obj<</Type/Catalog>>endobj\n"

    verify_pdf(head + b"7 0 obj<</Type/XRef>>stream\nx\nendstream endobj\nstartxref\r\n%d\r\n%%%%EOF" % len(head))


def test_verify_pdf_takes_a_linearized_one() -> None:
    verify_pdf(make_pdf() + b"2 0 obj<<>>endobj\nstartxref\n0\n%%EOF\n")


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7",
        b"%PDF-1.7\n" + bytes(100) + b"%%EOF",
        b"%PDF-9.7\n" + make_pdf()[9:],
        b"<html>" + make_pdf(),
        make_pdf()[:-8],
        make_pdf() + b"PK\x03\x04 and more",
        make_pdf() + make_zip({"a.txt": "b"}),
        make_pdf().replace(b"startxref\n", b"startxref\n9"),
        b"%PDF-1.7\nxref\ntrailer<<>>\nstartxref\n9\n%%EOF",
    ],
)
def test_verify_pdf_refuses_what_is_cut_broken_or_double(content: bytes) -> None:
    with pytest.raises(FileFormatRefused, match="broken"):
        verify_pdf(content)


@pytest.mark.parametrize(
    "content",
    [
        make_pdf(trailer=b"/Root 1 0 R/Encrypt 5 0 R"),
        # A long table keeps the trailer far from the place the end points at, and from the end.
        make_pdf(trailer=b"/Encrypt 5 0 R/Pad(" + b"x" * 100_000 + b")"),
        make_pdf(objects=b"trailer<</Encrypt 5 0 R>>1 0 obj<<>>endobj"),
        make_pdf(
            objects=b"trailer startxref trailer<</Encrypt 5 0 R>>startxref 1 0 obj<<>>endobj", trailer=b"x" * 70_000
        ),
        b"%PDF-1.7\n1 0 obj<</Type/XRef/Encrypt 5 0 R>>stream\nendobj\nstartxref\n9\n%%EOF",
    ],
)
def test_verify_pdf_refuses_an_encrypted_one(content: bytes) -> None:
    with pytest.raises(FileFormatRefused, match="encrypted"):
        verify_pdf(content)


RUSSIAN = "Договор № 5 — «Вклад»: 1 000 ₽\r\nСтавка\t7 %\n"


def test_clean_text_keeps_utf8_and_drops_the_byte_order_mark() -> None:
    assert clean_text(b"\xef\xbb\xbf" + RUSSIAN.encode()) == RUSSIAN.encode()


def test_clean_text_reads_cp1251() -> None:
    text = RUSSIAN.replace("₽", "руб.")

    assert clean_text(text.encode("cp1251")) == text.encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b" \r\n\t", "empty"),
        ("\ufeff".encode(), "empty"),
        (b"ab\0cd", "unknown"),
        (b"\x1b[31mred", "unknown"),
        ("Überraschung für Ärzte".encode("latin-1"), "unknown"),
        ("текст".encode("cp1251") + b"\x98", "unknown"),
        ("привет".encode("utf-16"), "unknown"),
        (b"GIF89a" + bytes(20), "unknown"),
        (b"\x7fELF" + bytes(20), "unknown"),
    ],
)
def test_clean_text_refuses_what_is_no_text(content: bytes, reason: str) -> None:
    with pytest.raises(FileFormatRefused, match=reason):
        clean_text(content)


def test_clean_text_refuses_random_bytes_and_packed_pictures() -> None:
    for content in (random.Random(7).randbytes(4096), make_image("JPEG")[3:], make_image("PNG")[8:]):
        with pytest.raises(FileFormatRefused, match="unknown"):
            clean_text(content)


@given(st.text(min_size=1))
def test_clean_text_returns_any_printable_text_unchanged(text: str) -> None:
    try:
        cleaned = clean_text(text.encode())
    except FileFormatRefused:
        return
    assert cleaned.decode() == text.removeprefix("\ufeff")

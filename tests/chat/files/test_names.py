from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.files.cleaning import SUFFIXES, WORD_TYPE
from chat.files.names import MAX_NAME_CHARS, build_neutral_name, clean_name, find_copy_id

# Fixed: the workers of a test run must collect the same names.
SOME_ID = "019a2c40-7a10-7000-8000-00000000f11e"


@pytest.mark.parametrize(
    ("given_name", "media_type", "shown"),
    [
        ("photo.JPG", "image/jpeg", "photo.jpg"),
        ("photo.exe", "image/jpeg", "photo.jpg"),
        ("скан.tiff", "image/png", "скан.png"),
        ("Договор №5. Приложение", "application/pdf", "Договор №5. Приложение.pdf"),
        ("report.docx", WORD_TYPE, "report.docx"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\Users\\anna\\секрет.txt", "text/plain", "секрет.txt"),
        ("invoice\u202egpj.exe", "image/png", "invoice gpj.png"),
        ("a\r\nSet-Cookie: b.png", "image/png", "a Set-Cookie b.png"),
        ('<img src="x">.png', "image/png", "img src= x.png"),
        ("", "image/png", "file.png"),
        (".png", "image/png", "file.png"),
        ("...", "image/png", "file.png"),
        ("и\u0306.txt", "text/plain", "й.txt"),
    ],
)
def test_clean_name_shows_a_safe_name_with_the_right_ending(given_name: str, media_type: str, shown: str) -> None:
    assert clean_name(given_name, media_type) == shown


@given(st.text(max_size=400), st.sampled_from(sorted(SUFFIXES)))
def test_clean_name_of_anything_is_one_short_printable_line(given_name: str, media_type: str) -> None:
    shown = clean_name(given_name, media_type)

    assert 0 < len(shown) <= MAX_NAME_CHARS
    assert shown.isprintable()
    assert shown.endswith(SUFFIXES[media_type])
    assert not set(shown) & set('\\/:*?"<>|')


def test_build_neutral_name_says_format_and_copy_only() -> None:
    copy_id = uuid4()

    names = [build_neutral_name(copy_id, kind) for kind in ("image/png", "application/pdf", WORD_TYPE)]

    assert names == [f"image-{copy_id}.png", f"document-{copy_id}.pdf", f"document-{copy_id}.docx"]
    assert [find_copy_id(name) for name in names] == [copy_id] * 3


@pytest.mark.parametrize("name", ["", "image.png", "image-1.png", f"report-{SOME_ID}.pdf", f"image-{SOME_ID}.png.exe"])
def test_find_copy_id_of_a_name_that_is_not_ours_is_none(name: str) -> None:
    assert find_copy_id(name) is None

"""Pictures: what goes in, what comes out, and what must not get through."""

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from chat.errors import FileFormatRefused, FileRefused, FileTooBig
from chat.files.images import clean_image, find_image_format
from tests.factories.files import (
    SECRET_PLACE,
    make_chunk,
    make_image,
    make_photo,
    make_picture,
    make_png,
    make_png_bomb,
    make_tiff_pages,
    make_tiff_tags,
)

MAX_BYTES = 15 * 1024 * 1024
BLOCK = 64 * 1024


def clean(content: bytes, max_bytes: int = MAX_BYTES) -> tuple[bytes, str]:
    name = find_image_format(content)
    assert name is not None
    return clean_image(content, name, max_bytes=max_bytes)


def read(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("TIFF", "image/png"), ("BMP", "image/png")],
)
def test_clean_image_takes_each_format(name: str, media_type: str) -> None:
    content, kind = clean(make_image(name))

    assert kind == media_type
    assert read(content).size == (40, 24)


@pytest.mark.parametrize("content", [b"", b"GIF89a" + bytes(40), b"RIFF\0\0\0\0WEBPVP8 ", b"%PDF-1.7", b"\x89PNG\r\n"])
def test_find_image_format_of_anything_else_is_none(content: bytes) -> None:
    assert find_image_format(content) is None


def test_clean_image_removes_place_maker_comment_and_description() -> None:
    photo = make_photo()
    assert b"SecretPhone" in photo
    assert photo.count(SECRET_PLACE) >= 3

    content, _kind = clean(photo)

    for trace in (SECRET_PLACE, b"SecretPhone", b"Exif", b"GPS", b"xmp"):
        assert trace not in content
    image = read(content)
    assert dict(image.getexif()) == {}
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_clean_image_drops_a_colour_profile() -> None:
    assert "icc_profile" in read(make_image("PNG", icc_profile=SECRET_PLACE)).info

    assert "icc_profile" not in read(clean(make_image("PNG", icc_profile=SECRET_PLACE))[0]).info


def test_clean_image_turns_the_picture_as_the_camera_was_held() -> None:
    # 6: the right side was up. The dark left half of the stored picture is the upper half of the shown one.
    image = read(clean(make_photo(orientation=6))[0]).convert("L")

    assert image.size == (24, 40)
    assert image.getpixel((12, 5)) < 100 < image.getpixel((12, 35))  # type: ignore[operator]  # grey is a number


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_png((40, 24), zlib.compress(bytes(41 * 24)), make_chunk(b"tEXt", b"Comment\0" + SECRET_PLACE)),
        lambda: make_png((40, 24), zlib.compress(bytes(41 * 24)), make_chunk(b"eXIf", b"II*\0" + SECRET_PLACE)),
        lambda: make_image("PNG", mode="RGBA") + SECRET_PLACE,
        lambda: make_image("TIFF", tiffinfo=make_tiff_tags()),
        lambda: make_image("BMP") + SECRET_PLACE,
        lambda: make_image("JPEG") + b"PK\x03\x04" + SECRET_PLACE,
    ],
)
def test_clean_image_keeps_nothing_beside_the_pixels(make: Callable[[], bytes]) -> None:
    source = make()

    content, _kind = clean(source)

    assert SECRET_PLACE in source
    assert SECRET_PLACE not in content
    assert b"PK\x03\x04" not in content


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_clean_image_keeps_what_is_seen_in_every_mode_of_png(mode: str) -> None:
    sixteen_bits = struct.pack("<20H", *[20 * 256] * 20) + struct.pack("<20H", *[220 * 256] * 20)
    picture = make_picture(mode) if mode != "I;16" else Image.frombytes(mode, (40, 24), sixteen_bits * 24)
    out = io.BytesIO()
    picture.save(out, "PNG")

    image = read(clean(out.getvalue())[0])

    assert image.mode in {"L", "RGB", "RGBA"}
    grey = image.convert("L")
    assert grey.getpixel((5, 5)) < 100 < grey.getpixel((35, 5))  # type: ignore[operator]  # grey is a number


def test_clean_image_keeps_transparency_of_a_palette() -> None:
    picture = make_picture().convert("P")
    out = io.BytesIO()
    picture.save(out, "PNG", transparency=picture.getpixel((35, 5)))

    image = read(clean(out.getvalue())[0])

    assert image.mode == "RGBA"
    assert image.getpixel((35, 5))[3] == 0  # type: ignore[index]  # four numbers


def test_clean_image_in_printers_colours_becomes_rgb() -> None:
    assert read(clean(make_image("JPEG", mode="CMYK"))[0]).mode == "RGB"


def test_clean_image_of_many_pages_keeps_the_first() -> None:
    assert getattr(read(clean(make_tiff_pages(5))[0]), "n_frames", 1) == 1


def test_clean_image_too_large_as_png_becomes_jpeg_on_white() -> None:
    picture = Image.effect_noise((300, 300), 90).convert("RGBA")
    picture.putalpha(0)
    out = io.BytesIO()
    picture.save(out, "PNG")

    content, kind = clean(out.getvalue(), max_bytes=50_000)

    assert kind == "image/jpeg"
    assert read(content).getpixel((150, 150)) == (255, 255, 255)


def test_clean_image_that_no_encoding_makes_small_enough_is_refused() -> None:
    with pytest.raises(FileTooBig, match="bytes"):
        clean(make_image("PNG"), max_bytes=100)


def test_clean_image_refuses_a_bomb_before_unpacking_it() -> None:
    bomb = make_png_bomb()
    tracemalloc.start()

    with pytest.raises(FileTooBig, match="pixels"):
        clean(bomb)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(bomb) < 70_000
    assert peak < 4 * 1024 * 1024


@pytest.mark.parametrize("size", [(20_000, 20_000), (10_001, 5_000), (30_001, 1), (1, 30_001), (2**31 - 1, 2**31 - 1)])
def test_clean_image_refuses_too_many_pixels(size: tuple[int, int]) -> None:
    with pytest.raises(FileTooBig, match="pixels"):
        clean(make_png(size, zlib.compress(b"")))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF", "BMP"])
def test_clean_image_cut_anywhere_is_refused(name: str) -> None:
    whole = make_image(name, size=(200, 200))

    for length in range(12, len(whole) - 200, max(1, len(whole) // 40)):
        with pytest.raises(FileFormatRefused, match="broken"):
            clean(whole[:length])


def test_clean_image_with_text_bomb_inside_is_refused_or_stripped() -> None:
    bomb = make_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(64 * 1024 * 1024), 9))

    with pytest.raises(FileFormatRefused, match="broken"):
        clean(make_png((40, 24), zlib.compress(bytes(41 * 24)), bomb))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF", "BMP"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_clean_image_of_damaged_bytes_is_clean_or_refused(name: str, data: st.DataObject) -> None:
    """Whatever the decoder does with damaged bytes, nothing but our own refusal comes out."""
    content = bytearray(make_image(name, size=(16, 16)))
    places = st.integers(4 if name != "PNG" else 8, len(content) - 1)
    for at, value in data.draw(st.dictionaries(places, st.integers(0, 255), max_size=6)).items():
        content[at] = value
    try:
        cleaned, _kind = clean(bytes(content))
    except FileRefused:
        return
    assert read(cleaned).size >= (1, 1)

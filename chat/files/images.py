"""Pictures, decoded and written anew: what is kept holds pixels and nothing else.

No EXIF, no place, no comment, no colour profile, no further frame, nothing appended: only what the decoder saw as the
first picture, turned the way the camera meant it.
"""

import io
import struct
import zlib
from collections.abc import Mapping
from contextlib import suppress

from PIL import Image, ImageOps

from chat.errors import FileFormatRefused, FileTooBig

# About what the largest telephone cameras make by default; decoded, this is 200 MB.
MAX_PIXELS = 50_000_000
# A strip one pixel high can be as long as all of them, and the model sees nothing in it.
MAX_SIDE = 30_000
JPEG_QUALITY = 90

# First bytes of the accepted formats, and Pillow's names of the decoders that may look at them.
SIGNATURES: Mapping[bytes, str] = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"BM": "BMP",
}
# Everything Pillow's decoders raise on hostile input; found by the mutation tests, none of it says more than "broken".
DECODER_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    EOFError,
    AttributeError,
    NotImplementedError,
    struct.error,
    zlib.error,
    # Only where warnings are errors.
    UserWarning,
)
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)


def find_image_format(content: bytes) -> str | None:
    """Return the decoder's name for the first bytes of `content`, or None when it is no picture we take."""
    return next((name for signature, name in SIGNATURES.items() if content.startswith(signature)), None)


def clean_image(content: bytes, name: str, *, max_bytes: int) -> tuple[bytes, str]:
    """Return the picture as fresh bytes, and their media type: a JPEG stays one, everything else becomes PNG.

    A PNG larger than `max_bytes` becomes JPEG, without transparency.
    Raises: FileTooBig, FileFormatRefused
    """
    try:
        return encode_image(decode_image(content, name), is_photo=name == "JPEG", max_bytes=max_bytes)
    except BOMBS:
        raise FileTooBig("pixels") from None
    except DECODER_FAULTS:
        raise FileFormatRefused("broken") from None


def decode_image(content: bytes, name: str) -> Image.Image:
    """Return the first picture as pixels: 8-bit grey, RGB or RGBA, upright.

    Raises: FileTooBig, and whatever a decoder raises
    """
    with Image.open(io.BytesIO(content), formats=(name,)) as opened:
        # The size comes from the header: nothing was unpacked yet.
        width, height = opened.size
        if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
            raise FileTooBig("pixels")
        opened.load()
        turn_upright(opened)
        return to_plain_mode(opened)


def turn_upright(image: Image.Image) -> None:
    """Apply the orientation the camera noted, in place, so that the picture is in memory once.

    Many apps write metadata that cannot be read; the picture is no worse for it.
    """
    with suppress(*DECODER_FAULTS):
        ImageOps.exif_transpose(image, in_place=True)


def to_plain_mode(image: Image.Image) -> Image.Image:
    """Return a picture of mode L, RGB or RGBA without any attached information."""
    if image.mode.startswith("I;16"):
        # `convert` would clip 16 bits to white.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    elif image.has_transparency_data:
        image = image.convert("RGBA")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode not in {"L", "RGB"}:
        image = image.convert("RGB")
    # Encoders write comments, profiles and resolutions they find here. In place: a copy would cost 200 MB.
    image.info = {}
    return image


def encode_image(image: Image.Image, *, is_photo: bool, max_bytes: int) -> tuple[bytes, str]:
    """Raises: FileTooBig when no encoding is small enough."""
    if not is_photo:
        content = write_image(image, "PNG", compress_level=6)
        if len(content) <= max_bytes:
            return content, "image/png"
    if image.mode == "RGBA":
        image = flatten_image(image)
    content = write_image(image, "JPEG", quality=JPEG_QUALITY)
    if len(content) > max_bytes:
        raise FileTooBig("bytes")
    return content, "image/jpeg"


def flatten_image(image: Image.Image) -> Image.Image:
    """Return the picture on white: JPEG knows no transparency."""
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(image, mask=image.getchannel("A"))
    return canvas


def write_image(image: Image.Image, name: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, name, **options)
    return out.getvalue()

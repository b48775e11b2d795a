"""What a token looks like, so that its reader can count it and tell when it was written."""

import re

# About four Cyrillic letters, like a token of GigaChat's Russian.
TOKEN = "счёт ".encode()
# Occurs once in each token and nowhere else in a frame, so tokens are counted without decoding anything.
MARK = "ё".encode()
STAMP_BITS = 32
STAMP = re.compile(rb"~([0-9a-f]{8})")

PACED_PROMPT = "paced"
FLOOD_PROMPT = "flood"


def build_stamp(nanoseconds: int) -> bytes:
    """Return the moment as text that survives JSON as it is: microseconds of the monotonic clock, modulo 2^32."""
    return b"~%08x" % (nanoseconds // 1000 % 2**STAMP_BITS)


def read_delays(payload: bytes, nanoseconds: int) -> list[float]:
    """Return, for each stamped token in `payload`, the milliseconds from its writing to now."""
    now = nanoseconds // 1000
    return [(now - int(stamp, 16)) % 2**STAMP_BITS / 1000 for stamp in STAMP.findall(payload)]

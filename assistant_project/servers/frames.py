"""A text frame as bytes, for both servers.

One is made for each piece of an answer and phone. websockets and autobahn build objects, keep statistics and write
debug lines for a frame; the bytes are the same.
"""

import struct

FINAL_TEXT = 0x81
# Lengths that fit into the frame's second byte, and into the two bytes after it (RFC 6455, 5.2).
SHORT_BYTES = 125
MEDIUM_BYTES = 0xFFFF

encode_medium = struct.Struct("!BBH").pack
encode_long = struct.Struct("!BBQ").pack


def encode_text_frame(text: str) -> bytes:
    """Return one whole frame of a server: not fragmented, not compressed, not masked."""
    payload = text.encode()
    size = len(payload)
    if size <= SHORT_BYTES:
        return bytes((FINAL_TEXT, size)) + payload
    if size <= MEDIUM_BYTES:
        return encode_medium(FINAL_TEXT, 126, size) + payload
    return encode_long(FINAL_TEXT, 127, size) + payload

"""The little of RFC 6455 that the relay and the load speak, written out because each microsecond here is measured.

A library's client costs more per frame than the servers under test; then the load would be what is measured.
"""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha1

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
FINAL = 0x80
MASKED = 0x80
# A mask of zeros is a legal one and leaves the payload as it is.
NO_MASK = b"\0\0\0\0"
ACCEPT_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def encode_header(kind: int, size: int, *, mask: int = 0) -> bytes:
    """Return the header of an unfragmented frame; `mask` is MASKED for what a client sends."""
    if size < 126:
        return bytes((FINAL | kind, mask | size))
    if size < 65536:
        return bytes((FINAL | kind, mask | 126)) + size.to_bytes(2, "big")
    return bytes((FINAL | kind, mask | 127)) + size.to_bytes(8, "big")


def encode_client_frame(kind: int, payload: bytes) -> bytes:
    return encode_header(kind, len(payload), mask=MASKED) + NO_MASK + payload


def build_accept(key: bytes) -> bytes:
    """Return `Sec-WebSocket-Accept` for the client's key."""
    return b64encode(sha1(key + ACCEPT_GUID).digest())


class FrameReader:
    """Cuts a server's bytes into frames. They are never masked, and none of the servers here fragments."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (kind, payload) of every frame that `data` completes."""
        buffer = self._rest + data if self._rest else data
        position, end = 0, len(buffer)
        while position + 2 <= end:
            size, start = buffer[position + 1], position + 2
            if size > 125:
                width = 2 if size == 126 else 8
                if start + width > end:
                    break
                size, start = int.from_bytes(buffer[start : start + width], "big"), start + width
            if start + size > end:
                break
            yield buffer[position] & 0x0F, buffer[start : start + size]
            position = start + size
        self._rest = buffer[position:]

"""Text frames against a library's own reader."""

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Protocol, Side

from assistant_project.servers.frames import encode_text_frame


def read_frame(data: bytes) -> Frame:
    client = Protocol(Side.CLIENT, state=OPEN, max_size=None)
    client.receive_data(data)
    [frame] = client.events_received()
    assert isinstance(frame, Frame)
    return frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 0xFFFF, 0x10000])
def test_text_frame_is_read_back_at_every_width_of_its_length(size: int) -> None:
    frame = read_frame(encode_text_frame("x" * size))

    assert (frame.opcode, frame.fin, frame.rsv1, bytes(frame.data)) == (Opcode.TEXT, True, False, b"x" * size)


def test_text_frame_counts_bytes_and_not_letters() -> None:
    assert bytes(read_frame(encode_text_frame("ё" * 63)).data) == ("ё" * 63).encode()

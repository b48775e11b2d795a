"""From an answer to a schedule of packets: what is sent, in which pieces and when. Pure; home of the stream faults."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from chat.gigachat.sandbox.answer import Answer
from chat.gigachat.sandbox.counting import UsageOut
from chat.gigachat.sandbox.encoding import DONE_EVENT, encode_event, encode_json
from chat.gigachat.sandbox.envelope import Envelope
from chat.gigachat.sandbox.faults import Faults

# Long enough for two writes to leave as two TLS records and reach the reader apart.
_SPLIT_SECONDS = 0.002
_STREAM_ERROR = encode_json({"status": 500, "message": "Internal Server Error"})


class Ending(Enum):
    """How the body ends: properly, or by dropping the connection."""

    PROPER = "proper"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Packet:
    """`data` is written in one piece, `delay_seconds` after the packet before."""

    data: bytes
    delay_seconds: float


@dataclass(frozen=True, slots=True)
class Script:
    packets: tuple[Packet, ...]
    ending: Ending = Ending.PROPER


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """`update_interval` is the request's smallest gap between chunks, in seconds."""

    chunk_delay_seconds: float
    update_interval: float = 0.0


def build_payloads(answer: Answer, envelope: Envelope, usage: UsageOut | None, pacing: Pacing) -> list[bytes]:
    """Return the JSON payloads of a stream, the finish payload last. `role` stands only in the first delta."""
    if answer.call is not None:
        delta = {"content": "", "role": "assistant", **answer.call.to_json()}
        payloads = [envelope.encode_delta(delta)]
    else:
        first, *rest = merge_chunks(answer.chunks, pacing) or [""]
        payloads = [envelope.encode_delta({"content": first, "role": "assistant"})]
        payloads += [envelope.encode_content(text) for text in rest]
    return [*_build_prologue(answer, envelope), *payloads, envelope.encode_finish(answer.finish_reason, usage)]


def merge_chunks(chunks: tuple[str, ...], pacing: Pacing) -> list[str]:
    """Join neighbouring chunks so that they come no closer together than the request's `update_interval`."""
    if not pacing.update_interval or not pacing.chunk_delay_seconds:
        return list(chunks)
    size = max(1, -int(-pacing.update_interval // pacing.chunk_delay_seconds))
    return ["".join(chunks[index : index + size]) for index in range(0, len(chunks), size)]


def build_script(payloads: list[bytes], pacing: Pacing, faults: Faults) -> Script:
    gap = max(pacing.chunk_delay_seconds, pacing.update_interval if pacing.chunk_delay_seconds else 0.0)
    events = [encode_event(payload) for payload in payloads]
    if not faults:
        # The gap separates answers' chunks; the finish chunk and `[DONE]` follow at once.
        delays = [0.0] + [gap] * (len(events) - 2) + [0.0]
        packets = [Packet(event, delay) for event, delay in zip(events, delays, strict=True)]
        return Script((*packets, Packet(DONE_EVENT, 0.0)))
    events, ending = _shorten(events, faults)
    events = [_distort_lines(event, faults) for event in events]
    packets = [Packet(event, gap if index else 0.0) for index, event in enumerate(events)]
    return Script(tuple(_repack(_insert_waits(packets, faults), faults)), ending)


def _build_prologue(answer: Answer, envelope: Envelope) -> Iterator[bytes]:
    if answer.has_progress:
        for seconds_left in ("2", "1"):
            yield envelope.encode_delta(
                {"content": seconds_left, "role": "function_in_progress", "name": "text2image", "created": 0}
            )
    if answer.reasoning:
        yield envelope.encode_delta({"role": "assistant", "reasoning_content": answer.reasoning})


def _shorten(events: list[bytes], faults: Faults) -> tuple[list[bytes], Ending]:
    for name, ending in (("cut", Ending.CUT), ("truncate", Ending.PROPER), ("error_in_stream", Ending.PROPER)):
        count = faults.get_count(name)
        if count is not None:
            tail = [encode_event(_STREAM_ERROR)] if name == "error_in_stream" else []
            return events[:count] + tail, ending
    return (events if "no_done" in faults else [*events, DONE_EVENT]), Ending.PROPER


def _distort_lines(event: bytes, faults: Faults) -> bytes:
    if "comments" in faults:
        event = b": keep-alive\n\n" + event
    return event.replace(b"\n", b"\r\n") if "crlf" in faults else event


def _insert_waits(packets: list[Packet], faults: Faults) -> list[Packet]:
    for name, index in (("slow_first_chunk", 0), ("silence", 1)):
        seconds = faults.get(name)
        if seconds is not None and len(packets) > index:
            packets[index] = Packet(packets[index].data, packets[index].delay_seconds + seconds)
    return packets


def _repack(packets: list[Packet], faults: Faults) -> Iterable[Packet]:
    if "two_in_one" in faults:
        return [
            Packet(b"".join(packet.data for packet in packets[index : index + 2]), packets[index].delay_seconds)
            for index in range(0, len(packets), 2)
        ]
    if "one_byte" in faults:
        return [
            Packet(packet.data[index : index + 1], packet.delay_seconds if index == 0 else 0.0)
            for packet in packets
            for index in range(len(packet.data))
        ]
    if "split_utf8" in faults:
        return [half for packet in packets for half in _split_inside_letter(packet)]
    return packets


def _split_inside_letter(packet: Packet) -> tuple[Packet, Packet]:
    """Cut after the first byte of the first letter that has several, or in the middle."""
    data = packet.data
    at = next((index + 1 for index, byte in enumerate(data) if byte >= 0xC0), len(data) // 2)
    return Packet(data[:at], packet.delay_seconds), Packet(data[at:], _SPLIT_SECONDS)

"""Stream faults as schedules of packets: pure, so every cut is exact."""

import pytest

from chat.gigachat.sandbox.answer import Answer
from chat.gigachat.sandbox.envelope import Envelope
from chat.gigachat.sandbox.faults import Faults, parse_faults
from chat.gigachat.sandbox.script import Ending, Pacing, Script, build_payloads, build_script, merge_chunks

CHUNKS = ("Раз, ", "два, ", "три.")
ENVELOPE = Envelope(created=1, model="m:1")
PACING = Pacing(chunk_delay_seconds=0.06)
DONE = b"data: [DONE]\n\n"


def play(faults: str = "", pacing: Pacing = PACING) -> Script:
    payloads = build_payloads(Answer(CHUNKS), ENVELOPE, None, pacing)
    return build_script(payloads, pacing, Faults(parse_faults(faults)))


def join(script: Script) -> bytes:
    return b"".join(packet.data for packet in script.packets)


NORMAL = join(play())


def test_script_without_faults_sends_one_payload_per_packet_at_pace() -> None:
    script = play()

    assert len(script.packets) == 5
    assert [packet.delay_seconds for packet in script.packets] == [0.0, 0.06, 0.06, 0.0, 0.0]
    assert script.packets[-1].data == DONE
    assert script.ending is Ending.PROPER


def test_script_role_stands_only_in_the_first_delta() -> None:
    assert [b'"role"' in packet.data for packet in play().packets] == [True, False, False, False, False]


@pytest.mark.parametrize("fault", ["two_in_one", "one_byte", "split_utf8"])
def test_script_with_packet_faults_sends_the_same_bytes(fault: str) -> None:
    script = play(fault)

    assert join(script) == NORMAL
    assert len(script.packets) != 5


def test_script_with_split_cuts_inside_a_letter() -> None:
    first, second = play("split_utf8").packets[:2]

    with pytest.raises(UnicodeDecodeError):
        first.data.decode()
    assert second.delay_seconds > 0


def test_script_with_one_byte_sends_single_bytes() -> None:
    assert {len(packet.data) for packet in play("one_byte").packets} == {1}


def test_script_with_two_in_one_joins_neighbours() -> None:
    assert [packet.data.count(b"data: ") for packet in play("two_in_one").packets] == [2, 2, 1]


@pytest.mark.parametrize(("fault", "ending"), [("cut=2", Ending.CUT), ("truncate=2", Ending.PROPER)])
def test_script_with_cut_ends_after_that_many_payloads(fault: str, ending: Ending) -> None:
    script = play(fault)

    assert (join(script).count(b"data: "), script.ending) == (2, ending)
    assert NORMAL.startswith(join(script))


def test_script_with_no_done_leaves_only_that_out() -> None:
    assert join(play("no_done")) + DONE == NORMAL


def test_script_with_comments_puts_one_before_each_payload() -> None:
    body = join(play("comments"))

    assert body.count(b": keep-alive\n\n") == 5
    assert body.replace(b": keep-alive\n\n", b"") == NORMAL


def test_script_with_crlf_ends_every_line_so() -> None:
    body = join(play("crlf"))

    assert body.replace(b"\r\n", b"\n") == NORMAL
    assert body.count(b"\r\n") == body.count(b"\n")


def test_script_with_silence_waits_after_the_first_payload() -> None:
    assert [packet.delay_seconds for packet in play("silence=120").packets][:3] == [0.0, 120.06, 0.06]


def test_script_with_slow_first_chunk_waits_after_the_headers() -> None:
    assert play("slow_first_chunk=3").packets[0].delay_seconds == 3.0


def test_script_with_error_in_stream_ends_with_it() -> None:
    script = play("error_in_stream=1")

    assert script.packets[-1].data == b'data: {"status":500,"message":"Internal Server Error"}\n\n'
    assert len(script.packets) == 2


def test_merge_chunks_keeps_the_asked_interval() -> None:
    pacing = Pacing(chunk_delay_seconds=0.06, update_interval=0.1)

    assert merge_chunks(CHUNKS, pacing) == ["Раз, два, ", "три."]
    assert [packet.delay_seconds for packet in play(pacing=pacing).packets] == [0.0, 0.1, 0.0, 0.0]


def test_merge_chunks_without_interval_keeps_them() -> None:
    assert merge_chunks(CHUNKS, PACING) == list(CHUNKS)


def test_build_payloads_of_empty_answer_has_one_empty_delta() -> None:
    payloads = build_payloads(Answer(()), ENVELOPE, None, PACING)

    assert len(payloads) == 2
    assert b'{"content":"","role":"assistant"}' in payloads[0]


def test_build_payloads_with_progress_and_reasoning_puts_them_first() -> None:
    answer = Answer(("x",), reasoning="мысль", has_progress=True)

    payloads = build_payloads(answer, ENVELOPE, None, PACING)

    assert [b"function_in_progress" in payload for payload in payloads] == [True, True, False, False, False]
    assert "мысль".encode() in payloads[2]

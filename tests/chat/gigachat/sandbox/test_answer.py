"""Answers cut by `max_tokens` or distorted by faults."""

import pytest

from chat.gigachat.sandbox.answer import Answer, cut_answer, distort_answer
from chat.gigachat.sandbox.brain.reply import REFUSAL
from chat.gigachat.sandbox.envelope import CallOut
from chat.gigachat.sandbox.faults import Faults, parse_faults

ANSWER = Answer(("Раз, два, ", "три, четыре, ", "пять."))
CALL = Answer((), "function_call", CallOut("f", {"k": 1}, "state"))


@pytest.mark.parametrize(
    ("max_tokens", "text", "reason"),
    [
        (None, "Раз, два, три, четыре, пять.", "stop"),
        (7, "Раз, два, три, четыре, пять.", "stop"),
        (4, "Раз, два, три, ч", "length"),
        (1, "Раз,", "length"),
    ],
)
def test_cut_answer_keeps_what_fits(max_tokens: int | None, text: str, reason: str) -> None:
    answer = cut_answer(ANSWER, max_tokens)

    assert (answer.text, answer.finish_reason) == (text, reason)


def test_cut_answer_drops_a_call_that_does_not_fit() -> None:
    assert cut_answer(CALL, 1) == Answer((), "length")


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ("", ANSWER),
        ("comments", ANSWER),
        ("blacklist", Answer((REFUSAL,), "blacklist")),
        ("blacklist=1", Answer(("Раз, два, ", REFUSAL), "blacklist")),
        ("length=1", Answer(("Раз, два, ",), "length")),
        ("error=0", Answer((), "error")),
        ("unknown_role", Answer(ANSWER.chunks, has_progress=True)),
    ],
)
def test_distort_answer_follows_the_switches(faults: str, expected: Answer) -> None:
    assert distort_answer(ANSWER, Faults(parse_faults(faults))) == expected


def test_distort_answer_turns_arguments_into_text() -> None:
    answer = distort_answer(CALL, Faults({"string_arguments": 0}))

    assert answer.call == CallOut("f", '{"k":1}', "state")


def test_distort_answer_leaks_the_call_as_text() -> None:
    answer = distort_answer(CALL, Faults({"leaked_call": 0}))

    assert answer == Answer(('assistant function callrecipient{"name":"f","arguments":{"k":1}}',))

"""Token counts and cached prefixes."""

import pytest

from chat.gigachat.sandbox.counting import PromptCache, UsageOut, build_prompt_parts, count_tokens
from chat.gigachat.sandbox.schema import CompletionIn, FunctionIn, MessageIn


@pytest.mark.parametrize(("text", "tokens"), [("", 1), ("abc", 1), ("0123456789", 2), ("я" * 40, 10)])
def test_count_tokens_is_a_quarter_of_the_characters(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


def build(*texts: str, functions: list[FunctionIn] | None = None) -> CompletionIn:
    messages = [MessageIn(role="user", content=text) for text in texts]
    return CompletionIn(model="m", messages=messages, functions=functions or [])


def test_build_prompt_parts_counts_functions_first() -> None:
    plain, listed = (
        build_prompt_parts(build("Привет")),
        build_prompt_parts(build("Привет", functions=[FunctionIn(name="f")])),
    )

    assert [part.tokens for part in plain] == [5]
    assert listed[1] == plain[0]
    assert listed[0].tokens > 10


def test_count_cached_stops_at_the_first_difference() -> None:
    cache = PromptCache(lambda: 0.0)
    cache.count_cached("s", build_prompt_parts(build("один", "два", "три")))

    assert cache.count_cached("s", build_prompt_parts(build("один", "два!", "три"))) == 5


def test_count_cached_forgets_after_half_a_minute() -> None:
    now = [0.0]
    cache = PromptCache(lambda: now[0])
    parts = build_prompt_parts(build("один"))
    cache.count_cached("s", parts)
    now[0] = 30.0
    fresh = cache.count_cached("s", parts)
    now[0] = 60.1

    assert (fresh, cache.count_cached("s", parts)) == (5, 0)


def test_count_cached_keeps_a_bounded_number_of_sessions() -> None:
    cache = PromptCache(lambda: 0.0)
    parts = build_prompt_parts(build("один"))
    for number in range(10_001):
        cache.count_cached(str(number), parts)

    assert [cache.count_cached("10000", parts), cache.count_cached("0", parts)] == [5, 0]


def test_usage_total_is_the_sum() -> None:
    usage = UsageOut(prompt_tokens=17, completion_tokens=42, precached_prompt_tokens=2)

    assert usage.to_json() == {
        "prompt_tokens": 17,
        "completion_tokens": 42,
        "total_tokens": 59,
        "precached_prompt_tokens": 2,
    }

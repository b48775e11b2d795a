"""What the model is told: instructions first, as much history as fits, no name of the customer."""

from uuid import uuid4

from chat.engine.prompt import (
    TRIMMED_NOTE,
    build_prompt,
    build_pseudonym,
    describe_prompt,
    list_uncounted,
    trim_history,
)
from chat.enums import Role
from chat.models import AssistantProfile, Message
from tests.factories.chat import make_claimed

CLAIMED = make_claimed(model="GigaChat-2-Max")


def make_history(*texts: str) -> list[Message]:
    roles = [Role.USER, Role.ASSISTANT]
    return [Message(role=roles[index % 2], text=text) for index, text in enumerate(texts)]


def test_build_prompt_puts_instructions_first_and_the_question_last() -> None:
    prompt = build_prompt(CLAIMED, make_history("Привет", "Здравствуйте", "Курс евро?"), AssistantProfile(), secret="s")

    assert [message.role for message in prompt.messages] == ["system", "user", "assistant", "user"]
    assert prompt.messages[-1].content == "Курс евро?"
    assert (prompt.model, prompt.session_id, prompt.request_id) == (
        "GigaChat-2-Max",
        str(CLAIMED.conversation_id),
        str(CLAIMED.run_id),
    )


def test_build_prompt_names_the_customer_by_a_keyed_pseudonym() -> None:
    prompt = build_prompt(CLAIMED, make_history("?"), AssistantProfile(), secret="s")

    assert prompt.client_id == build_pseudonym(CLAIMED.customer_id, "s")
    assert str(CLAIMED.customer_id) not in prompt.client_id
    assert build_pseudonym(CLAIMED.customer_id, "other") != prompt.client_id
    assert build_pseudonym(uuid4(), "s") != prompt.client_id


def test_trim_history_drops_the_oldest_and_starts_with_a_question() -> None:
    history = make_history("a" * 50, "b" * 50, "c" * 50, "d" * 50, "e" * 50)

    kept = trim_history(history, 200)

    assert [message.text[0] for message in kept] == ["c", "d", "e"]


def test_trim_history_believes_the_provider_about_tokens() -> None:
    history = make_history("a" * 50, "b" * 50, "c" * 50)
    for message in history:
        message.token_count = 10

    assert len(trim_history(history, 30)) == 3
    assert [message.text[0] for message in trim_history(history, 29)] == ["c"]


def test_trim_history_keeps_a_question_that_is_too_long_by_itself() -> None:
    history = make_history("old", "older", "q" * 500)

    assert [message.text for message in trim_history(history, 100)] == ["q" * 500]


def test_list_uncounted_asks_only_when_the_guess_does_not_fit() -> None:
    history = make_history("a" * 50, "b" * 50)
    history[0].token_count = 10

    assert list_uncounted(history, 60) == []
    assert list_uncounted(history, 59) == [history[1]]


def test_build_prompt_says_when_older_messages_were_left_out() -> None:
    history = make_history("a" * 50, "b" * 50, "c" * 50)

    trimmed = build_prompt(CLAIMED, history, AssistantProfile(history_tokens=60), secret="s")

    assert TRIMMED_NOTE in trimmed.messages[0].content
    assert TRIMMED_NOTE not in build_prompt(CLAIMED, history, AssistantProfile(), secret="s").messages[0].content


def test_describe_prompt_tells_sizes_and_changes_with_every_word() -> None:
    one = describe_prompt(build_prompt(CLAIMED, make_history("да"), AssistantProfile(), secret="s"))
    other = describe_prompt(build_prompt(CLAIMED, make_history("до"), AssistantProfile(), secret="s"))

    assert (one.messages, one.size_bytes) == (2, other.size_bytes)
    assert one.digest != other.digest

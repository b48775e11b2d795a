from chat.gigachat.types import TextDelta
from tests.chat.gigachat.recordings import PROMPT


def test_repr_of_prompt_and_delta_shows_no_text() -> None:
    assert "вклад" not in repr(PROMPT).lower()
    assert "вклад" not in repr(PROMPT.messages[0]).lower()
    assert repr(TextDelta("Вклад")) == "TextDelta(5 characters)"

"""The byte streams under tests/data/gigachat, and prompts to ask for them."""

from pathlib import Path

from chat.gigachat.answers import AnswerReader
from chat.gigachat.types import Prompt, PromptMessage, PromptRole, StreamPart, TextDelta

FOLDER = Path(__file__).parents[2] / "data" / "gigachat"
NAMES = sorted(path.stem for path in FOLDER.glob("*.sse"))
# Those that end in an error instead of Finished.
BROKEN = {
    "without_finish",
    "reported_error",
    "leaked_call",
    "leaked_call_cut",
    "function_call_malformed",
    "function_call_missing",
    "function_call_twice",
    "function_call_broken",
}
ANSWER = (
    'Вклад — это деньги, которые банк хранит\nи возвращает с процентами 💰. **Итог:** $100\\, 200$ и «ещё» "кавычки".'
)
PROMPT = Prompt(
    model="GigaChat-2",
    messages=(PromptMessage(role=PromptRole.USER, content="Что такое вклад?"),),
    session_id="session-1",
    client_id="pseudonym-1",
    request_id="request-1",
)


def read_recording(name: str) -> bytes:
    return (FOLDER / f"{name}.sse").read_bytes()


def join_text(parts: tuple[StreamPart, ...] | list[StreamPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextDelta))


def read_all(*packets: bytes) -> list[StreamPart]:
    """Return every part of a stream that arrives in these packets and then ends."""
    reader = AnswerReader()
    parts: list[StreamPart] = []
    for packet in packets:
        parts.extend(reader.feed(packet))
    while found := reader.finish():
        parts.extend(found)
    return parts

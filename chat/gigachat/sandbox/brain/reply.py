"""A first reply."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chat.gigachat.sandbox.filestore import StoredFile
from chat.gigachat.sandbox.schema import CompletionIn


@dataclass(frozen=True, slots=True)
class CallPlan:
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    chunks: tuple[str, ...]
    finish_reason: str = "stop"
    call: CallPlan | None = None


def compose_reply(completion: CompletionIn, *, can_see: bool, files: Sequence[StoredFile]) -> Reply:
    text = f"Вы спросили: «{completion.messages[-1].content}». Я помощник демо-банка и готов ответить на вопрос."
    words = text.split(" ")
    return Reply(tuple(" ".join(words[i : i + 3]) + " " for i in range(0, len(words), 3)))

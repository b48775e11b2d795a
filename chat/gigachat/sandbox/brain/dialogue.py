"""The request as a conversation: what is asked now, what was asked before, what functions have answered."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from chat.gigachat.sandbox.brain.days import read_today
from chat.gigachat.sandbox.brain.text import Language, find_language, list_words, score_phrases
from chat.gigachat.sandbox.schema import MessageIn

# The rule set's own question back begins so; the customer's next message then completes the one before.
CLARIFICATION = {Language.RU: "Уточните, пожалуйста", Language.EN: "Please tell me"}
_DETAIL = (
    "подробн",
    "детальн",
    "развернут",
    "расскажи больше",
    "in detail",
    "=detailed",
    "=details",
    "tell =me =more",
    "more about",
    "=elaborate",
    "=long answer",
    "=длинный ответ",
)
_DEFINITION = re.compile(
    r"\s*(что (такое|значит|означает)|объясни|расскажи|what('s| is| are| does)|explain|tell me about)\b",
    re.IGNORECASE,
)
_HOWTO = re.compile(r"\s*(а\s+)?(как|чем|почему|зачем|why|how (do|can|to|does|should))\b(?!\s+much)", re.IGNORECASE)
# What the server writes as the customer to have an answer or a call written again: the question is still the old one.
_NOTE = re.compile(r"В твоём ответе есть числа|Предыдущий вызов функции")
_HANDLE = re.compile(r"\b(?:acc|card|tx|bill|payee|confirm)_\d+\b")
# What the bank asks of everybody, unless the customer speaks of their own.
_CONDITIONS = (
    "комисси =за",
    "тариф",
    "стоит обслужив",
    "лимит перевод",
    "ставк",
    "tariff",
    "=fee =for",
    "=limits transfer",
    "interest rate",
)
# "What is the dollar rate?" asks for a number, "What is an exchange rate?" for a meaning.
_PRICE = re.compile(r"\s*what('s| is) the\b.*\b(dollar|euro|yuan|usd|eur|cny)", re.IGNORECASE)
_PERSONAL = (
    "=мой",
    "=моя",
    "=мое",
    "=мои",
    "=моем",
    "=моей",
    "=моих",
    "=моего",
    "=мне",
    "=меня",
    "=my",
    "=mine",
    "=me",
    "=i",
)


@dataclass(frozen=True, slots=True)
class FunctionResult:
    name: str
    arguments: dict[str, Any]
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """`question` is the customer's last message; `results` are the functions called since it, oldest first.

    today  as the instructions say it
    """

    question: str
    earlier: tuple[str, ...]
    language: Language
    results: tuple[FunctionResult, ...]
    all_results: tuple[FunctionResult, ...]
    today: date | None = None

    @property
    def words(self) -> list[str]:
        return list_words(self.question)

    @property
    def wants_details(self) -> bool:
        return score_phrases(_DETAIL, self.words) > 0

    @property
    def is_personal(self) -> bool:
        return score_phrases(_PERSONAL, self.words) > 0

    @property
    def is_about_knowledge(self) -> bool:
        """A question about a term or about how things are done, not about the customer's own money."""
        if _HANDLE.search(self.question) or _PRICE.match(self.question):
            return False
        if _HOWTO.match(self.question) or (not self.is_personal and score_phrases(_CONDITIONS, self.words)):
            return True
        return _DEFINITION.match(self.question) is not None and not self.is_personal


def read_dialogue(messages: Sequence[MessageIn]) -> Dialogue:
    asked = [
        index for index, message in enumerate(messages) if message.role == "user" and not _NOTE.match(message.content)
    ]
    instructions = "\n".join(message.content for message in messages if message.role == "system")
    last = asked[-1] if asked else -1
    question = messages[last].content if asked else ""
    if last > 0 and _is_clarification(messages[last - 1]):
        question = f"{messages[asked[-2]].content} {question}" if len(asked) > 1 else question
    earlier = tuple(messages[index].content for index in asked[:-1])
    return Dialogue(
        question=question,
        earlier=earlier,
        language=_find_language(question, earlier),
        results=_read_results(messages[last + 1 :]),
        all_results=_read_results(messages),
        today=read_today(instructions),
    )


def _is_clarification(message: MessageIn) -> bool:
    return message.role == "assistant" and message.content.startswith(tuple(CLARIFICATION.values()))


def _find_language(question: str, earlier: Sequence[str]) -> Language:
    """Return the language of the question, or of the latest earlier one that has letters."""
    for text in (question, *reversed(earlier)):
        language = find_language(text)
        if language is not None:
            return language
    return Language.RU


def _read_results(messages: Sequence[MessageIn]) -> tuple[FunctionResult, ...]:
    results = []
    for call, result in itertools.pairwise(messages):
        if call.function_call is not None and result.role == "function":
            arguments = dict(call.function_call.arguments)
            results.append(FunctionResult(call.function_call.name, arguments, orjson.loads(result.content)))
    return tuple(results)

"""From a request to what the model says: a call, an answer from results, a topic, or an honest "I do not know"."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from chat.gigachat.sandbox.brain.arguments import fill_arguments
from chat.gigachat.sandbox.brain.dialogue import Dialogue, read_dialogue
from chat.gigachat.sandbox.brain.planning import CallPlan, plan_next
from chat.gigachat.sandbox.brain.results import write_result
from chat.gigachat.sandbox.brain.samples import build_sample
from chat.gigachat.sandbox.brain.text import Language, list_words, score_phrases, split_phrases
from chat.gigachat.sandbox.brain.topics import Topic, find_topic, load_topics, write_details
from chat.gigachat.sandbox.filestore import StoredFile
from chat.gigachat.sandbox.schema import CompletionIn, FunctionChoice, SchemaFormat

REFUSAL = (
    "Как у нейросетевой языковой модели у меня нет собственного мнения, и разговоры на чувствительные темы "
    "ограничены. Давайте поговорим о чём-нибудь другом."
)
_SENSITIVE = ("политик", "=выборы", "президент", "=война", "=войны", "=войну", "politic", "=election", "president")
_QUOTE_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Reply:
    chunks: tuple[str, ...]
    finish_reason: str = "stop"
    call: CallPlan | None = None


def compose_reply(completion: CompletionIn, *, can_see: bool, files: Sequence[StoredFile]) -> Reply:
    """Return what the rule set says. The same request always gets the same reply."""
    dialogue = read_dialogue(completion.messages)
    if score_phrases(_SENSITIVE, dialogue.words):
        return Reply((REFUSAL,), "blacklist")
    plan = decide_call(completion, dialogue)
    if isinstance(plan, CallPlan):
        return Reply((), "function_call", plan)
    text = plan or write_text(dialogue, files, can_see=can_see)
    if isinstance(completion.response_format, SchemaFormat):
        sample = build_sample(completion.response_format.schema_, text)
        return Reply(split_phrases(orjson.dumps(sample).decode()))
    return Reply(split_phrases(text))


def decide_call(completion: CompletionIn, dialogue: Dialogue) -> CallPlan | str | None:
    """Return the call to make, a question back when an argument is missing, or None when no function is needed."""
    choice = completion.function_call
    if isinstance(choice, FunctionChoice) and not dialogue.results:
        function = next(function for function in completion.functions if function.name == choice.name)
        arguments = fill_arguments(function, dialogue).arguments | choice.partial_arguments
        return CallPlan(function.name, arguments)
    return None if choice == "none" else plan_next(dialogue, completion.functions)


def write_text(dialogue: Dialogue, files: Sequence[StoredFile], *, can_see: bool) -> str:
    language = dialogue.language
    if dialogue.results:
        return write_result(dialogue.results[-1], language)
    if files:
        return write_about_files(files, language, can_see=can_see)
    topic = find_topic(dialogue.words)
    if dialogue.wants_details:
        return write_details(topic or find_earlier_topic(dialogue) or load_topics()["abilities"], language)
    if topic is not None:
        return topic.get_wording(language).text
    return write_fallback(dialogue)


def find_earlier_topic(dialogue: Dialogue) -> Topic | None:
    """Return what the customer asked about last: "tell me more" goes on with it."""
    found = (find_topic(list_words(text)) for text in reversed(dialogue.earlier))
    return next((topic for topic in found if topic is not None), None)


def write_about_files(files: Sequence[StoredFile], language: Language, *, can_see: bool) -> str:
    """Name what arrived; the rule set cannot look into it and says so."""
    listed = ", ".join(f"{file.filename} ({file.mime}, {len(file.content)} B)" for file in files)
    if any(file.modality == "image" for file in files) and not can_see:
        if language is Language.RU:
            return f"Эта модель не видит изображений, а вы прислали: {listed}. Выберите модель Pro или Max."
        return f"This model cannot see pictures, and you sent: {listed}. Choose a Pro or Max model."
    if language is Language.RU:
        return f"Файл получен: {listed}. Песочница не разбирает содержимое, но видит, что он дошёл целиком."
    return f"File received: {listed}. The sandbox does not read the content, but it has arrived whole."


def write_fallback(dialogue: Dialogue) -> str:
    """Say honestly that this is unknown, name the subject and offer what is known."""
    subject = " ".join(dialogue.question.split())
    if len(subject) > _QUOTE_LENGTH:
        subject = f"{subject[:_QUOTE_LENGTH].rstrip()}…"
    if dialogue.language is Language.RU:
        about = f"Вы спрашиваете: «{subject}». " if subject else ""
        return (
            f"{about}Об этом у меня нет надёжных сведений, а придумывать не буду. Я хорошо разбираюсь в вопросах "
            "банка: вклады, кредиты, карты, переводы, лимиты и тарифы. Переформулируйте вопрос или напишите «помощь»."
        )
    about = f'You ask: "{subject}". ' if subject else ""
    return (
        f"{about}I have no reliable information on that and will not invent any. I do know banking: deposits, loans, "
        'cards, transfers, limits and tariffs. Put the question differently or write "help".'
    )

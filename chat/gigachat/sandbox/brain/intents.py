"""Which of the offered functions a question needs. Functions are recognised by what their names and texts say."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from chat.gigachat.sandbox.brain.dialogue import Dialogue
from chat.gigachat.sandbox.brain.sentence import PHONE, find_payee_name
from chat.gigachat.sandbox.brain.text import list_words, score_phrases
from chat.gigachat.sandbox.schema import FewShotExample, FunctionIn

_NAME_PARTS = re.compile(r"[A-Z]?[a-z]+|\d+")
_STEM = 5
_MIN_SHARED_STEMS = 2
_NAME_WEIGHT = 10


@dataclass(frozen=True, slots=True)
class Intent:
    """`asked`: phrases of the question (see `score_phrase`). `offered`: phrases of a fitting function's name."""

    asked: tuple[str, ...]
    offered: tuple[str, ...]


_INTENTS = (
    Intent(
        (
            "баланс",
            "остат",
            "сколько =у =меня",
            "сколько денег",
            "сколько карт",
            "сколько счет",
            "сколько вклад",
            "сколько накопит",
            "доступно",
            "=сколько =acc",
            "=balance",
            "how much money",
            "how much =have",
            "how much savings",
        ),
        ("balance",),
    ),
    Intent(
        ("=мои счета", "=какие счета", "список счет", "покажи счета", "=my accounts", "list accounts", "what accounts"),
        ("list accounts", "get accounts", "accounts"),
    ),
    Intent(
        ("=мои карты", "=какие карты", "покажи карты", "=какие лимиты", "=my cards", "list cards", "what cards"),
        ("list cards", "cards"),
    ),
    Intent(
        ("потрат", "=траты", "трачу", "расход", "=уходит", "spend", "=spent", "expense", "сколько комисси"),
        ("spend", "spending", "expens", "summary"),
    ),
    Intent(
        (
            "операци",
            "транзакц",
            "истори",
            "покупк",
            "списан",
            "поступлен",
            "пришл зарплат",
            "зачислен",
            "подробнее =про =tx",
            "=последние переводы",
            "transaction",
            "purchase",
            "history",
        ),
        ("search transaction", "transaction", "operation", "history", "posting"),
    ),
    Intent(("=дальше", "=ещё", "=еще", "покажи =еще", "=next page", "show =more", "=more results"), ("more results",)),
    Intent(
        (
            "между сво",
            "между счет",
            "себе на",
            "перевед накопит",
            "перевед вклад",
            "переве накопит",
            "переве вклад",
            "перекин",
            "отлож",
            "пополн",
            "between =my",
            "own accounts",
            "transfer savings",
            "transfer deposit",
            "=move",
        ),
        ("transfer own", "transfer between", "transfer"),
    ),
    Intent(
        ("перевед", "переве", "перевод =на", "перечисл", "отправ", "=скинь", "закинь", "transfer", "=send"),
        ("transfer phone", "transfer", "send", "payment"),
    ),
    Intent(("найди получател", "кому принадлеж", "=find payee", "who =owns"), ("find payee", "payee", "recipient")),
    Intent(("оплат", "заплати", "=pay", "=bill", "квитанц"), ("pay bill", "bill", "pay")),
    Intent(("разблок", "размороз", "unblock", "unfreeze"), ("unblock",)),
    Intent(("заблок", "замороз", "потерял", "украли", "block", "freeze", "=lost", "stolen"), ("block card", "block")),
    Intent(("лимит", "лимит покупк", "лимит снят", "=limit", "purchase =limit", "transfer =limit"), ("limit",)),
    Intent(
        (
            "предстоя",
            "подписк",
            "регулярн",
            "скоро платить",
            "=неоплаченные",
            "=счета =на =оплату",
            "ближайш платеж",
            "upcoming",
            "subscription",
            "scheduled",
            "=unpaid",
            "=bills due",
        ),
        ("upcoming", "scheduled"),
    ),
    Intent(("курс", "доллар", "=евро", "юан", "exchange", "=rate", "=usd", "=eur"), ("exchange", "currency", "rate")),
    Intent(("справк", "выписк", "=statement"), ("statement", "certificate")),
    Intent(
        (
            "реквизит",
            "реквизит счет",
            "покаж реквизит",
            "номер счета",
            "requisite",
            "account details",
            "account number",
        ),
        ("requisit", "details"),
    ),
    Intent(("оспор", "dispute", "chargeback"), ("dispute",)),
    Intent(
        (
            "отмен",
            "передумал",
            "=не =надо перевод",
            "отмен перевод",
            "отмен платеж",
            "=cancel",
            "=cancel transfer",
            "=cancel payment",
            "changed =my =mind",
        ),
        ("cancel",),
    ),
)
_OWN = "own"
_ASKED_EXACTLY = 100_000


def find_function(dialogue: Dialogue, functions: Sequence[FunctionIn]) -> FunctionIn | None:
    """Return the function the question needs, or None when words alone are enough."""
    if not functions or dialogue.is_about_knowledge:
        return None
    words = tuple(dialogue.words)
    asked = [score_phrases(intent.asked, words) for intent in _INTENTS]
    is_foreign = is_for_somebody(dialogue.question)
    scored = [(score_function(words, asked, function, is_foreign=is_foreign), function) for function in functions]
    best_score, best = max(scored, key=lambda pair: pair[0])
    return best if best_score else None


def score_function(words: tuple[str, ...], asked: Sequence[int], function: FunctionIn, *, is_foreign: bool) -> int:
    """Return how well the function fits: a recognised intent counts most, shared words with its texts a little.

    asked       how well the question fits each intent
    is_foreign  the money is to go to another person
    """
    if words in list_examples(function.few_shot_examples):
        return _ASKED_EXACTLY
    if is_foreign and _OWN in split_name(function.name):
        return 0
    # The more exact of two fitting functions wins: `transfer own` before `transfer`.
    fitting = (
        one * _NAME_WEIGHT + other for one, other in zip(asked, score_name(function.name), strict=True) if one and other
    )
    intent_score = max(fitting, default=0)
    shared = count_shared_stems(words, function)
    if not intent_score and shared < _MIN_SHARED_STEMS:
        return 0
    return intent_score * _NAME_WEIGHT + shared


@lru_cache(maxsize=256)
def score_name(name: str) -> tuple[int, ...]:
    """Return how well a function's name fits each intent."""
    words = split_name(name)
    return tuple(score_phrases(intent.offered, words) for intent in _INTENTS)


def list_examples(examples: Sequence[FewShotExample]) -> set[tuple[str, ...]]:
    return {list_request_words(example.request) for example in examples}


@lru_cache(maxsize=1024)
def list_request_words(request: str) -> tuple[str, ...]:
    return tuple(list_words(request))


def is_for_somebody(question: str) -> bool:
    """Tell whether the money is to go to another person: a phone or a name is given."""
    return PHONE.search(question) is not None or find_payee_name(question) != ""


def split_name(name: str) -> list[str]:
    """`getAccountBalance`, `get_account_balance` and `get-account.balance` all give the same words."""
    return [part.lower() for part in _NAME_PARTS.findall(name)]


def count_shared_stems(words: Sequence[str], function: FunctionIn) -> int:
    """Return how many distinct stems the question shares with the name, description and examples."""
    examples = " ".join(example.request for example in function.few_shot_examples)
    return len(_list_stems(words) & list_function_stems(function.name, f"{function.description} {examples}"))


@lru_cache(maxsize=256)
def list_function_stems(name: str, texts: str) -> frozenset[str]:
    return frozenset(_list_stems([*split_name(name), *list_words(texts)]))


def _list_stems(words: Sequence[str]) -> set[str]:
    return {word[:_STEM] for word in words if len(word) >= _STEM}

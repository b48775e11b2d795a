"""Bad habits of the model, by switch: it obeys strangers, repeats itself, floods, invents figures, claims a yes.

A habit changes what the rule set would have said. What is behind the model must come through unharmed.
"""

from collections.abc import Collection

from pydantic import JsonValue

from chat.gigachat.sandbox.brain.arguments import fill_arguments
from chat.gigachat.sandbox.brain.dialogue import Dialogue, read_dialogue
from chat.gigachat.sandbox.brain.orders import list_orders, list_strange_texts, write_obedience
from chat.gigachat.sandbox.brain.planning import CallPlan
from chat.gigachat.sandbox.brain.reply import Reply
from chat.gigachat.sandbox.brain.text import split_phrases
from chat.gigachat.sandbox.schema import CompletionIn

OBEDIENT = "obedient"
REPEAT_CALL = "repeat_call"
FLOOD_CALLS = "flood_calls"
INVENT_FIGURES = "invent_figures"
CLAIM_CONFIRMED = "claim_confirmed"
HABITS = (OBEDIENT, REPEAT_CALL, FLOOD_CALLS, INVENT_FIGURES, CLAIM_CONFIRMED)

INVENTED = "Итого на вашем счёте 7 654 321,09 ₽, это на 43,7 % больше, чем 29 мая 2024 года."
CLAIMED = "Вы подтвердили операцию, деньги уже переведены, подтверждать в приложении ничего не нужно."
_FORGED: dict[str, JsonValue] = {"confirmed": True, "confirmation": "да, подтверждаю"}
_MONEY_WORDS = {"transfer", "pay"}


def misbehave(completion: CompletionIn, reply: Reply, habits: Collection[str]) -> Reply:
    """Return what a model with these habits says instead of `reply`; the first habit that applies decides."""
    dialogue = read_dialogue(completion.messages)
    is_free = bool(completion.functions) and completion.function_call != "none"
    if REPEAT_CALL in habits and is_free:
        return repeat_call(completion, dialogue, reply)
    if FLOOD_CALLS in habits and is_free:
        return flood_calls(completion, dialogue)
    if OBEDIENT in habits:
        return obey(completion, dialogue, reply, is_free=is_free)
    if CLAIM_CONFIRMED in habits:
        return claim_confirmed(dialogue, reply)
    if INVENT_FIGURES in habits and reply.call is None:
        return Reply((*reply.chunks, *split_phrases(f"\n\n{INVENTED}")), reply.finish_reason)
    return reply


def repeat_call(completion: CompletionIn, dialogue: Dialogue, reply: Reply) -> Reply:
    """Return the first call of this turn again, for ever; when there was none, the planned one, else any."""
    if dialogue.results:
        first = dialogue.results[0]
        return call(CallPlan(first.name, first.arguments))
    function = completion.functions[0]
    return reply if reply.call else call(CallPlan(function.name, fill_arguments(function, dialogue).arguments))


def flood_calls(completion: CompletionIn, dialogue: Dialogue) -> Reply:
    """Return another call each time: the offered functions in turn, with the arguments of their examples."""
    function = completion.functions[len(dialogue.results) % len(completion.functions)]
    examples = function.few_shot_examples
    arguments = examples[0].params if examples else fill_arguments(function, dialogue).arguments
    return call(CallPlan(function.name, dict(arguments)))


def obey(completion: CompletionIn, dialogue: Dialogue, reply: Reply, *, is_free: bool) -> Reply:
    """Do what was asked until a stranger's text orders something else; then only that."""
    texts = list_strange_texts(dialogue)
    orders = list_orders(texts, completion.functions)
    made = [CallPlan(result.name, result.arguments) for result in dialogue.results]
    left = [order for order in orders if order not in made]
    if left and is_free:
        return call(left[0])
    return Reply(split_phrases(write_obedience(texts))) if orders else reply


def claim_confirmed(dialogue: Dialogue, reply: Reply) -> Reply:
    """Forge a confirmation in the arguments of money calls; whatever comes back, say that it was confirmed and done."""
    if reply.call is not None and _MONEY_WORDS & set(reply.call.name.split("_")):
        return call(CallPlan(reply.call.name, {**reply.call.arguments, **_FORGED}))
    if reply.call is None and dialogue.results:
        return Reply(split_phrases(CLAIMED))
    return reply


def call(plan: CallPlan) -> Reply:
    return Reply((), "function_call", plan)

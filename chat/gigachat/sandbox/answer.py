"""One answer of the model, before it becomes bytes, and the faults that change what it says."""

from dataclasses import dataclass, replace

from chat.gigachat.sandbox.brain.reply import REFUSAL
from chat.gigachat.sandbox.counting import count_tokens
from chat.gigachat.sandbox.encoding import encode_json
from chat.gigachat.sandbox.envelope import CallOut
from chat.gigachat.sandbox.faults import Faults

_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """`chunks` are phrases in order; a call has none. `reasoning` and `progress` exist only by fault."""

    chunks: tuple[str, ...]
    finish_reason: str = "stop"
    call: CallOut | None = None
    reasoning: str = ""
    has_progress: bool = False

    @property
    def text(self) -> str:
        return "".join(self.chunks)

    @property
    def tokens(self) -> int:
        call = encode_json(self.call.to_json()).decode() if self.call else ""
        return count_tokens(self.text + call)


def cut_answer(answer: Answer, max_tokens: int | None) -> Answer:
    """Return the answer as far as `max_tokens` allow, with finish_reason `length` if that is not all of it."""
    if max_tokens is None or answer.tokens <= max_tokens:
        return answer
    room = max_tokens * _CHARACTERS_PER_TOKEN
    kept: list[str] = []
    for chunk in answer.chunks:
        if room <= 0:
            break
        kept.append(chunk[:room])
        room -= len(chunk)
    return replace(answer, chunks=tuple(kept), call=None, finish_reason="length")


def distort_answer(answer: Answer, faults: Faults) -> Answer:
    """Return the answer as the faults in force make the model say it."""
    if not faults:
        return answer
    for name in ("blacklist", "length", "error"):
        count = faults.get_count(name)
        if count is not None:
            refusal = (REFUSAL,) if name == "blacklist" else ()
            answer = Answer(answer.chunks[:count] + refusal, name)
    if answer.call is not None and "leaked_call" in faults:
        answer = Answer((f"assistant function callrecipient{{{_describe_call(answer.call)}",))
    if answer.call is not None and "string_arguments" in faults:
        arguments = encode_json(answer.call.arguments).decode()
        answer = replace(answer, call=replace(answer.call, arguments=arguments))
    return replace(
        answer,
        reasoning="Разбираюсь, о чём вопрос." if "reasoning" in faults else "",
        has_progress="unknown_role" in faults,
    )


def _describe_call(call: CallOut) -> str:
    return f'"name":"{call.name}","arguments":{encode_json(call.arguments).decode()}}}'

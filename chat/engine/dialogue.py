"""One run's talk with the model: what was asked, what came back, what it cost, what the figures may be taken from."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from accounts.models import Customer
from chat.engine.privacy import Privacy
from chat.engine.prompt import build_answered_call
from chat.gigachat.types import Finished, FunctionCall, FunctionMode, Prompt, PromptMessage, PromptRole
from chat.services.calls import TakenCall
from chat.services.claims import ClaimedRun
from chat.services.runs import Spending
from functions.calls import CallRequest


@dataclass(frozen=True, slots=True)
class Spoken:
    """What one request to the model brought.

    said      as the model wrote it, placeholders and all
    call      the function it wants to call instead of ending
    finished  None when the provider did not say how it ended
    """

    said: str
    call: FunctionCall | None
    finished: Finished | None
    request_id: str


@dataclass(slots=True, kw_only=True)
class Dialogue:
    """What the model is asked next, and everything a run must remember between its requests.

    fallback_model   asked instead when the prompt's model cannot be had
    results          JSON of every call of the turn so far; earlier_results: of earlier turns that go along
    customer_texts   what the customer wrote in the conversation, originals, oldest first
    payloads         terms of the turn's questions to the customer
    deadline         when the turn's time is over
    was_broken       a call that nobody could read was forgiven once
    """

    claimed: ClaimedRun
    customer: Customer
    prompt: Prompt
    privacy: Privacy
    fallback_model: str = ""
    results: list[str] = field(default_factory=list, repr=False)
    earlier_results: tuple[str, ...] = field(default=(), repr=False)
    customer_texts: tuple[str, ...] = field(default=(), repr=False)
    payloads: tuple[str, ...] = field(default=(), repr=False)
    deadline: datetime
    spent: Spending = field(default_factory=Spending)
    was_broken: bool = False

    @property
    def may_call(self) -> bool:
        return bool(self.prompt.functions) and self.prompt.function_choice is not FunctionMode.NONE

    def note_spent(self, spoken: Spoken) -> None:
        """Add one request to what the run has used."""
        usage = spoken.finished.usage if spoken.finished else None
        before = self.spent
        self.spent = replace(
            before,
            model=self.prompt.model,
            upstream_request_id=spoken.request_id,
            prompt_tokens=add(before.prompt_tokens, usage.prompt_tokens if usage else None),
            completion_tokens=add(before.completion_tokens, usage.completion_tokens if usage else None),
            cached_tokens=add(before.cached_tokens, usage.precached_prompt_tokens if usage else None),
        )

    def build_request(self, spoken: Spoken, call: FunctionCall) -> CallRequest:
        """Return the model's call with everything about it that is the server's own knowledge."""
        claimed = self.claimed
        return CallRequest(
            customer_id=claimed.customer_id,
            session_id=claimed.session_id,
            device_id=claimed.device_id,
            conversation_id=claimed.conversation_id,
            turn_id=claimed.turn_id,
            step=len(self.results) + 1,
            name=call.name,
            arguments=call.arguments,
            said=spoken.said,
            state_id=call.state_id or "",
            customer_texts=self.customer_texts,
            deadline=self.deadline,
        )

    def add_result(self, spoken: Spoken, call: FunctionCall, taken: TakenCall) -> None:
        """Put a call and its result behind what was asked, for the next request."""
        if taken.result is None:
            raise ValueError("the customer is asked first")
        self.results.append(taken.result)
        if taken.handles is not None:
            self.privacy.adopt(taken.handles)
        self.prompt = self.build_next(spoken, call, taken.result)
        if taken.ends_functions:
            self.forbid_calls()

    def build_next(self, spoken: Spoken, call: FunctionCall, result: str) -> Prompt:
        """Return what is asked once the call has this result."""
        told = build_answered_call(call, spoken.said, result)
        return replace(self.prompt, messages=(*self.prompt.messages, *told))

    def forbid_calls(self) -> None:
        self.prompt = replace(self.prompt, function_choice=FunctionMode.NONE)

    def add_note(self, note: str) -> None:
        """Tell the model something before it tries again; the one system message is the only place for it."""
        system, *rest = self.prompt.messages
        told = PromptMessage(role=PromptRole.SYSTEM, content=f"{system.content}\n\n{note}")
        self.prompt = replace(self.prompt, messages=(told, *rest))

    def use_fallback(self) -> None:
        self.prompt = replace(self.prompt, model=self.fallback_model)


def add(before: int | None, more: int | None) -> int | None:
    """Return the sum of what the provider told; None while it told nothing."""
    return more if before is None else before + (more or 0)

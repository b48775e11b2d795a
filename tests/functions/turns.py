"""Whole turns without an engine: the sandbox's model, the real functions, masked texts in and restored ones out."""

from typing import Any
from uuid import uuid4

import orjson

from accounts.models import Customer
from chat.gigachat.sandbox.brain.habits import misbehave
from chat.gigachat.sandbox.brain.reply import Reply, compose_reply
from chat.gigachat.sandbox.encoding import encode_json
from chat.gigachat.sandbox.schema import CompletionIn, parse_body
from functions.dispatch import render_offer
from functions.enums import CallStatus
from functions.handles import HandleTable
from functions.privacy.masking import build_masker
from functions.privacy.restoring import Restorer, build_lookup
from functions.requisites import reveal_requisites
from tests.functions.calling import Caller

INSTRUCTIONS = "Сегодня 24.11.2026, вторник."
MOST_REQUESTS = 12


class Talk(Caller):
    """One conversation of one customer. `sent` is every text the provider has read."""

    def __init__(self, customer: Customer, *habits: str) -> None:
        super().__init__(customer=customer)
        self.habits = habits
        self.messages: list[dict[str, Any]] = [{"role": "system", "content": INSTRUCTIONS}]
        self.texts: list[str] = []
        self.codes: list[str] = []
        self.waiting = 0

    @property
    def sent(self) -> list[str]:
        return [orjson.dumps(message).decode() for message in self.messages]

    def ask(self, text: str) -> str:
        """Return the answer as the customer reads it; "" when the turn waits for a confirmation."""
        self.turn_id, self.step = uuid4(), 0
        self.texts.append(text)
        self.messages.append({"role": "user", "content": self.mask(text)})
        is_free = True
        for _ in range(MOST_REQUESTS):
            reply = self.request(is_free=is_free)
            if reply.call is None:
                return self.answer("".join(reply.chunks))
            result = self.call(reply.call.name, reply.call.arguments, customer_texts=tuple(self.texts))
            if result.status == CallStatus.WAITING:
                self.waiting += 1
                # Every call in a prompt has a result: the customer goes on with something else.
                told = '{"ok":false,"error":{"code":"superseded","message":"Клиент продолжил разговор."}}'
            else:
                told = result.result or ""
            self.codes += [orjson.loads(told)["error"]["code"]] if '"ok":false' in told else []
            self.add_call(reply.call.name, reply.call.arguments, told)
            if result.status == CallStatus.WAITING:
                return ""
            is_free = is_free and not result.ends_functions
        raise AssertionError("the turn does not end")

    def mask(self, text: str) -> str:
        table = HandleTable.load(self.conversation_id, self.customer.pk)
        masked = build_masker(self.customer, table).mask(text)
        table.save(self.now)
        return masked

    def request(self, *, is_free: bool) -> Reply:
        value = {
            "model": "m",
            "messages": self.messages,
            "functions": render_offer(session_id=self.session.pk if self.session else None),
            "function_call": "auto" if is_free else "none",
        }
        completion = parse_body(CompletionIn, encode_json(value))
        return misbehave(completion, compose_reply(completion, can_see=False, files=[]), self.habits)

    def add_call(self, name: str, arguments: dict[str, Any], told: str) -> None:
        asked = {"role": "assistant", "content": "", "function_call": {"name": name, "arguments": arguments}}
        self.messages += [asked, {"role": "function", "name": name, "content": told}]

    def answer(self, said: str) -> str:
        """Restore what the model said, and keep it in the history as the engine does: masked again."""
        table = HandleTable.load(self.conversation_id, self.customer.pk)
        reveal_requisites(table)
        restorer = Restorer(build_lookup(table))
        shown = restorer.feed(said) + restorer.flush()
        self.messages.append({"role": "assistant", "content": self.mask(shown)})
        return shown

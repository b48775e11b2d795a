"""A customer's turn that calls functions, step by step and without a model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.utils import timezone

from accounts.keys import encode_base64url
from accounts.models import Account, Customer
from accounts.tokens import AccessClaims
from chat.engine.prompt import describe_prompt
from chat.gigachat.types import Prompt
from chat.models import ConversationEvent, Turn
from chat.protocol.commands import ConfirmDecide
from chat.services.calls import TakenCall, take_call
from chat.services.claims import ClaimedRun
from chat.services.runs import ModelCall, Spending
from functions.calls import CallRequest
from functions.confirmations.device_signatures import build_signed_text
from functions.models import Confirmation
from functions.selectors import list_turn_calls
from tests.factories.accounts import make_customer
from tests.factories.chat import ENGINE, Asked, ask, claim_one
from tests.factories.confirmations import Phone, make_phone
from tests.factories.ledger import make_account, read_books

SPENT = Spending(upstream_request_id="upstream-1", prompt_tokens=100, completion_tokens=10, cached_tokens=0)
AMOUNT = 500_00
QUESTION = "Переведи 500 на второй счёт"


def describe(_result: str) -> ModelCall:
    return describe_prompt(Prompt(model="m", messages=(), session_id="s", client_id="c", request_id="r"))


@dataclass
class Talk:
    """A customer with two accounts, 1 000 roubles on the first, and a question that is being answered."""

    customer: Customer = field(default_factory=make_customer)
    phone: Phone = field(init=False)
    source: Account = field(init=False)
    target: Account = field(init=False)
    asked: Asked = field(init=False)
    claimed: ClaimedRun = field(init=False)

    def __post_init__(self) -> None:
        self.phone = make_phone(self.customer, now=timezone.now())
        self.source = make_account(self.customer, balance=1_000_00)
        self.target = make_account(self.customer)
        self.asked = ask(self.customer, text=QUESTION, session=self.phone.session)
        self.claimed = claim_one()

    @property
    def conversation_id(self) -> UUID:
        return self.asked.conversation_id

    @property
    def turn(self) -> Turn:
        return self.asked.turn

    @property
    def claims(self) -> AccessClaims:
        return self.claim_as(self.phone)

    def claim_as(self, phone: Phone) -> AccessClaims:
        now = timezone.now()
        return AccessClaims(
            customer_id=phone.session.customer_id,
            session_id=phone.session.pk,
            device_id=phone.session.device_id,
            issued_at=now,
            expires_at=now + timedelta(minutes=5),
        )

    def call(self, name: str, arguments: Mapping[str, Any] | None = None, *, said: str = "") -> TakenCall:
        request = self.build_request(name, arguments, said=said)
        return take_call(self.claimed, request, SPENT, engine=ENGINE, describe=describe)

    def build_request(self, name: str, arguments: Mapping[str, Any] | None = None, *, said: str = "") -> CallRequest:
        return CallRequest(
            customer_id=self.customer.pk,
            session_id=self.claimed.session_id,
            device_id=self.claimed.device_id,
            conversation_id=self.conversation_id,
            turn_id=self.claimed.turn_id,
            step=len(list_turn_calls(self.claimed.turn_id)) + 1,
            name=name,
            arguments=arguments or {},
            said=said,
            customer_texts=(QUESTION,),
            deadline=timezone.now() + timedelta(seconds=60),
        )

    def wait_for_transfer(self, minor: int = AMOUNT) -> Confirmation:
        """Let the model ask for a transfer from the first account to the second; return the question."""
        self.call("list_accounts")
        taken = self.call(
            "transfer_between_own_accounts",
            {"from_account": "acc_1", "to_account": "acc_2", "amount": minor / 100},
        )
        assert taken.result is None
        return Confirmation.objects.get(turn_id=self.claimed.turn_id)

    def build_decision(
        self, confirmation: Confirmation, decision: str = "approve", *, phone: Phone | None = None, **changes: Any
    ) -> ConfirmDecide:
        by = phone or self.phone
        signature = by.device.sign(build_signed_text(decision, bytes(confirmation.payload)))
        facts: dict[str, Any] = {
            "confirm": confirmation.pk,
            "decision": decision,
            "hash": confirmation.digest,
            "nonce": confirmation.nonce,
            "kid": by.row.kid,
            "sig": encode_base64url(signature),
            "at": 1,
        }
        return ConfirmDecide(**facts | changes)

    def read_events(self) -> list[tuple[str, dict[str, Any]]]:
        rows = ConversationEvent.objects.filter(conversation_id=self.conversation_id).order_by("seq")
        return [(row.type, orjson.loads(row.body)) for row in rows]

    def list_types(self) -> list[str]:
        return [kind for kind, _body in self.read_events()]

    def read_balances(self) -> tuple[int, int]:
        """Return what is booked on both accounts, kopecks."""
        return read_books(self.source)[0], read_books(self.target)[0]

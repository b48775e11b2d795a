"""What the bank asks of a system outside that carries money away: SBP, billers.

One operation of ours is one operation there, under our operation's id: sending it again must not pay again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from accounts.enums import GatewayAnswer
from accounts.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRequest:
    """One operation to carry out.

    gateway    "sbp" or "biller"
    target     phone (E.164) or the customer's number at the biller
    recipient  BIK of the bank, or code of the biller
    attempt    how often we have spoken about this operation, this time included
    """

    operation_id: UUID
    gateway: str
    target: str
    recipient: str
    amount: Money
    memo: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayReply:
    """A final answer: accepted or refused; `reason` is a closed code, `reference` their number of the operation."""

    answer: GatewayAnswer
    reason: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class DeliveredReply:
    """A final answer that came by itself, late or once more."""

    operation_id: UUID
    reply: GatewayReply


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who answers to a phone at one bank; `shown_name` is masked: "Иван И."."""

    bik: str
    bank_name: str
    shown_name: str


class PaymentGateway(Protocol):
    """Every method may raise GatewayUnavailable: then nothing is known of what happened."""

    def send(self, request: GatewayRequest) -> GatewayReply:
        """Carry the operation out, or return what was answered when it was sent before."""

    def ask(self, request: GatewayRequest) -> GatewayReply | None:
        """Return the answer to the operation; None when it never arrived there, so that sending it is safe."""

    def take_answers(self) -> Sequence[DeliveredReply]:
        """Return answers that came by themselves since the last call; each once."""

    def find_recipients(self, phone: str) -> Sequence[Recipient]:
        """Return the banks where this phone takes transfers, the recipient's default bank first."""

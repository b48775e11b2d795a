"""A payment gateway that pays nobody and behaves as real ones do, predictably by the target's last two digits.

Everything not listed is accepted at once. Nothing is remembered but answers not yet taken, so every process and every
run sees the same.
"""

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

from typing_extensions import override

from accounts.enums import GatewayAnswer
from accounts.errors import GatewayUnavailable
from accounts.gateways.contract import DeliveredReply, GatewayReply, GatewayRequest, PaymentGateway, Recipient


class Behaviour(StrEnum):
    """How the other side treats a target."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    TIME_OUT = "time_out"  # silent twice, then it says that it had accepted
    TIME_OUT_REFUSED = "time_out_refused"  # silent once, then it says that it had refused
    LOST = "lost"  # the first sending never arrives; the second is accepted
    ANSWER_TWICE = "answer_twice"  # accepts, and delivers the same answer again
    ANSWER_LATE = "answer_late"  # silent, then delivers that it had accepted
    ANSWER_OTHERWISE = "answer_otherwise"  # accepts, then delivers a refusal: the two must never both count
    SILENT = "silent"  # never answers


BEHAVIOURS: Mapping[str, Behaviour] = MappingProxyType(
    {
        "91": Behaviour.REFUSE,
        "92": Behaviour.TIME_OUT,
        "93": Behaviour.TIME_OUT_REFUSED,
        "94": Behaviour.LOST,
        "95": Behaviour.ANSWER_TWICE,
        "96": Behaviour.ANSWER_LATE,
        "97": Behaviour.ANSWER_OTHERWISE,
        "98": Behaviour.SILENT,
    }
)
# A phone that nobody has linked to a bank.
NOBODY = "99"
FIRST_NAMES = ("Иван", "Мария", "Олег", "Анна", "Пётр", "Елена", "Семён", "Юлия")
INITIALS = "АБВГДЕКЛМНОПРСТФ"
BANKS = (("049999999", "Демонстрационный банк"), ("049999998", "Банк «Примерный»"))


class DemoGateway(PaymentGateway):
    """See the module's text; `behaviours` may be replaced by tests."""

    def __init__(self, behaviours: Mapping[str, Behaviour] = BEHAVIOURS) -> None:
        self.behaviours = behaviours
        self.waiting: list[DeliveredReply] = []

    @override
    def send(self, request: GatewayRequest) -> GatewayReply:
        behaviour = self.get_behaviour(request.target)
        accepted = build_acceptance(request)
        if behaviour in {Behaviour.ANSWER_TWICE, Behaviour.ANSWER_LATE}:
            self.waiting.append(DeliveredReply(request.operation_id, accepted))
        if behaviour == Behaviour.ANSWER_OTHERWISE:
            self.waiting.append(DeliveredReply(request.operation_id, build_refusal("recipient_unknown")))
        if behaviour == Behaviour.REFUSE:
            return build_refusal("recipient_unknown")
        if behaviour in {Behaviour.ACCEPT, Behaviour.ANSWER_TWICE, Behaviour.ANSWER_OTHERWISE}:
            return accepted
        if behaviour == Behaviour.LOST and request.attempt > 1:
            return accepted
        raise GatewayUnavailable

    @override
    def ask(self, request: GatewayRequest) -> GatewayReply | None:
        behaviour = self.get_behaviour(request.target)
        if behaviour == Behaviour.SILENT or (behaviour == Behaviour.TIME_OUT and request.attempt < 3):
            raise GatewayUnavailable
        if behaviour == Behaviour.LOST and request.attempt <= 2:
            return None
        if behaviour in {Behaviour.REFUSE, Behaviour.TIME_OUT_REFUSED}:
            return build_refusal("recipient_unknown")
        return build_acceptance(request)

    @override
    def take_answers(self) -> Sequence[DeliveredReply]:
        taken, self.waiting = self.waiting, []
        return taken

    @override
    def find_recipients(self, phone: str) -> Sequence[Recipient]:
        if phone.endswith(NOBODY):
            return ()
        seed = hashlib.sha256(phone.encode()).digest()
        name = f"{FIRST_NAMES[seed[0] % len(FIRST_NAMES)]} {INITIALS[seed[1] % len(INITIALS)]}."
        banks = BANKS if seed[2] % 2 else BANKS[:1]
        return tuple(Recipient(bik=bik, bank_name=bank, shown_name=name) for bik, bank in banks)

    def get_behaviour(self, target: str) -> Behaviour:
        return self.behaviours.get(target[-2:], Behaviour.ACCEPT)


def build_acceptance(request: GatewayRequest) -> GatewayReply:
    reference = hashlib.sha256(request.operation_id.bytes).hexdigest()[:16]
    return GatewayReply(answer=GatewayAnswer.ACCEPTED, reference=reference)


def build_refusal(reason: str) -> GatewayReply:
    return GatewayReply(answer=GatewayAnswer.REFUSED, reason=reason)

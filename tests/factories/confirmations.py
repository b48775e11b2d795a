"""Questions to customers, and phones that answer them."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.device_signatures import decode_base64url
from accounts.enums import BlockReason
from accounts.models import Account, Bill, Card, Customer, DeviceKey, DeviceSession, Payee
from accounts.services.device_keys import build_challenge, enroll_device_key
from accounts.services.idempotency import retry_transaction
from functions.bank.bills import BillPlan
from functions.bank.card_changes import BlockPlan
from functions.bank.own_transfers import OwnTransferPlan
from functions.bank.phone_transfers import PhoneTransferPlan
from functions.confirmations.asking import request_confirmation
from functions.confirmations.checking import Decision
from functions.confirmations.deciding import decide
from functions.confirmations.device_signatures import build_signed_text
from functions.confirmations.outcomes import Decided
from functions.enums import CallStatus, FunctionClass, Risk
from functions.models import Confirmation
from functions.naming import name_account, name_card
from functions.plans import Plan
from functions.registry import get_function
from tests.device import Device
from tests.factories.accounts import make_session
from tests.factories.functions import make_call
from tests.factories.ledger import NOW, build_context


@dataclass(frozen=True)
class Phone:
    """A signed-in device of a customer with an enrolled key."""

    session: DeviceSession
    device: Device
    row: DeviceKey

    def decide(
        self, confirmation: Confirmation, decision: str = "approve", *, now: datetime = NOW, **fields: Any
    ) -> Decided:
        """Send a decision as this phone would, in an act of its own."""
        sent = self.build_decision(confirmation, decision, **fields)
        return self.send(confirmation, sent, now=now)

    def send(self, confirmation: Confirmation, sent: Decision, *, now: datetime = NOW, **who: Any) -> Decided:
        values = {
            "customer_id": self.session.customer_id,
            "conversation_id": confirmation.conversation_id,
            "session_id": self.session.pk,
            "device_id": self.session.device_id,
        }
        return retry_transaction(partial(decide, build_context(), decision=sent, now=now, **{**values, **who}))

    def build_decision(self, confirmation: Confirmation, decision: str = "approve", **fields: Any) -> Decision:
        values = {
            "confirm": confirmation.pk,
            "decision": decision,
            "hash": confirmation.digest,
            "nonce": confirmation.nonce,
            "kid": self.row.kid,
            "sig": self.device.sign(build_signed_text(decision, bytes(confirmation.payload))),
        }
        return Decision(**{**values, **fields})


def make_phone(customer: Customer, device_id: str = "phone-1", *, now: datetime = NOW) -> Phone:
    """Return a phone whose password was given at `now`."""
    session = make_session(customer, device_id=device_id)
    DeviceSession.objects.filter(pk=session.pk).update(created_at=now, stepped_up_at=now)
    session.refresh_from_db()
    device = Device()
    challenge = build_challenge(session.pk, now)
    row = enroll_device_key(
        build_context(),
        session=session,
        public_key=device.key.public_key(),
        challenge=challenge,
        proof=decode_base64url(device.prove(challenge)),
        now=now,
    )
    return Phone(session, device, row)


def ask(
    name: str, plan: Plan, customer: Customer, *, conversation_id: UUID | None = None, now: datetime = NOW
) -> Confirmation:
    """Return the question that a call of the function `name` with this plan leads to."""
    function = get_function(name)
    assert function is not None
    place = {"conversation_id": conversation_id} if conversation_id else {}
    call = make_call(
        customer,
        name=name,
        kind=FunctionClass(function.kind),
        version=function.version,
        status=CallStatus.WAITING,
        created_at=now,
        **place,
    )
    with transaction.atomic():
        return request_confirmation(build_context(), call=call, function=function, plan=plan, now=now)


def ask_own_transfer(
    source: Account,
    target: Account,
    minor: int = 50_000,
    *,
    now: datetime = NOW,
    conversation_id: UUID | None = None,
    **changes: Any,
) -> Confirmation:
    customer = get_holder(source)
    plan = OwnTransferPlan(
        **{
            "risk": Risk.LOW,
            "origins": ("amount:said",),
            "source": source.public_id,
            "source_name": name_account(source),
            "target": target.public_id,
            "target_name": name_account(target),
            "minor": minor,
            "fee_minor": 0,
            "currency": source.currency,
        }
        | changes
    )
    return ask("transfer_between_own_accounts", plan, customer, conversation_id=conversation_id, now=now)


def ask_phone_transfer(
    source: Account, payee: Payee, minor: int = 50_000, *, now: datetime = NOW, **changes: Any
) -> Confirmation:
    plan = PhoneTransferPlan(
        **{
            "risk": Risk.MEDIUM,
            "source": source.public_id,
            "source_name": name_account(source),
            "target": payee.public_id,
            "target_name": payee.shown_name,
            "bank": payee.bank.name if payee.bank else "",
            "bik": payee.bank_id or "",
            "payee_digest": payee.target_digest,
            "minor": minor,
            "fee_minor": 0,
            "currency": source.currency,
        }
        | changes
    )
    return ask("transfer_by_phone", plan, get_holder(source), now=now)


def ask_bill(source: Account, bill: Bill, *, now: datetime = NOW) -> Confirmation:
    plan = BillPlan(
        risk=Risk.LOW,
        source=source.public_id,
        source_name=name_account(source),
        target=bill.public_id,
        target_name=bill.biller.name,
        minor=bill.amount_minor,
        fee_minor=0,
        currency=bill.currency,
    )
    return ask("pay_bill", plan, get_holder(source), now=now)


def ask_block(card: Card, *, now: datetime = NOW) -> Confirmation:
    plan = BlockPlan(risk=Risk.NONE, card_id=card.public_id, card_name=name_card(card), reason=BlockReason.LOST)
    return ask("block_card", plan, get_holder(card.account), now=now)


def get_holder(account: Account) -> Customer:
    assert account.customer is not None
    return account.customer

"""Conversations and turns for tests, made by the services themselves; no surprises in defaults."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from accounts.models import Customer, DeviceSession
from audit.context import AuditContext
from audit.enums import ActorKind, Origin
from chat.enums import BusyPolicy
from chat.models import AssistantProfile, ConversationEvent, Turn
from chat.services.claims import ClaimedRun, claim_runs
from chat.services.slots import prepare_slots
from chat.services.turns import AcceptedTurn, Submission, start_turn
from tests.factories.accounts import make_customer

QUESTION = "Какой сегодня курс евро?"
ENGINE = "engine-under-test"


def make_context(customer: Customer) -> AuditContext:
    return AuditContext(actor_kind=ActorKind.CUSTOMER, actor_id=str(customer.pk), origin=Origin.WEBSOCKET)


def make_submission(
    *,
    mid: UUID | None = None,
    text: str = QUESTION,
    busy: BusyPolicy = BusyPolicy.REJECT,
    is_new: bool = True,
    file_ids: tuple[UUID, ...] = (),
    session: DeviceSession | None = None,
) -> Submission:
    return Submission(
        mid=mid or uuid4(),
        text=text,
        device_id=session.device_id if session else "phone-a",
        session_id=session.pk if session else None,
        busy=busy,
        is_new=is_new,
        file_ids=file_ids,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A customer's question and the conversation it opened."""

    customer: Customer
    conversation_id: UUID
    accepted: AcceptedTurn

    @property
    def turn(self) -> Turn:
        return Turn.objects.get(pk=self.accepted.turn_id)


def ask(
    customer: Customer | None = None,
    *,
    conversation_id: UUID | None = None,
    text: str = QUESTION,
    file_ids: tuple[UUID, ...] = (),
    session: DeviceSession | None = None,
    busy: BusyPolicy = BusyPolicy.QUEUE,
) -> Asked:
    """Submit a question; the conversation is opened when it is new.

    session  of the device that asks; without one the model may call only what is public
    """
    prepare_slots()
    asker = customer or make_customer()
    key = conversation_id or uuid4()
    accepted = start_turn(
        make_context(asker),
        customer_id=asker.pk,
        conversation_id=key,
        submission=make_submission(text=text, busy=busy, file_ids=file_ids, session=session),
    )
    return Asked(asker, key, accepted)


def claim_one(engine: str = ENGINE) -> ClaimedRun:
    """Claim exactly one turn."""
    [claimed] = claim_runs(engine, capacity=1)
    return claimed


def make_claimed(*, model: str = "GigaChat-2", seq: int = 3) -> ClaimedRun:
    """Return a claim that no database knows."""
    return ClaimedRun(
        turn_id=uuid4(),
        run_id=uuid4(),
        conversation_id=uuid4(),
        customer_id=uuid4(),
        message_id=uuid4(),
        attempt=1,
        fence=7,
        model=model,
        seq=seq,
    )


def make_profile(**fields: Any) -> AssistantProfile:
    """Store a default profile."""
    return AssistantProfile.objects.create(name="default", is_default=True, **fields)


def list_event_types(conversation_id: UUID) -> list[str]:
    return list(
        ConversationEvent.objects.filter(conversation_id=conversation_id).order_by("seq").values_list("type", flat=True)
    )

"""Calls as the engine makes them, for tests."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from accounts.models import Customer, DeviceSession
from audit.context import build_system_context
from audit.enums import Origin
from audit.models import AuditEntry
from functions.calls import CallRequest, CallResult
from functions.dispatch import Evaluation, evaluate_call, record_call
from functions.registry import REGISTRY, Registry
from tests.factories.accounts import make_customer, make_session


class Caller:
    """One customer's assistant in one turn."""

    def __init__(self, registry: Registry = REGISTRY, *, customer: Customer | None = None) -> None:
        self.registry = registry
        self.customer = customer or make_customer()
        self.session: DeviceSession | None = make_session(self.customer)
        self.conversation_id, self.turn_id = uuid4(), uuid4()
        self.now = timezone.now()
        self.step = 0

    def build_request(self, name: str, arguments: Any = "", **changes: Any) -> CallRequest:
        self.step += 1
        facts: dict[str, Any] = {
            "customer_id": self.customer.pk,
            "session_id": self.session.pk if self.session else None,
            "device_id": "phone",
            "conversation_id": self.conversation_id,
            "turn_id": self.turn_id,
            "step": self.step,
            "name": name,
            "arguments": arguments,
            "deadline": self.now + timedelta(seconds=60),
        }
        return CallRequest(**facts | changes)

    def evaluate(self, name: str, arguments: Any = "", **changes: Any) -> Evaluation:
        return evaluate_call(self.build_request(name, arguments, **changes), now=self.now, registry=self.registry)

    def call(self, name: str, arguments: Any = "", **changes: Any) -> CallResult:
        evaluation = self.evaluate(name, arguments, **changes)
        with transaction.atomic():
            return record_call(build_context(), evaluation, now=self.now)


def build_context() -> Any:
    return build_system_context(Origin.ENGINE, "engine")


def list_actions(turn_id: UUID) -> list[str]:
    return list(AuditEntry.objects.filter(turn_id=turn_id).order_by("pk").values_list("action", flat=True))

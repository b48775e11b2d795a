"""Call one function as a customer's assistant would: the real executor, recorded like every other call.

Reads are answered, immediate actions are carried out. What needs the customer's yes is only asked, and withdrawn at
once: nobody could answer in a conversation that no phone has open. Handles of an answer are known to the next call
that names its conversation.
"""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from typing_extensions import override

from accounts.models import Customer
from accounts.selectors.sessions import find_customer
from audit.context import build_system_context
from audit.enums import Origin
from functions.calls import CallRequest, CallResult
from functions.confirmations.asking import list_open_confirmations
from functions.confirmations.closing import close_pending
from functions.dispatch import evaluate_call, record_call
from functions.enums import CallStatus, ConfirmationState
from functions.registry import SCOPES

TURN_SECONDS = 60


class Command(BaseCommand):
    help = "Call a function for a customer and print what the model would be told; exit 1 unless it is ok or waiting."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customer", required=True, help="login name or id of the customer")
        parser.add_argument("--name", required=True, help="name of the function")
        parser.add_argument("--args", dest="arguments", default="{}", help="arguments as one JSON object")
        parser.add_argument("--conversation", type=UUID, help="go on with the conversation of an earlier call")
        parser.add_argument("--text", action="append", default=[], help="what the customer wrote; may be repeated")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        request = build_request(take_customer(options["customer"]), options)
        found = call(request)
        self.stderr.write(f"conversation {request.conversation_id}")
        self.stdout.write(found.result or describe_question(found))
        if found.status not in {CallStatus.OK, CallStatus.WAITING}:
            raise CommandError(f"{found.name}: {found.status}", returncode=1)


def take_customer(text: str) -> Customer:
    """Raises: CommandError when there is no such customer"""
    try:
        found = Customer.objects.filter(pk=UUID(text)).first()
    except ValueError:
        found = find_customer(text)
    if found is None:
        raise CommandError(f"there is no customer {text}")
    return found


def build_request(customer: Customer, options: dict[str, Any]) -> CallRequest:
    """Raises: CommandError for a conversation in which the customer is asked something: that question must stand"""
    conversation_id = options["conversation"] or uuid4()
    if conversation_id in list_open_confirmations([conversation_id]):
        raise CommandError("the customer is asked something in this conversation")
    return CallRequest(
        customer_id=customer.pk,
        session_id=None,
        device_id="command",
        conversation_id=conversation_id,
        turn_id=uuid4(),
        step=1,
        name=options["name"],
        arguments=options["arguments"],
        customer_texts=tuple(options["text"]),
        deadline=timezone.now() + timedelta(seconds=TURN_SECONDS),
    )


def call(request: CallRequest) -> CallResult:
    """Return what the call led to; recorded, and no question is left open."""
    context = build_system_context(Origin.COMMAND, "call_function")
    now = timezone.now()
    # Whoever may run commands on the server needs no session of the customer's.
    evaluation = evaluate_call(request, now=now, scopes=SCOPES)
    with transaction.atomic(durable=True):
        found = record_call(context, evaluation, now=now)
        state = ConfirmationState.CANCELLED
        close_pending(context, conversation_id=request.conversation_id, state=state, now=now)
    return found


def describe_question(found: CallResult) -> str:
    """Return the terms the customer would be asked about."""
    return bytes(found.confirmation.payload).decode() if found.confirmation else ""

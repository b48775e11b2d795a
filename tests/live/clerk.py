"""Somebody with access to the bank's database, as a process of its own: JSON lines in, JSON lines out.

Black-box tests ask it for what a phone cannot do (a new customer, a token that is nearly over) or see (rows, audit
entries). It runs on the product's own settings and database, so the tests' process needs neither.
"""

import json
import os
import sys
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import django
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assistant_project.settings")
    django.setup()

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from accounts.device_signatures import decode_base64url
from accounts.enums import AccountKind
from accounts.models import Account, Customer, DeviceSession
from accounts.services.device_keys import build_challenge, enroll_device_key
from accounts.services.sessions import close_session
from accounts.tokens import issue_access_token
from audit.context import AuditContext, build_system_context
from audit.enums import ActorKind, Origin
from audit.models import AuditEntry
from chat.models import Conversation, ConversationEvent, Turn
from chat.protocol import events
from chat.services.turns import Submission, start_turn
from chat.stream import append_events, lock_conversation
from tests.device import Device as SigningDevice
from tests.factories.ledger import make_account


def migrate() -> None:
    call_command("migrate", verbosity=0)


def add_customer(username: str = "", password: str = "") -> str:
    """Return the id of a new customer; without a password only `add_session` lets a phone in."""
    user = User.objects.create(username=username or uuid4().hex)
    if password:
        user.set_password(password)
        user.save(update_fields=["password"])
    customer = Customer.objects.create(user=user, first_name="Анна", last_name="Ветрова", created_at=timezone.now())
    return str(customer.pk)


def open_accounts(customer: str, minor: int) -> dict[str, str]:
    """Give the customer a current account with `minor` kopecks and an empty savings account; return their ids."""
    holder = Customer.objects.get(pk=UUID(customer))
    now = timezone.now()
    current = make_account(holder, balance=minor, now=now)
    savings = make_account(holder, kind=AccountKind.SAVINGS, now=now)
    Account.objects.filter(pk=savings.pk).update(title="Накопительный")
    return {"current": str(current.public_id), "savings": str(savings.public_id)}


def add_session(customer: str, device: str) -> str:
    now = timezone.now()
    session = DeviceSession.objects.create(
        customer_id=UUID(customer),
        device_id=device,
        created_at=now,
        last_used_at=now,
        expires_at=now + timedelta(days=1),
    )
    return str(session.pk)


def issue_token(session: str, seconds: int) -> str:
    """Return an access token of the session that ends in `seconds`, or ended that long ago."""
    row = DeviceSession.objects.get(pk=UUID(session))
    now = timezone.now() + timedelta(seconds=seconds - settings.ACCESS_TOKEN_SECONDS)
    return issue_access_token(row, now).token


def read_balances(customer: str) -> list[int]:
    """Return what is booked on the customer's accounts in kopecks, in the order they were opened."""
    rows = Account.objects.filter(customer_id=UUID(customer)).order_by("pk")
    return [account.booked.minor for account in rows]


def enrol_key(session: str) -> dict[str, str]:
    """Give the session's device a key; return its name and the key itself."""
    row = DeviceSession.objects.get(pk=UUID(session))
    device, now = SigningDevice(), timezone.now()
    challenge = build_challenge(row.pk, now)
    key = enroll_device_key(
        build_system_context(Origin.COMMAND, "clerk"),
        session=row,
        public_key=device.key.public_key(),
        challenge=challenge,
        proof=decode_base64url(device.prove(challenge)),
        now=now,
    )
    pem = device.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"kid": key.kid, "pem": pem.decode()}


def sign_out(session: str) -> None:
    close_session(build_system_context(Origin.COMMAND, "clerk"), session_id=UUID(session))


def ask_questions(customers: int, each: int) -> None:
    """Queue questions of many customers, every one in a conversation of its own."""
    for number in range(customers):
        customer_id = UUID(add_customer())
        context = AuditContext(actor_kind=ActorKind.CUSTOMER, actor_id=str(customer_id), origin=Origin.WEBSOCKET)
        for turn in range(each):
            question = Submission(mid=uuid4(), text=f"Что такое вклад? {number}.{turn}", device_id="d", is_new=True)
            start_turn(context, customer_id=customer_id, conversation_id=uuid4(), submission=question)


def count_turns() -> dict[str, int]:
    """Return how many turns there are in each state."""
    return dict(Turn.objects.order_by().values_list("state").annotate(Count("pk")))


def list_turns(conversation: str) -> list[dict[str, str]]:
    rows = Turn.objects.filter(conversation_id=UUID(conversation)).order_by("accepted_at")
    return [{"id": str(row.pk), "state": row.state, "mid": str(row.mid)} for row in rows]


def list_log(conversation: str) -> list[list[Any]]:
    rows = ConversationEvent.objects.filter(conversation_id=UUID(conversation)).order_by("seq")
    return [list(row) for row in rows.values_list("seq", "type", "body")]


def list_actions(customer: str) -> list[str]:
    """Return the audit actions that concern a customer, oldest first."""
    entries = AuditEntry.objects.filter(customer_id=UUID(customer)).order_by("id")
    return [str(action) for action in entries.values_list("action", flat=True)]


def rename_epoch(conversation: str, epoch: str) -> None:
    """Give the log another epoch, as a restore from a backup does."""
    Conversation.objects.filter(pk=UUID(conversation)).update(epoch=epoch)


@transaction.atomic
def fill_conversation(customer: str, count: int, size: int) -> dict[str, str]:
    """Return id and epoch of a new conversation whose log holds `count` events of `size` characters."""
    now = timezone.now()
    row = Conversation.objects.create(customer_id=UUID(customer), created_at=now, last_turn_at=now)
    conversation = lock_conversation(row.pk)
    message = uuid4()
    snapshot = events.MessageSnapshot(msg=message, attempt=1, text="x" * size)
    append_events(conversation, [events.encode(snapshot) for _ in range(count)], turn_id=None)
    return {"c": str(row.pk), "e": conversation.epoch}


def cut_connections() -> int:
    """End every other connection to the database, as its restart does; return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


ACTS = {
    act.__name__: act
    for act in (
        migrate,
        add_customer,
        open_accounts,
        add_session,
        issue_token,
        read_balances,
        enrol_key,
        sign_out,
        ask_questions,
        count_turns,
        list_turns,
        list_log,
        list_actions,
        rename_epoch,
        fill_conversation,
        cut_connections,
    )
}


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        answer = ACTS[order["act"]](**order["arguments"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

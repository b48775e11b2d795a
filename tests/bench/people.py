"""Customers with a signed-in device and a conversation each, written straight to the database; run as a child.

`python -m tests.bench.people COUNT FILE`, with the settings of the server under test in the environment; FILE gets a
JSON list of `Person`. Signing in by HTTP would measure password hashing, which is slow on purpose.
"""

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assistant_project.settings")
django.setup()

# The apps must be loaded before anything of theirs is imported.
from django.contrib.auth.models import User  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Customer, DeviceSession  # noqa: E402
from accounts.tokens import issue_access_token  # noqa: E402
from chat.models import Conversation  # noqa: E402


def make_people(count: int) -> list[dict[str, str]]:
    now = timezone.now()
    users = User.objects.bulk_create(User(username=f"bench{number}", password="!") for number in range(count))
    customers = Customer.objects.bulk_create(
        Customer(user=user, first_name="Анна", last_name="Ветрова", phone="+70000000001", created_at=now)
        for user in users
    )
    sessions = DeviceSession.objects.bulk_create(
        DeviceSession(
            customer=customer,
            device_id=f"device-{number}",
            created_at=now,
            last_used_at=now,
            expires_at=now + timedelta(days=1),
        )
        for number, customer in enumerate(customers)
    )
    conversations = Conversation.objects.bulk_create(
        Conversation(customer=customer, created_at=now, last_turn_at=now) for customer in customers
    )
    return [
        {
            "token": issue_access_token(session, now).token,
            "device_id": session.device_id,
            "conversation_id": str(conversation.pk),
            "epoch": conversation.epoch,
        }
        for session, conversation in zip(sessions, conversations, strict=True)
    ]


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(make_people(int(sys.argv[1]))), encoding="utf-8")

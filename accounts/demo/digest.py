"""What the demo's data is, in one line: a SHA-256 over natural keys in their own order, never over ids. Pure reads."""

import hashlib
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from accounts.models import Account, AccountLine, Bill, Card, Customer, Operation, Payee, ScheduledPayment, Subscription

CUSTOMER = (
    "user__username",
    "first_name",
    "patronymic",
    "last_name",
    "birth_date",
    "inn",
    "phone",
    "zone",
)
ACCOUNT = (
    "bank_id",
    "number",
    "kind",
    "currency",
    "title",
    "status",
    "overdraft_limit",
    "debits_posted",
    "credits_posted",
    "debits_pending",
    "credits_pending",
)
CARD = ("account__number", "bin", "last4", "status", "expires_on")
PAYEE = ("customer__user__username", "kind", "target_hint", "bank_id", "shown_name")
BILL = ("biller__code", "reference", "period_start", "amount_minor", "due_on", "status")
SCHEDULE = ("customer__user__username", "title", "amount_minor", "frequency", "next_on")
SUBSCRIPTION = ("account__number", "merchant", "amount_minor", "previous_minor", "increased_on", "next_on")
OPERATION = ("customer__user__username", "idem_key", "kind", "status", "created_at", "value_date", "description")
LINE = (
    "account__number",
    "booked_at",
    "operation__idem_key",
    "direction",
    "amount_minor",
    "status",
    "balance_after",
    "category",
    "mcc",
    "merchant",
    "counterparty_name",
    "counterparty_bank_id",
    "memo_untrusted",
)


def compute_digest(customers: QuerySet[Customer]) -> str:
    """Return the digest of everything these customers have."""
    digest = hashlib.sha256()
    for name, rows in list_parts(customers):
        for row in rows:
            digest.update(f"{name}\x1f{row}\n".encode())
    return digest.hexdigest()


def list_parts(customers: QuerySet[Customer]) -> Iterator[tuple[str, list[str]]]:
    """Yield the rows of each kind as texts, sorted."""
    ids = list(customers.values_list("pk", flat=True))
    parts: list[tuple[str, QuerySet[Any], tuple[str, ...]]] = [
        ("customer", Customer.objects.filter(pk__in=ids), CUSTOMER),
        ("account", Account.objects.filter(customer__in=ids), ACCOUNT),
        ("card", Card.objects.filter(account__customer__in=ids), CARD),
        ("payee", Payee.objects.filter(customer__in=ids), PAYEE),
        ("bill", Bill.objects.filter(customer__in=ids), BILL),
        ("scheduled", ScheduledPayment.objects.filter(customer__in=ids), SCHEDULE),
        ("subscription", Subscription.objects.filter(customer__in=ids), SUBSCRIPTION),
        ("operation", Operation.objects.filter(customer__in=ids), OPERATION),
        ("line", AccountLine.objects.filter(account__customer__in=ids), LINE),
    ]
    for name, rows, fields in parts:
        yield name, sorted("\x1f".join(map(str, row)) for row in rows.values_list(*fields).iterator())

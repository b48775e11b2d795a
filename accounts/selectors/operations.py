"""What an operation moved, read from its entries."""

from django.db.models import Max

from accounts.enums import LineDirection, LineStatus
from accounts.models import AccountLine, Operation, Payee
from accounts.money import Money


def read_amounts(operation: Operation) -> tuple[Money, Money]:
    """Return the amount an operation of the customer is about and its fee, held or posted; one query."""
    entries = list(operation.entries.filter(resolves__isnull=True).order_by("seq"))
    principal = entries[0]
    fee = sum(entry.amount_minor for entry in entries[1:])
    return Money(principal.amount_minor, principal.currency), Money(fee, principal.currency)


def find_largest_payment(payee: Payee, currency: str) -> Money | None:
    """Return the most that ever reached the payee in one transfer; None when nothing did."""
    paid = AccountLine.objects.filter(
        operation__payee=payee, status=LineStatus.BOOKED, direction=LineDirection.OUT, currency=currency
    )
    most = paid.aggregate(most=Max("amount_minor"))["most"]
    return None if most is None else Money(most, currency)

"""Regular charges, noticed in a customer's lines and kept with the lines that prove them."""

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db import transaction

from accounts.enums import Frequency, LineDirection, LineStatus, OperationKind
from accounts.models import AccountLine, Customer, Subscription
from accounts.services.schedules import add_period

LEAST_CHARGES = 3
# Days between two charges: a month is 28 to 31, and weekends move charges by up to three days.
GAPS: Mapping[Frequency, tuple[int, int]] = {
    Frequency.WEEKLY: (6, 8),
    Frequency.MONTHLY: (25, 34),
    Frequency.YEARLY: (360, 371),
}
# A price may rise; what differs more from charge to charge is shopping.
MOST_CHANGES = 2
LOOK_BACK = timedelta(days=800)


@dataclass(frozen=True, slots=True)
class Charge:
    """One charge of a merchant."""

    line_pk: int
    day: date
    minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Regularity:
    """What a row of charges shows: how often, the price now, the price before the last increase."""

    frequency: Frequency
    minor: int
    previous_minor: int | None
    increased_on: date | None


@transaction.atomic
def derive_subscriptions(*, customer_id: UUID, today: date) -> list[Subscription]:
    """Rebuild the customer's subscriptions from card charges; stopped ones disappear.

    today  in the customer's zone
    """
    # One rebuild at a time for each customer.
    Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    found = []
    for (account_pk, merchant, currency), charges in group_charges(customer_id, today).items():
        regular = recognise_charges(charges)
        if regular is not None and not is_over(regular.frequency, charges[-1].day, today):
            found.append(keep_subscription(customer_id, account_pk, merchant, currency, regular, charges))
    Subscription.objects.filter(customer_id=customer_id).exclude(pk__in=[row.pk for row in found]).delete()
    return found


def group_charges(customer_id: UUID, today: date) -> dict[tuple[int, str, str], list[Charge]]:
    """Return card charges by account, merchant and currency, oldest first; one query."""
    rows = AccountLine.objects.filter(
        account__customer_id=customer_id,
        status=LineStatus.BOOKED,
        direction=LineDirection.OUT,
        operation__kind=OperationKind.CARD_PURCHASE,
        value_at__gte=today - LOOK_BACK,
    ).exclude(merchant="")
    groups: dict[tuple[int, str, str], list[Charge]] = defaultdict(list)
    fields = ("account_id", "merchant", "currency", "pk", "value_at", "amount_minor")
    for account_pk, merchant, currency, pk, day, minor in rows.order_by("booked_at", "pk").values_list(*fields):
        groups[account_pk, merchant, currency].append(Charge(pk, day, minor))
    return groups


def recognise_charges(charges: Sequence[Charge]) -> Regularity | None:
    """Return how regular these charges are; None when they are not. Pure."""
    if len(charges) < LEAST_CHARGES:
        return None
    gaps = [(later.day - earlier.day).days for earlier, later in itertools.pairwise(charges)]
    fitting = [kind for kind, (least, most) in GAPS.items() if all(least <= gap <= most for gap in gaps)]
    changes = [pair for pair in itertools.pairwise(charges) if pair[0].minor != pair[1].minor]
    if not fitting or len(changes) > MOST_CHANGES:
        return None
    rises = [(earlier, later) for earlier, later in changes if later.minor > earlier.minor]
    return Regularity(
        frequency=fitting[0],
        minor=charges[-1].minor,
        previous_minor=rises[-1][0].minor if rises else None,
        increased_on=rises[-1][1].day if rises else None,
    )


def is_over(frequency: Frequency, last: date, today: date) -> bool:
    """Tell whether the next charge is so late that the subscription must have ended."""
    return (today - last).days > 2 * GAPS[frequency][1]


def keep_subscription(
    customer_id: UUID,
    account_pk: int,
    merchant: str,
    currency: str,
    regular: Regularity,
    charges: Sequence[Charge],
) -> Subscription:
    last = charges[-1].day
    subscription, _ = Subscription.objects.update_or_create(
        account_id=account_pk,
        merchant=merchant,
        defaults={
            "customer_id": customer_id,
            "amount_minor": regular.minor,
            "currency": currency,
            "frequency": regular.frequency,
            "last_charged_on": last,
            "next_on": add_period(regular.frequency, last, day=last.day),
            "previous_minor": regular.previous_minor,
            "increased_on": regular.increased_on,
        },
    )
    subscription.evidence.set([charge.line_pk for charge in charges])
    return subscription

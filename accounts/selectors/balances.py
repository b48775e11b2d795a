"""Balances, now and in the past. Three are never mixed up:

booked     what was posted (ISO 20022: ITBD)
available  what may be spent: booked minus open holds plus overdraft (ITAV)
expected   what will be booked when every open hold is posted: booked plus incoming minus outgoing holds (XPCD)
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from accounts.enums import EntryPhase, LineStatus
from accounts.local_days import DEFAULT_ZONE, get_day_end
from accounts.models import Account, AccountLine, Entry
from accounts.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The balances of one account at `as_of`, and what is held of it; `hold_count` counts outgoing holds."""

    as_of: datetime
    booked: Money
    available: Money
    expected: Money
    held_out: Money
    held_in: Money
    hold_count: int


def get_balance(account: Account, *, now: datetime) -> Balance:
    """Return the balances as the account row has them; one query, for the number of holds."""
    holds = find_open_holds(account).filter(debit=account) if account.held_out.minor else None
    return Balance(
        as_of=now,
        booked=account.booked,
        available=account.available,
        expected=account.expected,
        held_out=account.held_out,
        held_in=account.held_in,
        hold_count=holds.count() if holds is not None else 0,
    )


def get_balance_at(account: Account, *, moment: datetime) -> Balance:
    """Return the balances after everything up to and including `moment`; two queries.

    Booked is the balance of the last line then (the bank's own accounts have no lines: the sum of their entries);
    holds are those that were open then.
    """
    booked = sum_entries(account, moment) if account.customer_id is None else find_last_balance(account, moment)
    held_out, held_in, count = sum_holds(account, moment)
    currency = account.currency
    return Balance(
        as_of=moment,
        booked=Money(booked, currency),
        available=Money(booked - held_out + account.overdraft_limit, currency),
        expected=Money(booked + held_in - held_out, currency),
        held_out=Money(held_out, currency),
        held_in=Money(held_in, currency),
        hold_count=count,
    )


def get_balance_on(account: Account, *, day: date, zone: str = DEFAULT_ZONE) -> Balance:
    """Return the balances at the end of a local day."""
    return get_balance_at(account, moment=get_day_end(day, zone) - timedelta(microseconds=1))


def get_total_balance(customer_id: UUID, currency: str) -> Money:
    """Return the booked sum of the customer's accounts in one currency; one query."""
    total = Account.objects.filter(customer_id=customer_id, currency=currency).aggregate(
        total=Sum(F("credits_posted") - F("debits_posted"))
    )["total"]
    return Money(total or 0, currency)


def find_open_holds(account: Account, moment: datetime | None = None) -> QuerySet[Entry]:
    """Return the holds on the account that are open now, or were at `moment`."""
    holds = Entry.objects.filter(Q(debit=account) | Q(credit=account), phase=EntryPhase.PENDING)
    resolutions = Entry.objects.filter(resolves=OuterRef("pk"))
    if moment is not None:
        holds, resolutions = holds.filter(created_at__lte=moment), resolutions.filter(created_at__lte=moment)
    return holds.exclude(Exists(resolutions))


def find_last_balance(account: Account, moment: datetime) -> int:
    booked = AccountLine.objects.filter(account=account, status=LineStatus.BOOKED, booked_at__lte=moment)
    return booked.order_by("-booked_at", "-pk").values_list("balance_after", flat=True).first() or 0


def sum_entries(account: Account, moment: datetime) -> int:
    """Return the booked balance as the sum of entries up to `moment`, on the account's side, in minor units."""
    posted = Q(phase__in=[EntryPhase.POSTED, EntryPhase.POST], created_at__lte=moment)
    sums = Entry.objects.filter(posted & (Q(debit=account) | Q(credit=account))).aggregate(
        debits=Sum("amount_minor", filter=Q(debit=account)), credits=Sum("amount_minor", filter=Q(credit=account))
    )
    balance = (sums["credits"] or 0) - (sums["debits"] or 0)
    return balance if account.is_liability else -balance


def sum_holds(account: Account, moment: datetime) -> tuple[int, int, int]:
    """Return outgoing and incoming holds open at `moment` in minor units, and how many were outgoing."""
    out_side = Q(debit=account) if account.is_liability else Q(credit=account)
    sums = find_open_holds(account, moment).aggregate(
        out=Sum("amount_minor", filter=out_side),
        incoming=Sum("amount_minor", filter=~out_side),
        count=Count("pk", filter=out_side),
    )
    return sums["out"] or 0, sums["incoming"] or 0, sums["count"]

"""Statement lines of a customer: search, totals and pages. Released holds (VOID) are never among them."""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from accounts.enums import Category, LineDirection, LineStatus
from accounts.folding import fold_text
from accounts.local_days import DEFAULT_ZONE, DateRange, get_day_end, get_day_start, to_local_date
from accounts.models import Account, AccountLine
from accounts.money import Money

SHOWN = (LineStatus.BOOKED, LineStatus.PENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFilter:
    """What to look for; everything given must hold. Days are local and included.

    account_ids            public ids; empty: every account of the customer
    text                   words found anywhere in merchant, counterparty and memo, in any case
    min_minor, max_minor   minor units, included
    """

    account_ids: tuple[UUID, ...] = ()
    days: DateRange | None = None
    text: str = ""
    categories: tuple[Category, ...] = ()
    direction: LineDirection | None = None
    min_minor: int | None = None
    max_minor: int | None = None
    statuses: tuple[LineStatus, ...] = SHOWN
    currency: str = ""
    zone: str = DEFAULT_ZONE


@dataclass(frozen=True, slots=True)
class LineCursor:
    """The last line of a page: the next page holds what is older."""

    booked_at: datetime
    line_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePage:
    """Lines, newest first, and where the next page starts; None on the last one."""

    lines: list[AccountLine]
    next: LineCursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTotals:
    """Number of lines and what came in and went out, one entry per currency."""

    count: int
    incoming: dict[str, Money] = field(default_factory=dict)
    outgoing: dict[str, Money] = field(default_factory=dict)


EVERYTHING = LineFilter()


def find_lines(customer_id: UUID, wanted: LineFilter = EVERYTHING) -> QuerySet[AccountLine]:
    """Return the customer's lines that pass the filter, newest first; another customer's accounts give nothing."""
    accounts = Account.objects.filter(customer_id=customer_id)
    if wanted.account_ids:
        accounts = accounts.filter(public_id__in=wanted.account_ids)
    rows = AccountLine.objects.filter(account__in=accounts, status__in=wanted.statuses)
    return rows.filter(build_condition(wanted)).order_by("-booked_at", "-pk")


def build_condition(wanted: LineFilter) -> Q:
    """Return everything of the filter that concerns the line itself."""
    found = Q()
    if wanted.days is not None:
        found &= Q(booked_at__gte=get_day_start(wanted.days.first, wanted.zone))
        found &= Q(booked_at__lt=get_day_end(wanted.days.last, wanted.zone))
    for word in fold_text(wanted.text).split():
        found &= Q(search_text__contains=word)
    if wanted.categories:
        found &= Q(category__in=wanted.categories)
    if wanted.direction is not None:
        found &= Q(direction=wanted.direction)
    if wanted.min_minor is not None:
        found &= Q(amount_minor__gte=wanted.min_minor)
    if wanted.max_minor is not None:
        found &= Q(amount_minor__lte=wanted.max_minor)
    if wanted.currency:
        found &= Q(currency=wanted.currency)
    return found


def list_lines(
    customer_id: UUID, wanted: LineFilter = EVERYTHING, *, limit: int = 20, after: LineCursor | None = None
) -> LinePage:
    """Return one page of the customer's lines with account, operation and bank loaded; two queries.

    Each account is read by its index, newest first, and no further than the page needs; all at once, every line of
    the customer would have to be sorted first.
    """
    accounts = Account.objects.filter(customer_id=customer_id)
    if wanted.account_ids:
        accounts = accounts.filter(public_id__in=wanted.account_ids)
    rows = AccountLine.objects.select_related("account", "operation", "counterparty_bank")
    rows = rows.filter(build_condition(wanted), status__in=wanted.statuses).order_by("-booked_at", "-pk")
    if after is not None:
        older = Q(booked_at__lt=after.booked_at) | Q(booked_at=after.booked_at, pk__lt=after.line_id)
        rows = rows.filter(older, booked_at__lte=after.booked_at)
    parts = [rows.filter(account=pk)[: limit + 1] for pk in accounts.order_by("pk").values_list("pk", flat=True)]
    if not parts:
        return LinePage(lines=[], next=None)
    merged = parts[0]
    if len(parts) > 1:
        merged = merged.union(*parts[1:], all=True).order_by("-booked_at", "-pk")[: limit + 1]
    found = list(merged)
    page = found[:limit]
    more = len(found) > limit
    return LinePage(lines=page, next=LineCursor(page[-1].booked_at, page[-1].pk) if more else None)


def sum_lines(customer_id: UUID, wanted: LineFilter = EVERYTHING) -> LineTotals:
    """Return the totals over every line that passes the filter, not only a page; one query."""
    rows = find_lines(customer_id, wanted).order_by().values("currency", "direction")
    sums = list(rows.annotate(total=Sum("amount_minor"), count=Count("pk")))
    totals = LineTotals(count=sum(row["count"] for row in sums))
    for row in sums:
        side = totals.incoming if row["direction"] == LineDirection.IN else totals.outgoing
        side[row["currency"]] = Money(row["total"], row["currency"])
    return totals


def list_statement_lines(account: Account, days: DateRange, *, zone: str = DEFAULT_ZONE) -> QuerySet[AccountLine]:
    """Return the booked lines of one account in the order they were posted, for a statement."""
    start, end = get_day_start(days.first, zone), get_day_end(days.last, zone)
    rows = AccountLine.objects.filter(
        account=account, status=LineStatus.BOOKED, booked_at__gte=start, booked_at__lt=end
    )
    return rows.select_related("operation", "counterparty_bank").order_by("booked_at", "pk")


def find_first_day(customer_id: UUID, *, zone: str = DEFAULT_ZONE) -> date | None:
    """Return the local day of the customer's first line."""
    first = AccountLine.objects.filter(account__customer_id=customer_id).order_by("booked_at").first()
    return None if first is None else to_local_date(first.booked_at, zone)

"""What a customer spent, by category, merchant or month, compared with the time before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import CharField, Count, F, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf, TruncMonth

from accounts.enums import Category, LineDirection
from accounts.money import Money
from accounts.selectors.lines import LineFilter, find_lines


class GroupBy(StrEnum):
    """What a summary has one group for."""

    CATEGORY = "category"
    MERCHANT = "merchant"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendingGroup:
    """One category (its code), merchant or month ("2026-11"); `previous` is the same group in the time before."""

    key: str
    total: Money
    count: int
    previous: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendingSummary:
    """Groups, largest first (months: in order); `other` is what did not fit, `total` is everything.

    previous_total  the same sum over `wanted.days.previous`; None when nothing was compared
    """

    groups: list[SpendingGroup]
    other: SpendingGroup | None
    total: Money
    count: int
    previous_total: Money | None = None


def summarise_spending(
    customer_id: UUID,
    wanted: LineFilter,
    *,
    group_by: GroupBy = GroupBy.CATEGORY,
    limit: int = 15,
    compares: bool = False,
) -> SpendingSummary:
    """Return what went out, own transfers left out, fees as a category; one query, two when it compares.

    One currency is summed: `wanted.currency`, by default RUB. Open holds count as spent; refunds are not deducted.

    Raises: ValueError when it is to compare without `wanted.days`
    """
    wanted = replace(wanted, direction=LineDirection.OUT, currency=wanted.currency or "RUB")
    sums = sum_groups(customer_id, wanted, group_by)
    before = None
    if compares:
        if wanted.days is None:
            raise ValueError("there is nothing to compare without days")
        before = sum_groups(customer_id, replace(wanted, days=wanted.days.previous), group_by)
    by_size = sorted(sums.items(), key=lambda item: (-item[1][0], item[0]))
    shown, rest = by_size[:limit], by_size[limit:]
    if group_by == GroupBy.MONTH:
        shown.sort()
    currency = wanted.currency
    return SpendingSummary(
        groups=[build_group(key, found, before, currency) for key, found in shown],
        other=build_rest(rest, currency) if rest else None,
        total=Money(sum(total for total, _ in sums.values()), currency),
        count=sum(count for _, count in sums.values()),
        previous_total=None if before is None else Money(sum(total for total, _ in before.values()), currency),
    )


def sum_groups(customer_id: UUID, wanted: LineFilter, group_by: GroupBy) -> dict[str, tuple[int, int]]:
    """Return {group: (minor units, number of lines)}; one query."""
    keys: Mapping[GroupBy, Combinable] = {
        GroupBy.CATEGORY: F("category"),
        GroupBy.MERCHANT: Coalesce(NullIf("merchant", Value("")), "counterparty_name", output_field=CharField()),
        GroupBy.MONTH: TruncMonth("booked_at", tzinfo=ZoneInfo(wanted.zone)),
    }
    rows = find_lines(customer_id, wanted).exclude(category=Category.OWN_TRANSFERS).order_by()
    found = rows.annotate(key=keys[group_by]).values("key").annotate(total=Sum("amount_minor"), number=Count("pk"))
    is_month = group_by == GroupBy.MONTH
    return {f"{row['key']:%Y-%m}" if is_month else row["key"]: (row["total"], row["number"]) for row in found}


def build_group(
    key: str, found: tuple[int, int], before: Mapping[str, tuple[int, int]] | None, currency: str
) -> SpendingGroup:
    previous = None if before is None else Money(before.get(key, (0, 0))[0], currency)
    return SpendingGroup(key=key, total=Money(found[0], currency), count=found[1], previous=previous)


def build_rest(rest: list[tuple[str, tuple[int, int]]], currency: str) -> SpendingGroup:
    total = sum(found[0] for _, found in rest)
    return SpendingGroup(key="", total=Money(total, currency), count=sum(found[1] for _, found in rest))

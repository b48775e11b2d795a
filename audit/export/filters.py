"""Which entries an export or a list holds; the same reading of options for the command and for the staff site."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.enums import AuditAction
from audit.errors import ExportRefused
from audit.models import AuditEntry

OPTIONS: Final = ("from", "to", "customer", "action", "conversation")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Entries whose act lies in [since, until), of one customer, action and conversation; None means all."""

    since: datetime | None = None
    until: datetime | None = None
    customer_id: UUID | None = None
    action: AuditAction | None = None
    conversation_id: UUID | None = None


def parse_filter(options: Mapping[str, str]) -> EntryFilter:
    """Read the texts a person gave for `OPTIONS`; empty and missing mean "all".

    from, to   ISO 8601 date or time; without an offset it is UTC. A date as `to` includes that whole day, a time is
               the first moment left out.
    Raises: ExportRefused, naming the option
    """
    chosen = EntryFilter(
        since=parse_moment("from", options.get("from", "")),
        until=parse_moment("to", options.get("to", ""), day_offset=1),
        customer_id=parse_id("customer", options.get("customer", "")),
        action=parse_action(options.get("action", "")),
        conversation_id=parse_id("conversation", options.get("conversation", "")),
    )
    if chosen.since and chosen.until and chosen.since >= chosen.until:
        raise ExportRefused("from", _("must lie before the end of the period"))
    return chosen


def parse_moment(option: str, text: str, *, day_offset: int = 0) -> datetime | None:
    """Return the moment `text` names; a bare date is its midnight, `day_offset` days later."""
    text = text.strip()
    if not text:
        return None
    try:
        # Only a date has no part after its ten characters; datetime would read it as midnight.
        if len(text) <= len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), time.min, UTC) + timedelta(days=day_offset)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ExportRefused(
            option, _("expected an ISO date or time, such as 2026-01-31 or 2026-01-31T15:00:00Z")
        ) from None


def parse_id(option: str, text: str) -> UUID | None:
    text = text.strip()
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise ExportRefused(option, _("expected an id, such as 01890a5d-ac96-774b-bcce-b302099a8057")) from None


def parse_action(text: str) -> AuditAction | None:
    text = text.strip()
    if not text:
        return None
    try:
        return AuditAction(text)
    except ValueError:
        raise ExportRefused("action", _("expected one of: %s") % ", ".join(AuditAction.values)) from None


def select_entries(chosen: EntryFilter) -> QuerySet[AuditEntry]:
    """Return the entries of `chosen`, oldest first; every condition and the order are served by one index."""
    conditions = {
        "occurred_at__gte": chosen.since,
        "occurred_at__lt": chosen.until,
        "customer_id": chosen.customer_id,
        "action": chosen.action,
        "conversation_id": chosen.conversation_id,
    }
    given = {name: value for name, value in conditions.items() if value is not None}
    return AuditEntry.objects.filter(**given).order_by("occurred_at", "id")


def describe_filter(chosen: EntryFilter) -> dict[str, str]:
    """Return the filter as details of an audit entry; customer and conversation have columns of their own."""
    found = {
        "since": chosen.since.isoformat() if chosen.since else "",
        "until": chosen.until.isoformat() if chosen.until else "",
        "action": chosen.action.value if chosen.action else "",
    }
    return {name: value for name, value in found.items() if value}

"""Pages of a list addressed by the last row seen, not by number: no counting, no skipping, the same cost everywhere.

A list is ordered newest first by one time column and the primary key. A cursor names a row by these two values.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

RowT = TypeVar("RowT", bound=Model)
SEPARATOR = "~"


@dataclass(frozen=True, slots=True)
class Page(Generic[RowT]):
    """Rows newest first; `newer` and `older` are the cursors of the neighbouring pages, empty where there is none."""

    rows: list[RowT]
    newer: str
    older: str


@dataclass(frozen=True, slots=True)
class Keyset:
    """The order of a list: `time_field`, then primary key, both descending; an index must have this shape."""

    time_field: str

    @property
    def ordering(self) -> tuple[str, str]:
        return (f"-{self.time_field}", "-pk")

    def read_page(self, queryset: QuerySet[RowT], *, size: int, after: str = "", before: str = "") -> Page[RowT]:
        """Return the page of older rows after the cursor `after`, of newer rows before `before`, or the first one.

        Reads one row more than `size` to know whether another page follows. A cursor that cannot be read counts as
        absent: it was typed by hand.
        """
        newer_than, older_than = self.parse_cursor(queryset, before), self.parse_cursor(queryset, after)
        if newer_than is not None:
            rows = list(self.select_newer(queryset, newer_than)[: size + 1])
            has_newer, rows = len(rows) > size, rows[:size][::-1]
            return self.build_page(rows, has_newer=has_newer, has_older=bool(rows))
        chosen = queryset if older_than is None else self.select_older(queryset, older_than)
        rows = list(chosen.order_by(*self.ordering)[: size + 1])
        return self.build_page(rows[:size], has_newer=older_than is not None and bool(rows), has_older=len(rows) > size)

    def select_older(self, queryset: QuerySet[RowT], cursor: tuple[datetime, Any]) -> QuerySet[RowT]:
        """The first condition is the one an index can seek to; a plain OR would make it scan."""
        moment, key = cursor
        field = self.time_field
        return queryset.filter(Q(**{f"{field}__lte": moment}) & (Q(**{f"{field}__lt": moment}) | Q(pk__lt=key)))

    def select_newer(self, queryset: QuerySet[RowT], cursor: tuple[datetime, Any]) -> QuerySet[RowT]:
        moment, key = cursor
        field = self.time_field
        chosen = queryset.filter(Q(**{f"{field}__gte": moment}) & (Q(**{f"{field}__gt": moment}) | Q(pk__gt=key)))
        return chosen.order_by(field, "pk")

    def build_page(self, rows: list[RowT], *, has_newer: bool, has_older: bool) -> Page[RowT]:
        newer = self.build_cursor(rows[0]) if has_newer and rows else ""
        older = self.build_cursor(rows[-1]) if has_older and rows else ""
        return Page(rows, newer=newer, older=older)

    def build_cursor(self, row: Model) -> str:
        moment: datetime = getattr(row, self.time_field)
        return f"{moment.isoformat()}{SEPARATOR}{row.pk}"

    def parse_cursor(self, queryset: QuerySet[RowT], cursor: str) -> tuple[datetime, Any] | None:
        moment, separator, key = cursor.partition(SEPARATOR)
        if not separator:
            return None
        options = queryset.model._meta
        try:
            parsed = datetime.fromisoformat(moment)
            value = options.pk.to_python(key)
        except (ValueError, ValidationError):
            return None
        return None if parsed.tzinfo is None or value is None else (parsed, value)

"""Pages by keyset: a page starts after a row, not after a number of rows, so rows that come meanwhile move nothing.

A cursor names the last row of a page by its sort key and id, and the order it belongs to. It is opaque to phones but
no secret: what it points at is looked for among the customer's own rows only.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from accounts.api import problems
from accounts.api.problems import ApiError

Row = TypeVar("Row", bound=Model)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Ordering:
    """A total order of rows: by a time, then by id. `name` keeps cursors of different lists apart."""

    name: str
    field: str
    is_descending: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows in order; `next_cursor` is None on the last page."""

    rows: Sequence[Row]
    next_cursor: str | None


def read_page(rows: QuerySet[Row], ordering: Ordering, *, cursor: str, limit: int) -> Page[Row]:
    """Return the `limit` rows after `cursor` ("" for the first page) in one query.

    Raises: ApiError (request.invalid) when the cursor is not one of this list's.
    """
    sign = "-" if ordering.is_descending else ""
    rows = rows.order_by(f"{sign}{ordering.field}", f"{sign}pk")
    if cursor:
        rows = rows.filter(build_condition(ordering, *parse_cursor(cursor, ordering)))
    # One row more tells whether there is a next page.
    found = list(rows[: limit + 1])
    page = found[:limit]
    return Page(page, encode_cursor(page[-1], ordering) if len(found) > limit else None)


def build_condition(ordering: Ordering, moment: datetime, pk: UUID) -> Q:
    """Return "after this row", written so that PostgreSQL can start reading its index there."""
    comparison = "lt" if ordering.is_descending else "gt"
    field = ordering.field
    return Q(**{f"{field}__{comparison}e": moment}) & (
        Q(**{f"{field}__{comparison}": moment}) | Q(**{f"pk__{comparison}": pk})
    )


def encode_cursor(row: Model, ordering: Ordering) -> str:
    moment: datetime = getattr(row, ordering.field)
    micros = (moment - EPOCH) // MICROSECOND
    return base64.urlsafe_b64encode(f"{ordering.name}.{micros}.{row.pk.hex}".encode()).rstrip(b"=").decode()


def parse_cursor(cursor: str, ordering: Ordering) -> tuple[datetime, UUID]:
    """Return the sort key and id of the row that the cursor names.

    Raises: ApiError (request.invalid)
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        name, micros, pk = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").split(".")
        moment = EPOCH + int(micros) * MICROSECOND
        key = UUID(hex=pk)
    except (ValueError, OverflowError, binascii.Error):
        raise build_cursor_error() from None
    if name != ordering.name:
        raise build_cursor_error()
    return moment, key


def build_cursor_error() -> ApiError:
    return ApiError(problems.INVALID, message="not a cursor of this list", field="cursor")

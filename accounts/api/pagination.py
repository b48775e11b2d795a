"""Pages by keyset: a page starts after a row, so rows that come meanwhile neither repeat nor hide others.

A cursor names the last row of a page by its public id, the list, and what was asked of it: with other filters it is
refused. It is no secret: the row is looked for among the customer's own only.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from accounts.api import problems
from accounts.api.problems import ApiError

Row = TypeVar("Row", bound=Model)
DIGEST_BYTES = 6


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows in order; `next_cursor` is None on the last page."""

    rows: Sequence[Row]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class CursorScope:
    """The list a cursor belongs to and the filters it was read with."""

    name: str
    asked: Mapping[str, Any]

    @property
    def digest(self) -> bytes:
        body = json.dumps([self.name, sorted((key, str(value)) for key, value in self.asked.items())])
        return hashlib.sha256(body.encode()).digest()[:DIGEST_BYTES]


def encode_cursor(public_id: UUID, scope: CursorScope) -> str:
    return base64.urlsafe_b64encode(scope.digest + public_id.bytes).rstrip(b"=").decode()


def parse_cursor(cursor: str, scope: CursorScope) -> UUID:
    """Return the public id of the row that the cursor names.

    Raises: ApiError (request.invalid)
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise build_cursor_error() from None
    if len(raw) != DIGEST_BYTES + 16 or raw[:DIGEST_BYTES] != scope.digest:
        raise build_cursor_error()
    return UUID(bytes=raw[DIGEST_BYTES:])


def read_page(rows: QuerySet[Row], field: str, *, scope: CursorScope, cursor: str, limit: int) -> Page[Row]:
    """Return the `limit` rows after `cursor` ("" for the first page), the largest `field` first.

    rows   the customer's own, with a `public_id`; `field` never changes
    Two queries when there is a cursor, else one.

    Raises: ApiError (request.invalid)
    """
    chosen = rows.order_by(f"-{field}", "-pk")
    if cursor:
        last = find_last_row(rows, cursor, scope)
        value = getattr(last, field)
        older = Q(**{f"{field}__lt": value}) | Q(**{field: value, "pk__lt": last.pk})
        # The first condition is the one an index can seek to.
        chosen = chosen.filter(Q(**{f"{field}__lte": value}) & older)
    # One row more tells whether there is a next page.
    found = list(chosen[: limit + 1])
    page = found[:limit]
    more = len(found) > limit
    return Page(page, encode_cursor(read_public_id(page[-1]), scope) if more else None)


def find_last_row(rows: QuerySet[Row], cursor: str, scope: CursorScope) -> Row:
    """Return the customer's row that the cursor names.

    Raises: ApiError (request.invalid)
    """
    found = rows.filter(public_id=parse_cursor(cursor, scope)).first()
    if found is None:
        raise build_cursor_error()
    return found


def read_public_id(row: Model) -> UUID:
    public_id: UUID = getattr(row, "public_id")  # noqa: B009 - not every model has one
    return public_id


def build_cursor_error() -> ApiError:
    return ApiError(problems.INVALID, message="not a cursor of this list", field="cursor")

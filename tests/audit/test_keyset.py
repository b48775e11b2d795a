"""Pages follow one another without a hole or a double, also where many rows share one moment."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from audit.keyset import Keyset
from audit.models import AuditEntry
from tests.factories.audit import make_entry

KEYSET = Keyset("occurred_at")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def make_rows(number: int) -> list[UUID]:
    """Store rows of which every three share one moment; return their ids, newest first."""
    rows = [make_entry(occurred_at=NOON + timedelta(seconds=n // 3)) for n in range(number)]
    return [row.pk for row in sorted(rows, key=lambda row: (row.occurred_at, row.pk), reverse=True)]


@pytest.mark.django_db
@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 10, 11])
def test_pages_forth_and_back_hold_every_row_once_in_order(size: int) -> None:
    expected = make_rows(10)
    queryset = AuditEntry.objects.all()

    page = KEYSET.read_page(queryset, size=size)
    pages = [page]
    while page.older:
        page = KEYSET.read_page(queryset, size=size, after=page.older)
        pages.append(page)
    back = [page]
    while page.newer:
        page = KEYSET.read_page(queryset, size=size, before=page.newer)
        back.append(page)

    assert [row.pk for page in pages for row in page.rows] == expected
    assert {row.pk for page in back for row in page.rows} == set(expected)
    assert [row.pk for row in back[-1].rows][:1] == expected[:1]
    assert pages[0].newer == ""


@pytest.mark.django_db
def test_page_of_nothing_is_empty_and_alone() -> None:
    page = KEYSET.read_page(AuditEntry.objects.all(), size=3)

    assert (page.rows, page.newer, page.older) == ([], "", "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "~",
        "2026-01-31T12:00:00+00:00~",
        "2026-01-31T12:00:00~" + str(UUID(int=1)),
        "yesterday~" + str(UUID(int=1)),
    ],
)
def test_page_after_an_unreadable_cursor_is_the_first(cursor: str) -> None:
    expected = make_rows(2)

    page = KEYSET.read_page(AuditEntry.objects.all(), size=5, after=cursor)

    assert [row.pk for row in page.rows] == expected

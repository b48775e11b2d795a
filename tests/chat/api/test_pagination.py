import base64
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.api.problems import ApiError
from accounts.models import Customer
from chat.api.pagination import Ordering, encode_cursor, parse_cursor, read_page
from chat.models import Conversation
from tests.factories.accounts import make_customer

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 24, 9, 0, 0, 1, tzinfo=UTC)
NEWEST = Ordering("n", "last_turn_at", is_descending=True)
OLDEST = Ordering("o", "last_turn_at", is_descending=False)
MICROSECOND = timedelta(microseconds=1)


def add_conversations(customer: Customer, micros: list[int]) -> list[UUID]:
    rows = [
        Conversation(customer=customer, created_at=START, last_turn_at=START + number * MICROSECOND)
        for number in micros
    ]
    Conversation.objects.bulk_create(rows)
    return [row.pk for row in rows]


def read_all(customer: Customer, ordering: Ordering, *, limit: int, arrivals: list[list[int]]) -> list[UUID]:
    """Return the ids of all pages; before each further page the next of `arrivals` is inserted."""
    seen: list[UUID] = []
    cursor: str | None = ""
    waiting = iter(arrivals)
    while cursor is not None:
        page = read_page(Conversation.objects.filter(customer=customer), ordering, cursor=cursor, limit=limit)
        assert 0 < len(page.rows) <= limit or not seen
        seen.extend(row.pk for row in page.rows)
        cursor = page.next_cursor
        add_conversations(customer, next(waiting, []))
    return seen


@given(
    # Few distinct times, so that many rows share one.
    micros=st.lists(st.integers(0, 4), max_size=12),
    arrivals=st.lists(st.lists(st.integers(0, 9), max_size=3), max_size=6),
    limit=st.integers(1, 5),
    ordering=st.sampled_from([NEWEST, OLDEST]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_read_page_loses_and_doubles_nothing_while_rows_arrive(
    micros: list[int], arrivals: list[list[int]], limit: int, ordering: Ordering
) -> None:
    customer = make_customer()
    before = add_conversations(customer, micros)
    seen = read_all(customer, ordering, limit=limit, arrivals=arrivals)
    assert len(seen) == len(set(seen))
    sign = "-" if ordering.is_descending else ""
    everything = Conversation.objects.filter(customer=customer).order_by(f"{sign}last_turn_at", f"{sign}pk")
    order = list(everything.values_list("pk", flat=True))
    assert seen == sorted(seen, key=order.index)
    # What was there when the reading began is all there, and nothing of it twice.
    assert [key for key in seen if key in set(before)] == [key for key in order if key in set(before)]


@pytest.mark.parametrize("ordering", [NEWEST, OLDEST])
def test_read_page_that_ends_exactly_has_no_next_cursor(ordering: Ordering) -> None:
    customer = make_customer()
    add_conversations(customer, [1, 2, 3, 4])
    rows = Conversation.objects.filter(customer=customer)
    first = read_page(rows, ordering, cursor="", limit=2)
    assert first.next_cursor
    second = read_page(rows, ordering, cursor=first.next_cursor, limit=2)
    assert (len(first.rows), len(second.rows), second.next_cursor) == (2, 2, None)


def test_read_page_of_nothing_is_empty() -> None:
    page = read_page(Conversation.objects.none(), NEWEST, cursor="", limit=2)
    assert (list(page.rows), page.next_cursor) == ([], None)


@given(moment=st.datetimes(timezones=st.just(UTC)), key=st.uuids())
def test_parse_cursor_returns_what_was_encoded(moment: datetime, key: UUID) -> None:
    row = Conversation(pk=key, last_turn_at=moment)
    assert parse_cursor(encode_cursor(row, NEWEST), NEWEST) == (moment, key)


def encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


KEY = "0199f2c47a517c3e9d0a5b1f6a2e8c44"


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "ж",
        "===",
        "a b",
        encode("n.1"),
        encode(f"n.1.{KEY}.2"),
        encode(f"o.1.{KEY}"),
        encode(f"n.one.{KEY}"),
        encode("n.1.key"),
        encode(f"n.{10**30}.{KEY}"),
        encode(f"n.-{10**17}.{KEY}"),
        encode(f"n.{'9' * 5000}.{KEY}"),
    ],
)
def test_parse_cursor_of_another_list_or_of_nonsense_is_refused(cursor: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_cursor(cursor, NEWEST)
    assert (caught.value.problem.code, caught.value.field) == ("request.invalid", "cursor")


@given(st.text(max_size=60))
def test_parse_cursor_of_any_text_is_a_cursor_or_refused(text: str) -> None:
    with suppress(ApiError):
        assert parse_cursor(text, NEWEST)

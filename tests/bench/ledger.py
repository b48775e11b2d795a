"""`python -m tests.bench.ledger`: how fast the ledger posts and reads, on a database of its own.

    --workers 50 --seconds 15    own transfers, audit included, over random pairs
    --lines 250000               statement lines to read among; 0 leaves this part out

Needs TEST_DATABASE_URL (or starts a private PostgreSQL, as the tests do). The server's fsync setting is printed: a
figure with it off means nothing.
"""

import argparse
import random
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import django
from django.db import connection, connections, transaction

if __name__ == "__main__":
    import os

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()

from accounts.ledger_check import check_ledger
from accounts.local_days import DateRange
from accounts.models import Account, Customer
from accounts.selectors.balances import get_balance, get_balance_at
from accounts.selectors.lines import LineFilter, list_lines, sum_lines
from accounts.selectors.owned import access_account
from accounts.selectors.spending import GroupBy, summarise_spending
from accounts.services.accounts import open_bank_accounts
from accounts.services.transfers import submit_own_transfer
from tests.bench.report import say
from tests.factories.accounts import make_customer
from tests.factories.ledger import build_context, build_own_transfer, get_holder_id, make_account

LEAST_TRANSFERS_PER_SECOND = 60
MOST_MS = {"balance": 25, "search": 60, "summary": 120}
NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
HEAVY_LINES = 10_000
USUAL_LINES = 1_250
BATCH = 125
# Through the same triggers as every posting; only the statements are larger.
FILL = """
WITH made AS (
    INSERT INTO accounts_operation (public_id, kind, customer_id, status, source, idem_scope, idem_key, request_hash,
        value_date, created_at, description)
    SELECT gen_random_uuid(), 'card_purchase', %(customer)s, 'pending', 'card', 'bench', %(account)s || '-' || n,
        repeat('0', 64), (%(start)s + n * %(step)s)::date, %(start)s + n * %(step)s, ''
    FROM generate_series(%(first)s, %(last)s) n RETURNING id, created_at
)
SELECT count(*) FROM made
"""
ENTRIES = """
INSERT INTO accounts_entry (operation_id, seq, phase, debit_id, credit_id, amount_minor, currency, created_at)
SELECT id, 0, 'posted', %(account)s, %(clearing)s, 1000 + id %% 100000, 'RUB', created_at
FROM accounts_operation WHERE customer_id = %(customer)s AND status = 'pending' ORDER BY id
"""
LINES = """
INSERT INTO accounts_accountline (public_id, account_id, entry_id, operation_id, direction, amount_minor, currency,
    status, booked_at, value_at, balance_after, category, mcc, merchant, counterparty_name, memo_untrusted, search_text)
SELECT gen_random_uuid(), %(account)s, entry.id, operation.id, 'out', amount_minor, 'RUB', 'BOOK', entry.created_at,
    value_date, 0, (array['groceries', 'restaurants', 'transport', 'fees', 'health'])[1 + entry.id %% 5], '5411',
    'SHOP ' || entry.id %% 200, '', '', 'shop ' || entry.id %% 200
FROM accounts_entry entry JOIN accounts_operation operation ON operation.id = entry.operation_id
WHERE operation.customer_id = %(customer)s AND operation.status = 'pending' ORDER BY entry.id
"""
FINISH = "UPDATE accounts_operation SET status = 'posted' WHERE customer_id = %(customer)s AND status = 'pending'"


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of one kind of call."""

    p50: float
    p95: float


def measure_posting(workers: int, seconds: float) -> tuple[float, Timing]:
    """Return transfers per second and the time of one, over random pairs of 4 accounts of 50 customers."""
    holders = [[make_account(customer, balance=10**9) for _ in range(4)] for customer in make_customers(50)]
    start = threading.Barrier(workers)
    ends = threading.Event()

    def work(number: int) -> list[float]:
        chance = random.Random(number)
        taken = []
        connection.ensure_connection()
        start.wait()
        while not ends.is_set():
            source, target = chance.sample(chance.choice(holders), 2)
            order = build_own_transfer(source, target, chance.randint(1, 1000))
            begun = time.perf_counter()
            submit_own_transfer(build_context(), order=order, now=datetime.now(UTC))
            taken.append(time.perf_counter() - begun)
        connection.close()
        return taken

    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work, number) for number in range(workers)]
        time.sleep(seconds)
        ends.set()
        taken = [moment for future in futures for moment in future.result()]
    return len(taken) / seconds, summarise(taken)


def make_customers(count: int) -> list[Customer]:
    return [make_customer() for _ in range(count)]


def fill_lines(total: int) -> Account:
    """Write `total` lines: 10 000 of one customer, the rest of usual ones; return the heavy customer's account."""
    heavy: Account | None = None
    while total > 0:
        lines = min(total, USUAL_LINES if heavy else HEAVY_LINES)
        account = make_account(balance=10**13, now=NOW - timedelta(days=600))
        fill_account(account, lines)
        heavy = heavy or account
        total -= lines
    assert heavy is not None
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return heavy


def fill_account(account: Account, lines: int) -> None:
    """Write the lines in order of time, in small transactions: a row that is updated often in one gets slow."""
    clearing = Account.objects.get(code="clearing.card", currency="RUB")
    for first in range(0, lines, BATCH):
        values: dict[str, Any] = {
            "account": account.pk,
            "customer": get_holder_id(account),
            "clearing": clearing.pk,
            "first": first + 1,
            "last": min(lines, first + BATCH),
            "start": NOW - timedelta(days=540),
            "step": timedelta(days=540) / lines,
        }
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in (FILL, ENTRIES, LINES, FINISH):
                cursor.execute(statement, values)


def measure_reading(account: Account) -> dict[str, Timing]:
    """Return the time of what a customer asks most, on the customer with 10 000 lines."""
    holder, public_id = get_holder_id(account), account.public_id
    month = DateRange((NOW - timedelta(days=40)).date(), NOW.date())
    year = DateRange((NOW - timedelta(days=365)).date(), NOW.date())

    def read_balance() -> None:
        found = access_account(holder, public_id)
        get_balance(found, now=NOW)
        get_balance_at(found, moment=NOW - timedelta(days=100))

    def search() -> None:
        wanted = LineFilter(days=year, text="shop 17", min_minor=2_000)
        list_lines(holder, wanted)
        sum_lines(holder, wanted)

    def summarise_year() -> None:
        summarise_spending(holder, LineFilter(days=year), group_by=GroupBy.MERCHANT)
        summarise_spending(holder, LineFilter(days=month), group_by=GroupBy.CATEGORY, compares=True)

    acts = {"balance": read_balance, "search": search, "summary": summarise_year}
    return {name: measure_calls(act) for name, act in acts.items()}


def measure_calls(act: Callable[[], None], *, calls: int = 100) -> Timing:
    taken = []
    for _ in range(calls):
        begun = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begun)
    return summarise(taken)


def summarise(seconds: Sequence[float]) -> Timing:
    ordered = sorted(moment * 1000 for moment in seconds)
    return Timing(statistics.median(ordered), ordered[int(len(ordered) * 0.95)])


def read_fsync() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT version(), current_setting('fsync'), current_setting('synchronous_commit')")
        version, fsync, commit = cursor.fetchone()
    return f"{version.split(' (')[0]}, fsync {fsync}, synchronous_commit {commit}"


def main() -> int:
    """Measure and print; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ledger")
    parser.add_argument("--workers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--lines", type=int, default=250_000)
    given = parser.parse_args()
    connections.settings["default"]["OPTIONS"].pop("pool", None)
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        say(f"{read_fsync()}; database {name}")
        open_bank_accounts(build_context(), now=NOW - timedelta(days=700))
        met = [report_posting(given.workers, given.seconds)]
        met += report_reading(given.lines) if given.lines else []
        begun = time.perf_counter()
        findings = [finding for finding in check_ledger(now=datetime.now(UTC)) if finding.identity != "clearing"]
        say(f"ledger_check: {len(findings)} findings in {time.perf_counter() - begun:.1f} s")
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
    return 0 if all(met) and not findings else 1


def report_posting(workers: int, seconds: float) -> bool:
    rate, timing = measure_posting(workers, seconds)
    say(
        f"own transfers with {workers} workers: {rate:.0f}/s (at least {LEAST_TRANSFERS_PER_SECOND}), "
        f"p50 {timing.p50:.0f} ms, p95 {timing.p95:.0f} ms"
    )
    return rate >= LEAST_TRANSFERS_PER_SECOND


def report_reading(lines: int) -> list[bool]:
    begun = time.perf_counter()
    account = fill_lines(lines)
    say(f"{lines} lines written through the triggers in {time.perf_counter() - begun:.0f} s")
    met = []
    for name, timing in measure_reading(account).items():
        say(f"{name}: p50 {timing.p50:.1f} ms, p95 {timing.p95:.1f} ms (at most {MOST_MS[name]})")
        met.append(timing.p95 <= MOST_MS[name])
    return met


if __name__ == "__main__":
    raise SystemExit(main())

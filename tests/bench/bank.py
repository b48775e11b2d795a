"""`python -m tests.bench.bank`: what phones and staff ask of the bank, over HTTP in this process, among many lines.

    --lines 250000       statement lines to read among
    --customers 200      also write that many demo customers of 18 months; 0 leaves this part out

Like `tests.bench.ledger`, it makes a database of its own and prints whether PostgreSQL's fsync is on. A request counts
whole: token, session, permission, queries, JSON. What runs beside it on the machine is measured too.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import django
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

if __name__ == "__main__":
    import os

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()

from django.conf import settings

from accounts.demo.seeding import SeedPlan, seed_crowd
from accounts.models import Account, Operation
from accounts.services.accounts import open_bank_accounts
from tests.bench.ledger import NOW, Timing, fill_lines, measure_calls, read_fsync
from tests.bench.report import say
from tests.factories.accounts import make_bearer, make_staff
from tests.factories.ledger import build_context, get_holder_id

MOST_SEED_SECONDS = 60
SEEDED_MONTHS = 18


@dataclass(frozen=True, slots=True)
class Question:
    """One request; `most_ms` is the target of its 95th percentile, None where there is none."""

    name: str
    ask: Callable[[], Any]
    most_ms: float | None


def list_questions(account: Account) -> list[Question]:
    """Return what is asked, of the customer with the most lines."""
    customer = account.customer
    assert customer is not None
    phone, staff, headers = Client(), Client(), {"Authorization": make_bearer(customer)}
    officer = make_staff()
    officer.is_superuser = True
    officer.save(update_fields=["is_superuser"])
    staff.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")
    year = {"from": (NOW - timedelta(days=365)).date().isoformat(), "to": NOW.date().isoformat()}
    past = {"on": (NOW - timedelta(days=100)).date().isoformat()}
    operation = Operation.objects.filter(customer=get_holder_id(account)).latest("pk")

    def get(path: str, **query: Any) -> Callable[[], Any]:
        return lambda: phone.get(f"/api/v1/{path}", query, headers=headers)

    def look(path: str, **query: Any) -> Callable[[], Any]:
        return lambda: staff.get(f"/admin/accounts/{path}", query)

    own = f"accounts/{account.public_id}"
    cursor = phone.get("/api/v1/transactions", {"limit": 100}, headers=headers).json()["next_cursor"]
    return [
        Question("balance now", get(f"{own}/balance"), 25),
        Question("balance on a past day", get(f"{own}/balance", **past), 25),
        Question("list of accounts", get("accounts"), None),
        Question("transactions, first page", get("transactions"), 60),
        Question("transactions, second page of 100", get("transactions", limit=100, cursor=cursor), 60),
        Question("search by words, year, amount", get("transactions", text="shop 17", min_amount="20", **year), 60),
        Question("search that finds nothing", get("transactions", text="нет такого", **year), 60),
        Question("statement of a month as CSV", get(f"{own}/statement", format="csv", **build_month()), None),
        Question("statement of a month as PDF", get(f"{own}/statement", format="pdf", **build_month()), None),
        Question("staff: statement page", look("accountline/", account=account.public_id), None),
        Question("staff: operations of a customer", look("operation/", customer=customer.pk), None),
        Question("staff: all operations", look("operation/"), None),
        Question("staff: one operation", look(f"operation/{operation.public_id}/change/"), None),
    ]


def build_month() -> dict[str, str]:
    return {"from": (NOW - timedelta(days=30)).date().isoformat(), "to": NOW.date().isoformat()}


def report_question(question: Question) -> bool:
    """Measure, print, and return whether the target is met."""
    with CaptureQueriesContext(connection) as queries:
        response = question.ask()
    assert response.status_code == 200, (question.name, response.status_code)
    # The next request forgets them.
    count = len(queries)
    timing: Timing = measure_calls(question.ask, calls=60)
    target = f"(at most {question.most_ms:.0f})" if question.most_ms else ""
    say(f"{question.name:<36}{count:>3} queries  p50 {timing.p50:6.1f}  p95 {timing.p95:6.1f} ms {target}")
    return question.most_ms is None or timing.p95 <= question.most_ms


def report_seeding(customers: int) -> bool:
    begun, used = time.perf_counter(), time.process_time()
    plan = SeedPlan(seed=42, months=SEEDED_MONTHS, as_of=date(2026, 11, 1))
    outcome = seed_crowd(build_context(), plan, customers=customers, workers=2)
    seconds = time.perf_counter() - begun
    say(
        f"seed_demo: {customers} customers, {SEEDED_MONTHS} months, {outcome.lines} lines, {len(outcome.findings)} "
        f"findings: {seconds:.0f} s (at most {MOST_SEED_SECONDS} for 200), "
        f"of it Python {time.process_time() - used:.0f} s"
    )
    return not outcome.findings and seconds * 200 / customers <= MOST_SEED_SECONDS


def main() -> int:
    """Measure and print; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bank")
    parser.add_argument("--lines", type=int, default=250_000)
    parser.add_argument("--customers", type=int, default=0)
    given = parser.parse_args()
    connections.settings["default"]["OPTIONS"].pop("pool", None)
    settings.STAFF_OTP_REQUIRED = False
    settings.ALLOWED_HOSTS = ["testserver"]
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        say(f"{read_fsync()}; database {name}; {datetime.now(UTC):%Y-%m-%d}")
        met = [report_seeding(given.customers)] if given.customers else []
        open_bank_accounts(build_context(), now=NOW - timedelta(days=700))
        begun = time.perf_counter()
        account = fill_lines(given.lines)
        say(f"{given.lines} lines written through the triggers in {time.perf_counter() - begun:.0f} s")
        met += [report_question(question) for question in list_questions(account)]
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
    return 0 if all(met) else 1


if __name__ == "__main__":
    raise SystemExit(main())

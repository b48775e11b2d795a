"""`python -m tests.bench.functions`: what dispatch adds to a read handler's own time, among many statement lines.

    --lines 20000        statement lines of the customer asked for
    --calls 300          calls of each function

Added is all that is not the handler itself: session, limits, arguments, handles, the read-only transaction, the
envelope; then the call's row, its sealed arguments and two audit entries, with their commit. The database is one of its
own, like in `tests.bench.ledger`.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Any
from uuid import uuid4

import django
from django.db import connection, connections, transaction

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()

from accounts.models import Account
from accounts.services.accounts import open_bank_accounts
from functions.calls import CallRequest
from functions.dispatch import evaluate_call, record_call
from functions.enums import CallStatus
from functions.registry import Registry, list_functions
from tests.bench.ledger import NOW, fill_lines, read_fsync
from tests.bench.report import say
from tests.factories.accounts import make_session
from tests.factories.ledger import build_context

MOST_ADDED_MS = 3.0
ASKED: Mapping[str, dict[str, Any]] = {
    "list_accounts": {},
    "get_account_balance": {"account_id": "acc_1"},
    "search_transactions": {"period": "this_month"},
}


@dataclass(kw_only=True)
class Clocked:
    """Milliseconds of each call: the handler's own, and what was added before and after it.

    work  of what was added, this process's own computing; on a busy machine the rest is waiting for its turn
    """

    handler: list[float] = field(default_factory=list)
    handler_work: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    evaluating: list[float] = field(default_factory=list)
    recording: list[float] = field(default_factory=list)

    @property
    def added(self) -> list[float]:
        return [before + after for before, after in zip(self.evaluating, self.recording, strict=True)]


def clock_handler(handler: Callable[..., Any], clocked: Clocked) -> Callable[..., Any]:
    def call(ctx: Any, arguments: Any) -> Any:
        begun, worked = time.perf_counter(), time.process_time()
        try:
            return handler(ctx, arguments)
        finally:
            clocked.handler.append((time.perf_counter() - begun) * 1000)
            clocked.handler_work.append((time.process_time() - worked) * 1000)

    return call


class Bench:
    """One customer's conversation; each call is a turn of its own, ten seconds after the last."""

    def __init__(self, account: Account) -> None:
        assert account.customer is not None
        self.customer = account.customer
        self.session = make_session(self.customer)
        self.conversation_id = uuid4()
        self.now = datetime.now(UTC)

    def measure(self, name: str, calls: int) -> Clocked:
        clocked, registry = Clocked(), Registry()
        for function in list_functions():
            registry.add(function)
        registry.amend(name, handler=clock_handler(take(name).handler, clocked))
        for _ in range(calls):
            self.call(registry, name, clocked)
        return clocked

    def call(self, registry: Registry, name: str, clocked: Clocked) -> None:
        self.now += timedelta(seconds=11)
        request = CallRequest(
            customer_id=self.customer.pk,
            session_id=self.session.pk,
            device_id=self.session.device_id,
            conversation_id=self.conversation_id,
            turn_id=uuid4(),
            step=1,
            name=name,
            arguments=ASKED[name],
            deadline=self.now + timedelta(seconds=60),
        )
        begun, worked = time.perf_counter(), time.process_time()
        evaluation = evaluate_call(request, now=self.now, registry=registry)
        evaluated = time.perf_counter()
        with transaction.atomic(durable=True):
            result = record_call(build_context(), evaluation, now=self.now)
        recorded = time.perf_counter()
        clocked.work.append((time.process_time() - worked) * 1000 - clocked.handler_work[-1])
        assert result.status == CallStatus.OK, result.result_public
        clocked.evaluating.append((evaluated - begun) * 1000 - clocked.handler[-1])
        clocked.recording.append((recorded - evaluated) * 1000)


def take(name: str) -> Any:
    return next(function for function in list_functions() if function.name == name)


def report(name: str, clocked: Clocked) -> bool:
    """Print, and return whether the target is met."""
    added = read_p95(clocked.added)
    say(
        f"{name:<24}handler p95 {read_p95(clocked.handler):6.2f}  added p95 {added:5.2f} ms (at most {MOST_ADDED_MS:g})"
        f", p50 {median(clocked.added):5.2f}: evaluating {median(clocked.evaluating):5.2f},"
        f" recording {median(clocked.recording):5.2f}; own computing p50 {median(clocked.work):5.2f}"
    )
    return added <= MOST_ADDED_MS


def read_p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


def main() -> int:
    """Measure and print; return 1 when the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.functions")
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--calls", type=int, default=300)
    given = parser.parse_args()
    connections.settings["default"]["OPTIONS"].pop("pool", None)
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        say(f"{read_fsync()}; database {name}; {datetime.now(UTC):%Y-%m-%d}; load {os.getloadavg()[0]:.1f}")
        open_bank_accounts(build_context(), now=NOW - timedelta(days=700))
        bench = Bench(fill_lines(given.lines))
        for asked in ASKED:
            bench.measure(asked, 20)
        met = [report(asked, bench.measure(asked, given.calls)) for asked in ASKED]
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
    return 0 if all(met) else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Fills the demo bank: many customers of every kind, or the three who sign in; the same data for the same seed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date

from django.db import connection, transaction

from accounts.demo.catalogue import get_profile
from accounts.demo.conditions import store_conditions
from accounts.demo.digest import compute_digest
from accounts.demo.events import Scene
from accounts.demo.households import store_household
from accounts.demo.lives import plan_life
from accounts.demo.logins import CUSTOMERS
from accounts.demo.people import Person, build_person
from accounts.ledger_check import Finding, check_ledger
from accounts.local_days import add_months, get_day_start
from accounts.models import Account, Customer, ScheduledPayment, Tariff
from accounts.services.accounts import open_bank_accounts
from audit.context import AuditContext

# Numbers of the three who sign in, out of the way of everybody else's.
FIRST_LOGIN = 90_001
LOGIN_PROFILES = ("salary", "self_employed", "family")
# How many of a profile's habits are lived, in thousandths: a crowd is written quickly, three people are looked at.
FULL, LIVELY, SPARSE = 1000, 600, 120
HEAVY = "heavy"
PersonRow = tuple[Person, Customer | None]
TABLES = ("accounts_account", "accounts_operation", "accounts_entry", "accounts_accountline")


class NoSuchLogin(Exception):
    """The people who sign in are not there yet; `seed_demo_bank` makes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedPlan:
    """What to make: the history ends with the day before `as_of`."""

    seed: int
    months: int
    as_of: date
    adversarial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedOutcome:
    """What was made now, how many were there already, the digest of all of them, and what `ledger_check` found."""

    customers: int
    known: int
    operations: int
    lines: int
    digest: str
    findings: tuple[Finding, ...]


def seed_crowd(context: AuditContext, plan: SeedPlan, *, customers: int, workers: int = 1) -> SeedOutcome:
    """Make the first `customers` people of the seed; who is there already stays.

    workers  threads; more than one must not run inside a transaction, because each has a connection of its own

    Raises: IntegrityError when another seed's people have the same account numbers
    """
    people = [build_person(plan.seed, number, plan.as_of) for number in range(1, customers + 1)]
    names = [person.username for person in people]
    known = find_complete(names)
    missing: list[PersonRow] = [(person, None) for person in people if person.username not in known]
    operations, lines = store_people(context, plan, missing, workers=workers)
    findings = check_ledger(now=get_day_start(plan.as_of))
    return SeedOutcome(
        customers=len(missing),
        known=len(known),
        operations=operations,
        lines=lines,
        digest=compute_digest(Customer.objects.filter(user__username__in=names)),
        findings=tuple(findings),
    )


def seed_logins(context: AuditContext, plan: SeedPlan) -> SeedOutcome:
    """Give the three who sign in their accounts and history; who has an account already is left alone.

    Raises: NoSuchLogin
    """
    names = [row.username for row in CUSTOMERS]
    owners = {row.user.username: row for row in find_customers(names)}
    if len(owners) != len(names):
        raise NoSuchLogin
    missing = find_missing_logins(plan, owners)
    operations, lines = store_people(context, plan, missing)
    findings = check_ledger(now=get_day_start(plan.as_of)) if missing else []
    return SeedOutcome(
        customers=len(missing),
        known=len(names) - len(missing),
        operations=operations,
        lines=lines,
        digest=compute_digest(Customer.objects.filter(user__username__in=names)),
        findings=tuple(findings),
    )


def have_logins_accounts() -> bool:
    """Tell whether the three who sign in are complete; one query, for starts that must be quick."""
    names = {row.username for row in CUSTOMERS}
    return find_complete(names) == names


def find_complete(names: Iterable[str]) -> set[str]:
    """Return those of these user names whose customer has everything: scheduled payments are stored last."""
    rows = ScheduledPayment.objects.filter(customer__user__username__in=list(names))
    return set(rows.values_list("customer__user__username", flat=True))


def find_customers(names: Iterable[str]) -> list[Customer]:
    return list(Customer.objects.select_related("user").filter(user__username__in=names))


def find_missing_logins(plan: SeedPlan, owners: Mapping[str, Customer]) -> list[PersonRow]:
    """Return those without a whole history, each with the profile of a demo: a salary, orders, a family."""
    complete = find_complete(owners)
    missing: list[PersonRow] = []
    for index, row in enumerate(CUSTOMERS):
        owner = owners[row.username]
        if row.username not in complete:
            drawn = build_person(plan.seed, FIRST_LOGIN + index, plan.as_of)
            profile = get_profile(LOGIN_PROFILES[index])
            missing.append((replace(drawn, username=row.username, profile=profile, zone=owner.zone), owner))
    return missing


def store_people(
    context: AuditContext, plan: SeedPlan, people: Sequence[PersonRow], *, workers: int = 1
) -> tuple[int, int]:
    """Store everybody and return how many operations and lines that were."""
    first = add_months(plan.as_of, -plan.months)
    tariff = store_surroundings(context, plan, first)
    bank = {(row.code, row.currency): row.pk for row in Account.objects.filter(customer__isnull=True)}

    def store(row: PersonRow) -> tuple[int, int]:
        person, customer = row
        scene = Scene(
            person=person,
            first=first,
            as_of=plan.as_of,
            months=plan.months,
            adversarial=plan.adversarial,
            density=choose_density(person, is_looked_at=customer is not None),
        )
        writer = store_household(context, plan_life(scene), bank=bank, tariff=tariff, customer=customer)
        return writer.operation_count, writer.line_count

    counts = [store(row) for row in people] if workers == 1 else store_in_threads(store, people, workers)
    if counts:
        refresh_statistics()
    return sum(operations for operations, _ in counts), sum(lines for _, lines in counts)


def store_in_threads(
    store: Callable[[PersonRow], tuple[int, int]], people: Sequence[PersonRow], workers: int
) -> list[tuple[int, int]]:
    """Store several people at once, each thread on a connection of its own: one plans while the database writes."""

    def store_and_close(row: PersonRow) -> tuple[int, int]:
        try:
            return store(row)
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(store_and_close, people))


def choose_density(person: Person, *, is_looked_at: bool) -> int:
    if person.profile.code == HEAVY:
        return FULL
    return LIVELY if is_looked_at else SPARSE


@transaction.atomic
def store_surroundings(context: AuditContext, plan: SeedPlan, first: date) -> Tariff:
    open_bank_accounts(context, now=get_day_start(first))
    return store_conditions(plan.seed, first=first, as_of=plan.as_of)


def refresh_statistics() -> None:
    """Tell the planner about the new rows now; autovacuum would, but only some minutes later."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ANALYZE {table}")  # table names are ours

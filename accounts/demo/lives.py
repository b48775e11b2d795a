"""A customer's whole history: which accounts and cards, and everything that happens, in order. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from accounts.demo.catalogue import get_merchant_group
from accounts.demo.events import CURRENT, OLD, SAVINGS, AccountPlan, BillPlan, Event, PayeePlan, Scene
from accounts.demo.incomes import ACCOUNTS, plan_incomes, plan_interest, plan_openings
from accounts.demo.people import build_card_number
from accounts.demo.purchases import (
    build_purchase,
    plan_fuel,
    plan_habits,
    plan_journeys,
    plan_mishaps,
    plan_open_holds,
    plan_subscriptions,
)
from accounts.demo.transfers import plan_bill_payments, plan_bills, plan_payees, plan_savings, plan_transfers
from accounts.enums import CardStatus, Category, Frequency, OperationKind
from accounts.local_days import add_months
from accounts.services.posting import LineText

OVERDRAFT = 50_000 * 100
ONE_KOPECK = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPlan:
    """One card; the number passes through and is not kept."""

    number: str
    expires_on: date
    status: CardStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePlan:
    """One payment ordered for the future, to payee number `payee`."""

    payee: int
    title: str
    minor: int
    frequency: Frequency
    first_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """Everything of one customer; `events` in order of time."""

    scene: Scene
    accounts: Sequence[AccountPlan]
    cards: Sequence[CardPlan]
    payees: Sequence[PayeePlan]
    bills: Sequence[BillPlan]
    schedules: Sequence[SchedulePlan]
    events: Sequence[Event]

    @property
    def closes_old_account(self) -> bool:
        return self.scene.person.number % 5 == 2

    @property
    def blocks_payments(self) -> bool:
        """Whether the bank has blocked payments from the current account."""
        return self.scene.person.number % 20 == 9


def plan_life(scene: Scene) -> Life:
    """Return the customer's whole history; the same for ever for the same seed, number and days."""
    accounts = plan_accounts(scene)
    slots = tuple(row.slot for row in accounts)
    payees, bills = plan_payees(scene), plan_bills(scene)
    events = [
        *plan_openings(scene, slots),
        *plan_incomes(scene),
        *plan_interest(scene, slots),
        *plan_habits(scene),
        *plan_fuel(scene),
        *plan_subscriptions(scene),
        *plan_journeys(scene),
        *plan_mishaps(scene),
        *plan_open_holds(scene),
        *plan_transfers(scene, payees),
        *plan_savings(scene, slots),
        *plan_bill_payments(scene, bills),
        *plan_edges(scene, slots),
    ]
    return Life(
        scene=scene,
        accounts=accounts,
        cards=plan_cards(scene),
        payees=payees,
        bills=bills,
        schedules=plan_schedules(scene),
        events=sorted((event for event in events if scene.holds(event.at)), key=lambda event: (event.at, event.key)),
    )


def plan_accounts(scene: Scene) -> list[AccountPlan]:
    """Return the profile's accounts; some people have an old one that is empty or closed, some an overdraft."""
    number = scene.person.number
    rows = [ACCOUNTS[slot] for slot in scene.profile.accounts]
    if number % 10 == 6:
        rows[0] = replace(rows[0], overdraft_minor=OVERDRAFT)
    if number % 5 in {2, 3}:
        rows.append(ACCOUNTS[OLD])
    return rows


def plan_cards(scene: Scene) -> list[CardPlan]:
    """Return the card that pays, and for three people in five a second one that does not."""
    number, draw = scene.person.number, scene.start_draw("cards")
    expires_on = date(scene.as_of.year + draw.draw_number(1, 4), draw.draw_number(1, 12), 28)
    rows = [CardPlan(number=build_card_number(scene.person, 0), expires_on=expires_on, status=CardStatus.ACTIVE)]
    status = {0: CardStatus.EXPIRED, 1: CardStatus.FROZEN, 4: CardStatus.LOST}.get(number % 5)
    if status is not None:
        expired = scene.as_of - timedelta(days=20)
        second = build_card_number(scene.person, 1)
        day = expired if status == CardStatus.EXPIRED else expires_on
        rows.append(CardPlan(number=second, expires_on=day, status=status))
    return rows


def plan_schedules(scene: Scene) -> list[SchedulePlan]:
    """Return a payment on the last day of every month, and for some a weekly one."""
    draw = scene.start_draw("schedules")
    month = scene.as_of.replace(day=1)
    last = add_months(month, 0, wished_day=31)
    rows = [
        SchedulePlan(
            payee=0,
            title="Маме",
            minor=draw.draw_number(10, 60) * 100_00,
            frequency=Frequency.MONTHLY,
            first_on=last,
        )
    ]
    if scene.person.number % 2:
        first_on = scene.as_of + timedelta(days=draw.draw_number(1, 7))
        rows.append(
            SchedulePlan(payee=1, title="Кружок", minor=1_200_00, frequency=Frequency.WEEKLY, first_on=first_on)
        )
    return rows


def plan_edges(scene: Scene, slots: Sequence[str]) -> Iterator[Event]:
    """Yield what makes an account stand exactly at zero, or one kopeck from its overdraft."""
    draw = scene.start_draw("edges")
    everything = 10**12
    days_ago = min(draw.draw_number(30, 60), (scene.as_of - scene.first).days // 2)
    if OLD in slots:
        yield Event(
            key="edge.emptied",
            at=scene.place(scene.as_of - timedelta(days=days_ago), draw),
            kind=OperationKind.OWN_TRANSFER,
            slot=OLD,
            minor=everything,
            leaves=0,
            target=SAVINGS if SAVINGS in slots else CURRENT,
            text=LineText(category=Category.OWN_TRANSFERS, memo="Закрываю копилку"),
        )
    if scene.person.number % 10 == 6:
        at = scene.place(scene.as_of - timedelta(days=1), draw, hours=(23, 23))
        bought = build_purchase(scene, draw, get_merchant_group("home"), at, key="edge.kopeck")
        yield replace(bought, minor=everything, leaves=ONE_KOPECK)

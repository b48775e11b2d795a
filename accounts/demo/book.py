"""Turns events into ledger entries that the ledger will accept: what is not covered does not happen. Pure.

A plan of the ledger in small: balances are simulated only to know what a real bank would have refused. The database
computes its own from the entries.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType

from accounts.demo.events import AccountPlan, Event, Scene
from accounts.enums import Category, EntryPhase, OperationKind, OperationStatus
from accounts.local_days import get_month_start, to_local_date
from accounts.models import Tariff
from accounts.money import Money
from accounts.services.accounts import (
    CASH,
    CLEARING_BILLS,
    CLEARING_CARD,
    CLEARING_CODES,
    CLEARING_SBP,
    EQUITY,
    INCOME_FEES,
    INTEREST_PAID,
    POSITION,
)
from accounts.services.posting import LineText
from accounts.services.tariffs import price_amount

INCOMING: Mapping[OperationKind, str] = MappingProxyType(
    {
        OperationKind.OPENING: EQUITY,
        OperationKind.INCOMING: POSITION,
        OperationKind.SBP_IN: POSITION,
        OperationKind.INTEREST: INTEREST_PAID,
        OperationKind.REFUND: CLEARING_CARD,
    }
)
OUTGOING: Mapping[OperationKind, str] = MappingProxyType(
    {
        OperationKind.CARD_PURCHASE: CLEARING_CARD,
        OperationKind.CASH_WITHDRAWAL: CASH,
        OperationKind.SBP_OUT: CLEARING_SBP,
        OperationKind.BILL_PAYMENT: CLEARING_BILLS,
        OperationKind.FEE: INCOME_FEES,
    }
)
HUNDRED_ROUBLES = 100_00
BP_OF_A_MONTH = 12 * 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEntry:
    """One entry; `debit` and `credit` are slots of the customer or codes of the bank's own accounts."""

    phase: EntryPhase
    debit: str
    credit: str
    minor: int
    currency: str
    text: LineText


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Entries that one operation gets at one moment, and its status after them; `is_new` when it starts here."""

    event: Event
    at: datetime
    is_new: bool
    status: OperationStatus
    entries: Sequence[StepEntry]


@dataclass(frozen=True, slots=True)
class Occasion:
    """An event, or the clearing of its hold."""

    at: datetime
    key: str
    event: Event
    is_clearing: bool = False


class Book:
    """The simulated accounts of one customer."""

    def __init__(self, accounts: Sequence[AccountPlan], tariff: Tariff) -> None:
        self.accounts = {row.slot: row for row in accounts}
        self.booked = dict.fromkeys(self.accounts, 0)
        self.held = dict.fromkeys(self.accounts, 0)
        self.done: dict[str, int] = {}
        self.tariff = tariff
        self.sent: dict[date, int] = {}
        self.clearing = dict.fromkeys(CLEARING_CODES, 0)

    def write(self, scene: Scene, events: Sequence[Event]) -> Iterator[Step]:
        """Yield the steps of everything that is covered, in order of time, and the settlement at the end."""
        occasions = [Occasion(event.at, event.key, event) for event in events]
        occasions += [
            Occasion(event.clears_at, event.key, event, is_clearing=True) for event in events if event.clears_at
        ]
        for occasion in sorted(occasions, key=lambda row: (row.at, row.key)):
            step = self.clear(occasion) if occasion.is_clearing else self.open(scene, occasion.event)
            if step is not None:
                self.count(step)
                yield step
        yield from self.settle(scene)

    def open(self, scene: Scene, event: Event) -> Step | None:
        """Return the first step of the event; None when the account does not cover it."""
        minor = self.choose_minor(event)
        is_outgoing = event.kind in OUTGOING or event.kind == OperationKind.OWN_TRANSFER
        fee = self.charge(scene, event, minor)
        refused = minor <= 0 or (is_outgoing and minor + fee > self.get_available(event.slot))
        if refused or (event.refunds and self.done.get(event.refunds, 0) < minor):
            return None
        is_held = event.is_held or event.clears_at is not None
        phase = EntryPhase.PENDING if is_held else EntryPhase.POSTED
        entries = [self.build_entry(event, minor, phase)]
        if fee:
            fee_event = replace(event, kind=OperationKind.FEE, text=LineText(category=Category.FEES))
            entries.append(self.build_entry(fee_event, fee, phase))
        self.done[event.key] = minor
        if event.kind == OperationKind.SBP_OUT:
            month = self.get_month(scene, event)
            self.sent[month] = self.sent.get(month, 0) + minor
        status = OperationStatus.PENDING if is_held else OperationStatus.POSTED
        return Step(event=event, at=event.at, is_new=True, status=status, entries=entries)

    def clear(self, occasion: Occasion) -> Step | None:
        """Return the step that charges a hold; None when the hold was not covered."""
        event = occasion.event
        if event.key not in self.done:
            return None
        entry = self.build_entry(event, event.clears_minor, EntryPhase.POST)
        return Step(event=event, at=occasion.at, is_new=False, status=OperationStatus.POSTED, entries=[entry])

    def choose_minor(self, event: Event) -> int:
        """Return the amount: given, a month's interest, or what is above `leaves`."""
        if event.yearly_bp is not None:
            return self.booked[event.slot] * event.yearly_bp // BP_OF_A_MONTH
        if event.leaves is None:
            return event.minor
        above = min(event.minor, self.get_available(event.slot) - event.leaves)
        return above if event.leaves <= 1 else above // HUNDRED_ROUBLES * HUNDRED_ROUBLES

    def get_available(self, slot: str) -> int:
        return self.booked[slot] - self.held[slot] + self.accounts[slot].overdraft_minor

    def charge(self, scene: Scene, event: Event, minor: int) -> int:
        """Return the fee of a transfer by phone, by the tariff and what was sent in the month before it."""
        if event.kind != OperationKind.SBP_OUT or minor <= 0:
            return 0
        used = self.sent.get(self.get_month(scene, event), 0)
        return price_amount(self.tariff, used_minor=used, amount=Money(minor)).minor

    def get_month(self, scene: Scene, event: Event) -> date:
        return get_month_start(to_local_date(event.at, scene.person.zone))

    def build_entry(self, event: Event, minor: int, phase: EntryPhase) -> StepEntry:
        if event.kind == OperationKind.OWN_TRANSFER:
            debit, credit = event.slot, event.target
        elif event.kind in INCOMING:
            debit, credit = INCOMING[event.kind], event.slot
        else:
            debit, credit = event.slot, OUTGOING[event.kind]
        currency = self.accounts[event.slot].currency
        return StepEntry(phase=phase, debit=debit, credit=credit, minor=minor, currency=currency, text=event.text)

    def count(self, step: Step) -> None:
        """Move the simulated balances."""
        for entry in step.entries:
            if entry.phase == EntryPhase.PENDING:
                self.held[entry.debit] += entry.minor
                continue
            if entry.phase == EntryPhase.POST:
                self.held[entry.debit] -= self.done[step.event.key]
            for name, change in ((entry.debit, -entry.minor), (entry.credit, entry.minor)):
                balances = self.booked if name in self.booked else self.clearing
                if name in balances:
                    balances[name] += change

    def settle(self, scene: Scene) -> Iterator[Step]:
        """Yield what empties the clearing accounts of this customer's payments, at the end of the history."""
        for code, minor in self.clearing.items():
            if not minor:
                continue
            debit, credit = (code, POSITION) if minor > 0 else (POSITION, code)
            event = Event(key=f"settlement.{code}", at=scene.end, kind=OperationKind.SETTLEMENT)
            entry = StepEntry(
                phase=EntryPhase.POSTED, debit=debit, credit=credit, minor=abs(minor), currency="RUB", text=LineText()
            )
            yield Step(event=event, at=scene.end, is_new=True, status=OperationStatus.POSTED, entries=[entry])

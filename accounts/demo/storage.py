"""Writes steps into the ledger by COPY: fast, and through the very triggers that guard every other entry.

Operations, then entries, then lines, then the operations' ends: the order the triggers ask for. What looks back at an
earlier step (a clearing, a refund) makes that one be written first.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from uuid_utils.compat import uuid7

from accounts.demo.book import Step, StepEntry
from accounts.enums import EntryPhase, LineDirection, LineStatus, OperationKind, OperationSource, OperationStatus
from accounts.folding import MEMO_LENGTH, MERCHANT_LENGTH, clean_untrusted, fold_text
from accounts.local_days import DEFAULT_ZONE, to_local_date
from accounts.models import Account, Bill, Card, Customer, Operation, Payee
from accounts.services.holds import CARD_HOLD_DAYS
from accounts.services.posting import LineText

# Steps in one transaction: every entry leaves dead versions of its accounts' rows behind, which the next must pass.
BATCH = 60
SOURCES: Mapping[OperationKind, OperationSource] = {
    OperationKind.CARD_PURCHASE: OperationSource.CARD,
    OperationKind.CASH_WITHDRAWAL: OperationSource.CARD,
    OperationKind.REFUND: OperationSource.CARD,
    OperationKind.SBP_IN: OperationSource.SBP,
    OperationKind.SBP_OUT: OperationSource.APP,
    OperationKind.BILL_PAYMENT: OperationSource.APP,
    OperationKind.OWN_TRANSFER: OperationSource.APP,
}
OPERATIONS = (
    "COPY accounts_operation (id, public_id, kind, customer_id, status, source, refunds_id, card_id, payee_id, "
    "bill_id, idem_scope, idem_key, request_hash, value_date, created_at, description) FROM STDIN"
)
ENTRIES = (
    "COPY accounts_entry (id, operation_id, seq, phase, debit_id, credit_id, amount_minor, currency, resolves_id, "
    "expires_at, created_at) FROM STDIN"
)
LINES = (
    "COPY accounts_accountline (public_id, account_id, entry_id, operation_id, direction, amount_minor, currency, "
    "status, booked_at, value_at, category, mcc, merchant, counterparty_name, counterparty_bank_id, memo_untrusted, "
    "search_text) FROM STDIN"
)
FINISH = "UPDATE accounts_operation SET status = %s WHERE id = ANY(%s)"
TAKE_IDS = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """The stored rows that the steps speak of, by their place in the plan; `bank` by code and currency."""

    customer: Customer
    accounts: Mapping[str, Account]
    cards: Sequence[Card]
    payees: Sequence[Payee]
    bills: Sequence[Bill]
    bank: Mapping[tuple[str, str], int]


@dataclass(slots=True)
class Written:
    """What is remembered of an operation: its row, its hold, how many entries it has."""

    operation: int
    hold: int = 0
    seq: int = 0


@dataclass(slots=True)
class LedgerWriter:
    """Writes one customer's steps, a few hundred in one transaction, and counts what it has written."""

    holdings: Holdings
    waiting: list[Step] = field(default_factory=list)
    waiting_keys: set[str] = field(default_factory=set)
    written: dict[str, Written] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    recalled: frozenset[str] = frozenset()
    operation_count: int = 0
    line_count: int = 0

    def recall(self) -> None:
        """Learn what an interrupted run has written of this customer; `write` then leaves it out."""
        start = len(self.prefix)
        for row in Operation.objects.filter(idem_key__startswith=self.prefix).prefetch_related("entries"):
            entries = sorted(row.entries.all(), key=lambda entry: entry.seq)
            self.written[row.idem_key[start:]] = Written(row.pk, hold=entries[0].pk, seq=len(entries))
            if row.status != OperationStatus.PENDING:
                self.ended.add(row.idem_key[start:])
        self.recalled = frozenset(self.written)

    @property
    def prefix(self) -> str:
        """How the idempotency key of every operation of this customer starts."""
        return f"demo:{self.holdings.customer.user.username}:"

    def is_known(self, step: Step) -> bool:
        key = step.event.key
        return key in self.recalled if step.is_new else key in self.ended

    def write(self, steps: Iterable[Step]) -> None:
        """Write the steps that are not known, each batch in a transaction of its own."""
        for step in steps:
            if self.is_known(step):
                continue
            looks_back = not step.is_new or bool(step.event.refunds)
            key = step.event.refunds or step.event.key
            if (looks_back and key in self.waiting_keys) or len(self.waiting) >= BATCH:
                self.flush()
            self.waiting.append(step)
            self.waiting_keys.add(step.event.key)
        self.flush()

    @transaction.atomic
    def flush(self) -> None:
        """Write the waiting steps, then end their operations."""
        if not self.waiting:
            return
        commit_without_waiting()
        fresh = [step for step in self.waiting if step.is_new]
        for step, pk in zip(fresh, take_ids("accounts_operation", len(fresh)), strict=True):
            self.written[step.event.key] = Written(pk)
        entry_ids = iter(take_ids("accounts_entry", sum(len(step.entries) for step in self.waiting)))
        entries: list[tuple[Any, ...]] = []
        lines: list[tuple[Any, ...]] = []
        for step in self.waiting:
            for entry in step.entries:
                pk = next(entry_ids)
                entries.append(self.build_entry(step, entry, pk))
                lines += self.build_lines(step, entry, pk)
        copy_rows(OPERATIONS, [self.build_operation(step) for step in fresh])
        lock_bank_accounts(self.holdings.bank.values())
        copy_rows(ENTRIES, entries)
        copy_rows(LINES, lines)
        self.finish()
        self.operation_count += len(fresh)
        self.line_count += len(lines)
        self.waiting, self.waiting_keys = [], set()

    def finish(self) -> None:
        ended = [self.written[step.event.key].operation for step in self.waiting if is_ended(step)]
        with connection.cursor() as cursor:
            cursor.execute(FINISH, [OperationStatus.POSTED.value, ended])

    def build_operation(self, step: Step) -> tuple[Any, ...]:
        event, owned = step.event, self.holdings
        # A settlement is the bank's own act, and yet it is this customer's payments that are settled.
        is_banks = event.kind == OperationKind.SETTLEMENT
        key = f"{self.prefix}{event.key}"
        return (
            self.written[event.key].operation,
            uuid7(),
            event.kind.value,
            None if is_banks else owned.customer.pk,
            OperationStatus.PENDING.value,
            SOURCES.get(event.kind, OperationSource.SYSTEM).value,
            self.written[event.refunds].operation if event.refunds else None,
            None if event.card is None else owned.cards[event.card].pk,
            None if event.payee is None else owned.payees[event.payee].pk,
            None if event.bill is None else owned.bills[event.bill].pk,
            "bank" if is_banks else f"customer:{owned.customer.pk}",
            key,
            hashlib.sha256(key.encode()).hexdigest(),
            to_local_date(step.at, DEFAULT_ZONE if is_banks else owned.customer.zone),
            step.at,
            clean_untrusted(event.description),
        )

    def build_entry(self, step: Step, entry: StepEntry, pk: int) -> tuple[Any, ...]:
        written = self.written[step.event.key]
        resolves = written.hold if entry.phase == EntryPhase.POST else None
        is_hold = entry.phase == EntryPhase.PENDING
        if is_hold:
            written.hold = pk
        seq, written.seq = written.seq, written.seq + 1
        debit, credit = (self.find_account(name, entry.currency) for name in (entry.debit, entry.credit))
        expires_at = step.at + CARD_HOLD_DAYS if is_hold else None
        return (
            pk,
            written.operation,
            seq,
            entry.phase.value,
            debit,
            credit,
            entry.minor,
            entry.currency,
            resolves,
            expires_at,
            step.at,
        )

    def find_account(self, name: str, currency: str) -> int:
        account = self.holdings.accounts.get(name)
        return self.holdings.bank[name, currency] if account is None else account.pk

    def build_lines(self, step: Step, entry: StepEntry, pk: int) -> list[tuple[Any, ...]]:
        """Return the line of each side that is the customer's: money in on the credited, out on the debited one."""
        sides = ((entry.debit, LineDirection.OUT), (entry.credit, LineDirection.IN))
        owned = [(self.holdings.accounts[name], side) for name, side in sides if name in self.holdings.accounts]
        return [
            (
                uuid7(),
                account.pk,
                pk,
                self.written[step.event.key].operation,
                direction.value,
                entry.minor,
                entry.currency,
                (LineStatus.PENDING if entry.phase == EntryPhase.PENDING else LineStatus.BOOKED).value,
                step.at,
                find_local_day(step.at, self.holdings.customer.zone),
                *build_texts(entry.text),
            )
            for account, direction in owned
        ]


def is_ended(step: Step) -> bool:
    return step.status == OperationStatus.POSTED


def find_local_day(at: datetime, zone: str) -> str:
    return to_local_date(at, zone).isoformat()


@lru_cache(maxsize=4096)
def build_texts(text: LineText) -> tuple[str | None, ...]:
    """Return the texts of a line as they are stored, cleaned and folded as by every other way into the ledger."""
    merchant = clean_untrusted(text.merchant, MERCHANT_LENGTH)
    name = clean_untrusted(text.counterparty_name, MERCHANT_LENGTH)
    memo = clean_untrusted(text.memo, MEMO_LENGTH)
    bank = text.counterparty_bik or None
    return (text.category.value, text.mcc, merchant, name, bank, memo, fold_text(merchant, name, memo))


def commit_without_waiting() -> None:
    """Let this transaction's commit not wait for the disk: what a crash takes away, the next run writes again."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")


def lock_bank_accounts(accounts: Iterable[int]) -> None:
    """Lock the bank's own accounts in their order: two workers would take them entry by entry, and deadlock."""
    rows = Account.objects.select_for_update(no_key=True).filter(pk__in=list(accounts))
    list(rows.order_by("pk").values_list("pk"))


def take_ids(table: str, count: int) -> list[int]:
    """Return `count` new primary keys of the table, rising."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_IDS, [table, count])
        return [row[0] for row in cursor.fetchall()]


def copy_rows(statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)

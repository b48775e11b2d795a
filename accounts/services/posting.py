"""The one place that writes operations, entries and lines. Services call it inside their transaction.

Order of locks: accounts by primary key, then the operation; the triggers keep the same order. Balances are moved by
the database when an entry is inserted; nothing here adds or subtracts them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.enums import Category, EntryPhase, LineDirection, LineStatus, OperationStatus
from accounts.errors import HoldResolved
from accounts.folding import MEMO_LENGTH, MERCHANT_LENGTH, clean_untrusted, fold_text
from accounts.local_days import to_local_date
from accounts.models import Account, AccountLine, Bill, Card, Entry, Operation, Payee
from accounts.money import Money
from accounts.orders import Order, hash_order
from accounts.services.violations import translate_violations


@dataclass(frozen=True, slots=True, kw_only=True)
class LineText:
    """How one side of an entry reads on the customer's statement; strangers' text is cleaned when it is written."""

    category: Category = Category.OTHER
    merchant: str = ""
    mcc: str = ""
    counterparty_name: str = ""
    counterparty_bik: str = ""
    memo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationLinks:
    """What an operation is about, beside its entries."""

    card: Card | None = None
    payee: Payee | None = None
    bill: Bill | None = None
    reverses: Operation | None = None
    refunds: Operation | None = None
    description: str = ""


NO_LINKS = OperationLinks()
NO_TEXT = LineText()


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One entry to write: `amount` from the debited to the credited account.

    debit_text, credit_text  the lines of the two sides; only customers' accounts get one
    """

    debit: Account
    credit: Account
    amount: Money
    phase: EntryPhase = EntryPhase.POSTED
    debit_text: LineText = NO_TEXT
    credit_text: LineText = NO_TEXT
    resolves: Entry | None = None
    expires_at: datetime | None = None


@dataclass(slots=True)
class Draft:
    """An operation being written: its row, the time all its entries carry, and how many it has."""

    operation: Operation
    at: datetime
    entries: list[Entry] = field(default_factory=list)
    seq: int = 0


def lock_accounts(accounts: Iterable[int]) -> dict[int, Account]:
    """Lock these accounts (primary keys) in their order and return them as they are now."""
    return {row.pk: row for row in lock_rows(Q(pk__in=set(accounts)))}


def lock_rows(wanted: Q) -> QuerySet[Account]:
    """Return what locks the wanted accounts in the order of their primary keys; the only order there is."""
    rows = Account.objects.select_for_update(no_key=True, of=("self",)).filter(wanted)
    return rows.select_related("customer").order_by("pk")


def choose_time(accounts: Iterable[Account], now: datetime) -> datetime:
    """Return `now`, or the time of the newest entry of these locked accounts when another act was faster."""
    return max([now, *(account.last_posted_at for account in accounts if account.last_posted_at)])


def start_operation(order: Order, *, at: datetime, zone: str, links: OperationLinks = NO_LINKS) -> Draft:
    """Insert the pending operation of `order`; entries follow with `add_entry`, then `finish_operation`.

    Raises: AlreadyPaid, NotReversible, IdempotencyConflict
    """
    operation = Operation(
        kind=order.operation_kind,
        customer_id=order.customer_id,
        source=order.source,
        confirmation=order.confirmation,
        reverses=links.reverses,
        refunds=links.refunds,
        card=links.card,
        payee=links.payee,
        bill=links.bill,
        idem_scope=order.scope,
        idem_key=order.idempotency_key,
        request_hash=hash_order(order),
        value_date=to_local_date(at, zone),
        created_at=at,
        description=clean_untrusted(links.description),
    )
    with translate_violations():
        operation.save(force_insert=True)
    return Draft(operation, at)


def resume_operation(operation: Operation, *, at: datetime) -> Draft:
    """Return the draft of a pending operation whose accounts are locked, to add what resolves its holds.

    Raises: HoldResolved when it is not pending any more
    """
    locked = Operation.objects.select_for_update(no_key=True).get(pk=operation.pk)
    if locked.status != OperationStatus.PENDING:
        raise HoldResolved
    entries = list(locked.entries.order_by("seq"))
    return Draft(locked, at, entries, len(entries))


def add_entry(draft: Draft, movement: Movement) -> Entry:
    """Insert one entry and its lines; the database moves the counters and computes the lines' balances.

    Raises: InsufficientFunds, AccountUnavailable, CurrencyMismatch, SameAccount, AmountOutOfRange, HoldResolved,
    PostTooLarge, NotReversible
    """
    entry = Entry(
        operation=draft.operation,
        seq=draft.seq,
        phase=movement.phase,
        debit=movement.debit,
        credit=movement.credit,
        amount_minor=movement.amount.minor,
        currency=movement.amount.currency,
        resolves=movement.resolves,
        expires_at=movement.expires_at,
        created_at=draft.at,
    )
    with translate_violations():
        entry.save(force_insert=True)
    draft.seq += 1
    draft.entries.append(entry)
    if movement.phase != EntryPhase.VOID:
        sides = ((movement.debit, movement.debit_text), (movement.credit, movement.credit_text))
        lines = [build_line(draft, entry, account, text) for account, text in sides if account.customer_id]
        AccountLine.objects.bulk_create(lines)
    return entry


def build_line(draft: Draft, entry: Entry, account: Account, text: LineText) -> AccountLine:
    """Return the unsaved line of `entry` on one of its accounts; the database checks it against the entry."""
    is_incoming = (entry.credit_id == account.pk) == account.is_liability
    merchant = clean_untrusted(text.merchant, MERCHANT_LENGTH)
    name = clean_untrusted(text.counterparty_name, MERCHANT_LENGTH)
    memo = clean_untrusted(text.memo, MEMO_LENGTH)
    return AccountLine(
        account=account,
        entry=entry,
        operation=draft.operation,
        direction=LineDirection.IN if is_incoming else LineDirection.OUT,
        amount_minor=entry.amount_minor,
        currency=entry.currency,
        status=LineStatus.PENDING if entry.phase == EntryPhase.PENDING else LineStatus.BOOKED,
        booked_at=entry.created_at,
        value_at=to_local_date(entry.created_at, account.customer.zone if account.customer else "UTC"),
        # Replaced by the database; any number tells Django that a booked line has one.
        balance_after=None if entry.phase == EntryPhase.PENDING else 0,
        category=text.category,
        mcc=text.mcc,
        merchant=merchant,
        counterparty_name=name,
        counterparty_bank_id=text.counterparty_bik or None,
        memo_untrusted=memo,
        search_text=fold_text(merchant, name, memo),
    )


def finish_operation(draft: Draft, status: OperationStatus) -> Operation:
    """Move the pending operation to its end; its entries must fit that end when the transaction commits.

    Raises: HoldResolved when somebody else ended it
    """
    changed = Operation.objects.filter(pk=draft.operation.pk, status=OperationStatus.PENDING).update(status=status)
    if changed != 1:
        raise HoldResolved
    draft.operation.status = status
    return draft.operation


def sum_movements(entries: Iterable[Entry]) -> Mapping[tuple[int, int], int]:
    """Return what was posted from which account to which: {(debit, credit): minor units}."""
    totals: dict[tuple[int, int], int] = {}
    for entry in entries:
        if entry.phase in {EntryPhase.POSTED, EntryPhase.POST}:
            pair = (entry.debit_id, entry.credit_id)
            totals[pair] = totals.get(pair, 0) + entry.amount_minor
    return totals

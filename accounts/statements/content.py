"""What a statement says, whatever file it becomes: whose account, the days, both balances, every booked line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override as override_language

from accounts.enums import LineDirection, OperationKind
from accounts.errors import StatementTooLong
from accounts.local_days import DateRange, get_day_end, get_day_start
from accounts.models import Account, AccountLine
from accounts.money import Money
from accounts.selectors.balances import find_last_balance
from accounts.selectors.lines import list_statement_lines

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """One booked line; `amount` is negative when money went out. `who` and `memo` are strangers' text."""

    day: date
    what: str
    category: str
    who: str
    memo: str
    amount: Money
    balance: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One account over some days, in the customer's language; holds are not part of it."""

    language: str
    holder: str
    number: str
    bank: str
    bik: str
    currency: str
    days: DateRange
    opening: Money
    closing: Money
    incoming: Money
    outgoing: Money
    rows: Sequence[StatementRow]


def build_statement(account: Account, days: DateRange, *, most_rows: int) -> Statement:
    """Return the statement of a customer's account (holder and bank loaded); three queries.

    Raises: StatementTooLong when there are more lines than `most_rows`
    """
    owner, bank = account.customer, account.bank
    assert owner is not None
    assert bank is not None
    lines = list(list_statement_lines(account, days, zone=owner.zone)[: most_rows + 1])
    if len(lines) > most_rows:
        raise StatementTooLong(most_rows)
    currency = account.currency
    with override_language(owner.language):
        rows = [build_row(line) for line in lines]
    before, after = get_day_start(days.first, owner.zone), get_day_end(days.last, owner.zone)
    signed = [row.amount.minor for row in rows]
    return Statement(
        language=owner.language,
        holder=" ".join(filter(None, [owner.last_name, owner.first_name, owner.patronymic])),
        number=account.number or "",
        bank=bank.name,
        bik=bank.bik,
        currency=currency,
        days=days,
        opening=Money(find_last_balance(account, before - MICROSECOND), currency),
        closing=Money(find_last_balance(account, after - MICROSECOND), currency),
        incoming=Money(sum(minor for minor in signed if minor > 0), currency),
        outgoing=Money(-sum(minor for minor in signed if minor < 0), currency),
        rows=rows,
    )


def build_row(line: AccountLine) -> StatementRow:
    """Return the line in words of the active language."""
    amount = Money(line.amount_minor, line.currency)
    bank = line.counterparty_bank.name if line.counterparty_bank else ""
    name = line.merchant or line.counterparty_name
    return StatementRow(
        day=line.value_at,
        what=str(OperationKind(line.operation.kind).label),
        category=line.get_category_display(),
        who=f"{name}, {bank}" if name and bank else name or bank,
        memo=line.memo_untrusted,
        amount=amount if line.direction == LineDirection.IN else -amount,
        balance=Money(line.balance_after or 0, line.currency),
    )


def name_columns() -> tuple[str, ...]:
    """Return the headings in the active language, in the order of a row."""
    return (_("Date"), _("Operation"), _("Category"), _("Counterparty"), _("Message"), _("Amount"), _("Balance"))


def name_file(statement: Statement, suffix: str) -> str:
    """Return the file's name: last four digits and days, never the whole number."""
    days = statement.days
    return f"statement-{statement.number[-4:]}-{days.first.isoformat()}-{days.last.isoformat()}.{suffix}"


def show_day(day: date) -> str:
    return date_format(datetime(day.year, day.month, day.day, tzinfo=UTC), "SHORT_DATE_FORMAT")

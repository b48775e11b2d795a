"""Opening, blocking and closing accounts; the bank's own accounts open by themselves when first needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.enums import AccountKind, AccountSide, AccountStatus
from accounts.errors import AccountUnavailable, NotFound, RequisitesMalformed
from accounts.models import Account
from accounts.money import CURRENCIES
from accounts.requisites import is_account_key_right
from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry

CUSTOMER_KINDS = (AccountKind.CURRENT, AccountKind.SAVINGS, AccountKind.DEPOSIT, AccountKind.CREDIT)
CLEARING_SBP, CLEARING_CARD, CLEARING_BILLS = "clearing.sbp", "clearing.card", "clearing.bills"
CLEARING_CODES = (CLEARING_SBP, CLEARING_CARD, CLEARING_BILLS)
INCOME_FEES, INTEREST_PAID, EQUITY, POSITION, CASH = (
    "income.fees",
    "income.interest",
    "equity.opening",
    "position.correspondent",
    "cash.machines",
)


@dataclass(frozen=True, slots=True)
class BankAccount:
    """An account of the bank's own; none is guarded, because the bank itself decides about them."""

    kind: AccountKind
    side: AccountSide
    title: str


BANK_ACCOUNTS: Mapping[str, BankAccount] = MappingProxyType(
    {
        CLEARING_SBP: BankAccount(AccountKind.CLEARING, AccountSide.LIABILITY, "SBP clearing"),
        CLEARING_CARD: BankAccount(AccountKind.CLEARING, AccountSide.LIABILITY, "Card clearing"),
        CLEARING_BILLS: BankAccount(AccountKind.CLEARING, AccountSide.LIABILITY, "Bill clearing"),
        INCOME_FEES: BankAccount(AccountKind.INCOME, AccountSide.LIABILITY, "Fees"),
        INTEREST_PAID: BankAccount(AccountKind.INCOME, AccountSide.ASSET, "Interest paid"),
        EQUITY: BankAccount(AccountKind.EQUITY, AccountSide.LIABILITY, "Opening balances"),
        POSITION: BankAccount(AccountKind.POSITION, AccountSide.ASSET, "Correspondent account"),
        CASH: BankAccount(AccountKind.CASH, AccountSide.ASSET, "Cash machines"),
    }
)


@transaction.atomic
def open_account(
    context: AuditContext,
    *,
    customer_id: UUID,
    kind: AccountKind,
    bik: str,
    number: str,
    currency: str,
    title: str,
    now: datetime,
    overdraft_minor: int = 0,
) -> Account:
    """Open a customer's empty account; money comes by operations only.

    number           20 digits with the right key at the bank `bik`
    overdraft_minor  never changes afterwards

    Raises: RequisitesMalformed, IntegrityError when the number is taken or does not fit the currency
    """
    if kind not in CUSTOMER_KINDS or not is_account_key_right(bik, number):
        raise RequisitesMalformed("account")
    account = Account(
        customer_id=customer_id,
        bank_id=bik,
        number=number,
        kind=kind,
        side=AccountSide.LIABILITY,
        currency=currency,
        title=title,
        overdraft_limit=overdraft_minor,
        opened_at=now,
    )
    account.save(force_insert=True)
    record_opening(context, account)
    return account


def get_bank_account(context: AuditContext, code: str, *, currency: str, now: datetime) -> Account:
    """Return the bank's own account `code` in `currency`, opened on the way when there is none yet. Not locked.

    Raises: KeyError for an unknown code
    """
    found = Account.objects.filter(code=code, currency=currency).first()
    if found is not None:
        return found
    plan = BANK_ACCOUNTS[code]
    account = Account(
        code=code,
        kind=plan.kind,
        side=plan.side,
        title=plan.title,
        currency=currency,
        is_guarded=False,
        opened_at=now,
    )
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError:
        # Somebody else opened it at this moment.
        return Account.objects.get(code=code, currency=currency)
    record_opening(context, account)
    return account


def open_bank_accounts(context: AuditContext, *, now: datetime) -> None:
    """Open every account of the bank's own in every known currency that is not there yet, in a fixed order."""
    with transaction.atomic():
        for currency in CURRENCIES:
            for code in BANK_ACCOUNTS:
                get_bank_account(context, code, currency=currency, now=now)


@transaction.atomic
def freeze_account(context: AuditContext, *, account_id: UUID, status: AccountStatus, reason: str) -> Account:
    """Block payments (`debit_blocked`) or every movement (`blocked`); open holds stay and may still be posted.

    reason  closed code, for the evidence

    Raises: NotFound, AccountUnavailable when it is closed, ValueError for another status
    """
    if status not in {AccountStatus.DEBIT_BLOCKED, AccountStatus.BLOCKED}:
        raise ValueError("an account is frozen to debit_blocked or blocked")
    return change_status(context, account_id, status, AuditAction.ACCOUNT_FROZEN, reason)


@transaction.atomic
def unfreeze_account(context: AuditContext, *, account_id: UUID, reason: str) -> Account:
    """Let money move again.

    Raises: NotFound, AccountUnavailable when it is closed
    """
    return change_status(context, account_id, AccountStatus.ACTIVE, AuditAction.ACCOUNT_UNFROZEN, reason)


@transaction.atomic
def close_account(context: AuditContext, *, account_id: UUID, now: datetime) -> Account:
    """Close an empty account for ever.

    Raises: NotFound, AccountUnavailable when it is closed already, or has money or holds
    """
    account = lock_account(account_id)
    empty = Account.objects.filter(
        pk=account.pk, credits_posted=F("debits_posted"), debits_pending=0, credits_pending=0
    ).exclude(status=AccountStatus.CLOSED)
    if empty.update(status=AccountStatus.CLOSED, closed_at=now) != 1:
        raise AccountUnavailable
    account.status, account.closed_at = AccountStatus.CLOSED, now
    record_account(context, AuditAction.ACCOUNT_CLOSED, account, {})
    return account


def change_status(
    context: AuditContext, account_id: UUID, status: AccountStatus, action: AuditAction, reason: str
) -> Account:
    account = lock_account(account_id)
    if account.status == AccountStatus.CLOSED:
        raise AccountUnavailable
    account.status = status
    account.save(update_fields=["status"])
    record_account(context, action, account, {"status": status.value, "reason": reason})
    return account


def lock_account(account_id: UUID) -> Account:
    """Return a customer's account, locked.

    Raises: NotFound
    """
    customers = Account.objects.select_for_update(no_key=True).filter(customer__isnull=False)
    account = customers.filter(public_id=account_id).first()
    if account is None:
        raise NotFound
    return account


def record_opening(context: AuditContext, account: Account) -> None:
    details = {"kind": account.kind, "currency": account.currency}
    record_account(context, AuditAction.ACCOUNT_OPENED, account, details)


def record_account(context: AuditContext, action: AuditAction, account: Account, details: Mapping[str, str]) -> None:
    record_entry(
        context,
        action,
        subject="account",
        subject_id=str(account.public_id),
        customer_id=account.customer_id,
        details=details,
    )

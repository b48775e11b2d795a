"""The database's refusals in the words of the bank: which constraint means which error."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from django.db import DataError, IntegrityError
from psycopg import errors as database_errors

from accounts.errors import (
    AccountUnavailable,
    AlreadyPaid,
    AmountOutOfRange,
    CapExceeded,
    CurrencyMismatch,
    HoldResolved,
    IdempotencyConflict,
    InsufficientFunds,
    NotReversible,
    OperationRefused,
    PostTooLarge,
    SameAccount,
)

REFUSALS: Mapping[str, type[OperationRefused]] = MappingProxyType(
    {
        "account_is_not_overdrawn": InsufficientFunds,
        "entry_accounts_are_open": AccountUnavailable,
        "entry_has_the_accounts_currency": CurrencyMismatch,
        "entry_accounts_differ": SameAccount,
        "entry_amount_is_in_range": AmountOutOfRange,
        "entry_operation_is_pending": HoldResolved,
        "entry_posts_at_most_the_hold": PostTooLarge,
        "accounts_entry_resolves_id_key": HoldResolved,
        "entry_undoes_a_posted_operation": NotReversible,
        "entry_takes_back_at_most_what_was_given": NotReversible,
        "accounts_operation_reverses_id_key": NotReversible,
        "operation_pays_a_bill_once": AlreadyPaid,
        "operation_key_is_used_once": IdempotencyConflict,
        "accounts_operation_confirmation_key": IdempotencyConflict,
        "cap_is_not_exceeded": CapExceeded,
    }
)


@contextmanager
def translate_violations() -> Iterator[None]:
    """Turn a constraint of the ledger that was hit into its OperationRefused; other errors pass.

    The transaction is broken then: the caller must roll back, at least to a savepoint.
    """
    try:
        yield
    except IntegrityError as error:
        refusal = REFUSALS.get(read_constraint(error))
        if refusal is None:
            raise
        # The database's own text quotes the row: amounts and names must not reach a log through the cause.
        raise refusal from None
    except DataError:
        # Larger than the column: out of range long before the constraint is asked.
        raise AmountOutOfRange from None


def read_constraint(error: IntegrityError) -> str:
    cause = error.__cause__
    return (cause.diag.constraint_name or "") if isinstance(cause, database_errors.IntegrityError) else ""

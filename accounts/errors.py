"""Errors of the accounts app.

AccountsError
├── CredentialsRefused     unknown user, wrong password, no customer, locked out user: outside they look the same
├── LoginThrottled         too many failures; even the right password must wait
├── ThrottleUnavailable    the failures cannot be counted now, so nobody may guess
├── RefreshRefused         no such refresh token
├── SessionExpired         the session's time is over: sign in with the password
├── SessionRevoked         the session was ended before its time
├── SessionNotFound        unknown session (for staff)
├── TokenInvalid           not an access token of ours
│   └── TokenExpired       ours, but its time is over; carries its claims
├── MoneyMalformed         a text or number is no amount of money
├── RequisitesMalformed    an account number, BIK, INN or card number has the wrong form or key
├── StepUpRequired         the password must be given again first
├── KeyRefused(field)      a device's key, challenge or proof does not fit
├── NotFound               no such row of this customer (another's looks the same)
├── StatementTooLong       more lines than a file of this form may have
├── GatewayUnavailable     an outside system did not answer; the outcome is unknown
└── OperationRefused       a rule of the bank; stored, and final for its idempotency key; `code` is closed
    ├── InsufficientFunds · CapExceeded(cap_code) · AccountUnavailable · CardUnavailable · SameAccount
    ├── CurrencyMismatch · AmountOutOfRange · PayeeUnavailable · AlreadyPaid · BillUnavailable · NotReversible
    ├── HoldResolved · PostTooLarge · AlreadyDisputed
    ├── GatewayRefused(reason)     the outside system said no; the hold is released
    ├── TransferSuspended(until)   antifraud delays acceptance; not final: the same order may be sent again after it
    └── IdempotencyConflict        the key was used for another order; never stored
"""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

if TYPE_CHECKING:
    from accounts.tokens import AccessClaims


class AccountsError(Exception):
    """Root of the accounts errors."""


class CredentialsRefused(AccountsError):
    """User name and password do not open a customer's session. Retrying with the same ones does not help."""


class LoginThrottled(AccountsError):
    """Too many failures in this window. Retrying helps after `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("too many failed logins")
        self.retry_after_seconds = retry_after_seconds


class ThrottleUnavailable(AccountsError):
    """The shared cache does not answer. Retrying helps once it does."""


class RefreshRefused(AccountsError):
    """The refresh token is not one of ours. Retrying does not help; signing in does."""


class SessionExpired(AccountsError):
    """The device session reached the end of its life. Retrying does not help; signing in does."""


class SessionRevoked(AccountsError):
    """The device session is unknown, was revoked, or its customer may not sign in. Signing in may help."""


class SessionNotFound(AccountsError):
    """There is no such device session. Retrying does not help."""


class TokenInvalid(AccountsError):
    """The text is not an access token that we signed for this audience. Retrying does not help."""


class TokenExpired(TokenInvalid):
    """The access token is ours but over; refreshing the session helps."""

    def __init__(self, claims: "AccessClaims") -> None:
        super().__init__("the access token is over")
        self.claims = claims


class MoneyMalformed(AccountsError):
    """`reason` says why it is no amount: text, sign, zero, fraction, ambiguous, range, currency."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RequisitesMalformed(AccountsError):
    """`field` (account, bik, inn, card) has the wrong form or check digit. Correcting it helps."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class StepUpRequired(AccountsError):
    """The password was given too long ago for this act. Giving it again helps."""


class KeyRefused(AccountsError):
    """`field` says what does not fit: public_key, challenge (a fresh one helps) or proof."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class NotFound(AccountsError):
    """There is no such row, or it is another customer's: both look the same. Retrying does not help."""


class OperationRefused(AccountsError):
    """A rule of the bank refused the order; nothing was posted. The same key always gets the same refusal."""

    code: ClassVar[str] = "refused"

    def get_details(self) -> dict[str, str]:
        """Return what must be stored to raise the same refusal again."""
        return {}


class InsufficientFunds(OperationRefused):
    """Less is available than amount and fee, open holds counted."""

    code = "insufficient_funds"


class CapExceeded(OperationRefused):
    """A limit of this day, month or operation would be passed; `cap_code` names it. Waiting may help."""

    code = "cap_exceeded"

    def __init__(self, cap_code: str = "") -> None:
        super().__init__(cap_code)
        self.cap_code = cap_code

    @override
    def get_details(self) -> dict[str, str]:
        return {"cap_code": self.cap_code}


class AccountUnavailable(OperationRefused):
    """The account is blocked or closed for this direction."""

    code = "account_unavailable"


class CardUnavailable(OperationRefused):
    """The card is frozen, blocked, lost or over."""

    code = "card_unavailable"


class SameAccount(OperationRefused):
    """From an account to itself."""

    code = "same_account"


class CurrencyMismatch(OperationRefused):
    """Two currencies meet where one is needed."""

    code = "currency_mismatch"

    def __init__(self, left: str = "", right: str = "") -> None:
        super().__init__(f"{left} and {right}" if left else "")


class AmountOutOfRange(OperationRefused):
    """Not between one minor unit and `money.MAX_AMOUNT_MINOR`."""

    code = "amount_out_of_range"


class PayeeUnavailable(OperationRefused):
    """The payee cannot be reached this way."""

    code = "payee_unavailable"


class AlreadyPaid(OperationRefused):
    """The bill is paid, or a payment of it is on its way."""

    code = "duplicate"


class AlreadyDisputed(OperationRefused):
    """The line has an open dispute."""

    code = "already_disputed"


class BillUnavailable(OperationRefused):
    """The bill was cancelled, or its amount is another."""

    code = "bill_unavailable"


class NotReversible(OperationRefused):
    """The operation is not posted, was reversed or refunded already, or the refund would pass what is left of it."""

    code = "not_reversible"


class HoldResolved(OperationRefused):
    """The hold was posted, voided or expired before."""

    code = "hold_resolved"


class PostTooLarge(OperationRefused):
    """More is to be posted than was held."""

    code = "post_too_large"


class GatewayRefused(OperationRefused):
    """The outside system refused the operation; `reason` is its closed code."""

    code = "gateway_refused"

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason

    @override
    def get_details(self) -> dict[str, str]:
        return {"reason": self.reason}


class TransferSuspended(OperationRefused):
    """Antifraud delays acceptance until `until`; no money is reserved. Sending the order again after it helps.

    signs  closed codes of what looked like fraud; not for the customer's eyes
    """

    code = "suspended"

    def __init__(self, until: datetime, signs: tuple[str, ...]) -> None:
        super().__init__(until.isoformat())
        self.until = until
        self.signs = signs


class IdempotencyConflict(OperationRefused):
    """The key was used for an order with other content. A new key is needed."""

    code = "idempotency_conflict"


class GatewayUnavailable(AccountsError):
    """The outside system did not answer: what it did is unknown. Asking again with the same id is safe."""


class StatementTooLong(AccountsError):
    """The period has more than `most_rows` lines. Fewer days help."""

    def __init__(self, most_rows: int) -> None:
        super().__init__("too many lines")
        self.most_rows = most_rows

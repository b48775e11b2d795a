"""Everything the functions app raises; catch by what the caller can do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FunctionsError(Exception):
    """Root of the app's errors. Texts never hold values of a customer."""


class Code(StrEnum):
    """The closed list of what a call may answer instead of a result; the model and the phone know these."""

    UNKNOWN_FUNCTION = "unknown_function"
    NOT_ALLOWED = "not_allowed"
    INVALID_ARGUMENTS = "invalid_arguments"
    UNKNOWN_REFERENCE = "unknown_reference"
    AMBIGUOUS_REFERENCE = "ambiguous_reference"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    CAP_EXCEEDED = "cap_exceeded"
    ACCOUNT_UNAVAILABLE = "account_unavailable"
    CARD_UNAVAILABLE = "card_unavailable"
    SAME_ACCOUNT = "same_account"
    CURRENCY_MISMATCH = "currency_mismatch"
    PAYEE_NOT_FOUND = "payee_not_found"
    PAYEE_NEEDS_CHOICE = "payee_needs_choice"
    STEP_UP_REQUIRED = "step_up_required"
    SUSPENDED = "suspended"
    DECLINED = "declined"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    DUPLICATE = "duplicate"
    TOO_MANY_CALLS = "too_many_calls"
    REPEATED_CALL = "repeated_call"
    TIMEOUT = "timeout"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One argument that cannot be used: what is wrong and what was expected, in Russian, without the value."""

    name: str
    problem: str
    expected: str


class CallRefused(FunctionsError):
    """The call ends with an error the model is told; nothing was changed.

    message, fix  Russian, for the model: what is the matter, what may help
    fields        invalid_arguments only
    details       more the model may use: handles to choose from
    can_retry     whether the same call may succeed a little later
    """

    def __init__(
        self,
        code: Code,
        message: str = "",
        *,
        fix: str = "",
        fields: tuple[FieldProblem, ...] = (),
        details: Mapping[str, object] | None = None,
        can_retry: bool = False,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.fix = fix
        self.fields = fields
        self.details = details or {}
        self.can_retry = can_retry


class ConfirmationError(FunctionsError):
    """A decision that does not count; the confirmation is as it was unless the text of the class says otherwise."""


class ConfirmationNotFound(ConfirmationError):
    """Unknown, or another customer's, or another conversation's: all look the same."""


class ConfirmationExpired(ConfirmationError):
    """Its time was over before the decision."""


class ConfirmationDecided(ConfirmationError):
    """Somebody decided before; `state` is where it stands."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


class ConfirmationSuperseded(ConfirmationError):
    """Other terms took its place, or the customer went on with something else."""


class ConfirmationMismatch(ConfirmationError):
    """Hash, nonce or the typed payee is not this confirmation's; `field` names it."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class SignatureRefused(ConfirmationError):
    """The signature does not fit; counted, and `attempts_left` more may be tried."""

    def __init__(self, attempts_left: int) -> None:
        super().__init__(str(attempts_left))
        self.attempts_left = attempts_left


class TooManySignatures(ConfirmationError):
    """The fifth bad signature ended the confirmation: it is cancelled now."""


class DeviceRefused(ConfirmationError):
    """The key is unknown, revoked, another device's, or this method is not enough for this risk."""


class StepUpNeeded(ConfirmationError):
    """The password must be given again first."""

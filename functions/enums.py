"""The closed sets of the functions app; stored as text."""

from enum import StrEnum

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class FunctionClass(TextChoices):
    """What a function may do: only look, change something that can be changed back, or move money."""

    READ = "read", _("read")
    ACTION = "action", _("action")
    MONEY = "money", _("money")


class CallStatus(TextChoices):
    """`waiting → ok | error`; the others are decided at once. `denied`: refused before anything was looked up."""

    WAITING = "waiting", _("waiting for the customer")
    OK = "ok", _("done")
    ERROR = "error", _("refused by a rule")
    DENIED = "denied", _("not allowed")
    TIMEOUT = "timeout", _("took too long")


class ConfirmationState(TextChoices):
    """See docs/functions.md "Confirmation": the only moves there are.

    pending → executed | processing | failed | cooling_off | declined | expired | superseded | cancelled
    processing → executed | failed;  cooling_off → asked_again | cancelled
    An approval and its execution commit together, so no row is ever seen approved and not executed.
    """

    PENDING = "pending", _("waits for the customer")
    EXECUTED = "executed", _("executed")
    PROCESSING = "processing", _("on its way")
    FAILED = "failed", _("failed")
    COOLING_OFF = "cooling_off", _("delayed by antifraud")
    ASKED_AGAIN = "asked_again", _("asked again")
    DECLINED = "declined", _("declined by the customer")
    EXPIRED = "expired", _("expired")
    SUPERSEDED = "superseded", _("superseded")
    CANCELLED = "cancelled", _("cancelled")


class Risk(IntegerChoices):
    """What a plan puts at stake; decides how the customer must say yes (docs/functions.md "Risk")."""

    NONE = 0, _("one tap")
    LOW = 1, _("own money, known biller")
    MEDIUM = 2, _("known payee")
    HIGH = 3, _("new payee, large or unusual")
    SUSPECT = 4, _("signs of fraud")


class ConfirmMethod(StrEnum):
    """How a confirmation may be approved, as the phone is told in `methods`."""

    TAP = "tap"
    DEVICE_KEY = "device_key"


class PlanWarning(StrEnum):
    """What the phone says beside the terms of a plan; set by rules, never by the model.

    new_payee          money never went there before
    large_amount       more than `bank.risk.LARGE`
    unusual_amount     far more than ever went to this payee
    payee_not_proven   the customer never named this payee here: it must be typed
    amount_not_said    the amount is no number the customer wrote and no amount of the bill
    memo_dropped       the message was not the customer's own text, so it is not sent
    fraud_signs        antifraud will delay it
    limit_raised       a card's limit grows
    card_opened        a blocked card will pay again
    card_lost          the block cannot be lifted in the app
    """

    NEW_PAYEE = "new_payee"
    LARGE_AMOUNT = "large_amount"
    UNUSUAL_AMOUNT = "unusual_amount"
    PAYEE_NOT_PROVEN = "payee_not_proven"
    AMOUNT_NOT_SAID = "amount_not_said"
    MEMO_DROPPED = "memo_dropped"
    FRAUD_SIGNS = "fraud_signs"
    LIMIT_RAISED = "limit_raised"
    CARD_OPENED = "card_opened"
    CARD_LOST = "card_lost"


class HandleKind(TextChoices):
    """What a handle stands for; the value is the handle's prefix: `acc_1`."""

    ACCOUNT = "acc", _("account")
    CARD = "card", _("card")
    LINE = "tx", _("transaction")
    PAYEE = "payee", _("payee")
    BILL = "bill", _("bill")
    SCHEDULE = "plan", _("scheduled payment")
    CONFIRMATION = "confirm", _("confirmation")
    STATEMENT = "file", _("statement")
    # What a customer typed and the model's provider must not read: kept sealed.
    PHONE = "phone", _("phone")
    PAN = "pan", _("card number")
    NUMBER = "number", _("account number")
    INN = "inn", _("INN")
    NAME = "name", _("name")
    EMAIL = "email", _("e-mail")

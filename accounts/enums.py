"""The choices of the accounts app; stored as text."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Language(TextChoices):
    """The language a customer is addressed in."""

    RUSSIAN = "ru", _("Russian")
    ENGLISH = "en", _("English")


class RevokeReason(TextChoices):
    """Why a device session ended before its time."""

    LOGOUT = "logout", _("logout")
    REPLACED = "replaced", _("new login on the same device")
    TOO_MANY_DEVICES = "too_many_devices", _("login on one device too many")
    REUSE_DETECTED = "reuse_detected", _("refresh token used twice")
    PASSWORD_CHANGED = "password_changed", _("password changed")
    STAFF = "staff", _("revoked by staff")


class AccountKind(TextChoices):
    """What an account is for; the first four are customers' accounts, the rest are the bank's own."""

    CURRENT = "current", _("current account")
    SAVINGS = "savings", _("savings account")
    DEPOSIT = "deposit", _("deposit")
    CREDIT = "credit", _("credit account")
    CLEARING = "clearing", _("clearing account")
    INCOME = "income", _("income account")
    CASH = "cash", _("cash account")
    EQUITY = "equity", _("equity account")
    POSITION = "position", _("correspondent account")


class AccountSide(TextChoices):
    """On which side of the balance sheet an account stands; its balance grows on that side."""

    LIABILITY = "C", _("liability (credit)")
    ASSET = "D", _("asset (debit)")


class AccountStatus(TextChoices):
    """What may move: everything, only money in, nothing new, nothing for ever."""

    ACTIVE = "active", _("active")
    DEBIT_BLOCKED = "debit_blocked", _("payments blocked")
    BLOCKED = "blocked", _("blocked")
    CLOSED = "closed", _("closed")


class OperationKind(TextChoices):
    """What happened in the customer's words; every operation has exactly one kind."""

    OWN_TRANSFER = "own_transfer", _("transfer between own accounts")
    SBP_OUT = "sbp_out", _("transfer by phone")
    SBP_IN = "sbp_in", _("incoming transfer by phone")
    BILL_PAYMENT = "bill_payment", _("bill payment")
    CARD_PURCHASE = "card_purchase", _("card purchase")
    CASH_WITHDRAWAL = "cash_withdrawal", _("cash withdrawal")
    INCOMING = "incoming", _("incoming payment")
    FEE = "fee", _("fee")
    INTEREST = "interest", _("interest")
    OPENING = "opening", _("opening balance")
    SETTLEMENT = "settlement", _("settlement")
    REVERSAL = "reversal", _("reversal")
    REFUND = "refund", _("refund")


class OperationStatus(TextChoices):
    """Moves only forward: pending to posted, voided or expired; posted to reversed."""

    PENDING = "pending", _("pending")
    POSTED = "posted", _("posted")
    VOIDED = "voided", _("voided")
    EXPIRED = "expired", _("expired")
    REVERSED = "reversed", _("reversed")


class OperationSource(TextChoices):
    """Through which door the order came to the bank."""

    ASSISTANT = "assistant", _("assistant")
    APP = "app", _("mobile app")
    CARD = "card", _("card network")
    SBP = "sbp", _("SBP")
    SYSTEM = "system", _("bank")


class EntryPhase(TextChoices):
    """`posted` moves money at once; `pending` is a hold, resolved at most once by `post` or `void`."""

    POSTED = "posted", _("posted")
    PENDING = "pending", _("hold")
    POST = "post", _("hold posted")
    VOID = "void", _("hold voided")


class ReversalReason(TextChoices):
    """Why staff takes an operation back."""

    MISTAKE = "mistake", _("posted by mistake")
    DUPLICATE = "duplicate", _("posted twice")
    FRAUD = "fraud", _("fraud")
    COURT = "court", _("decision of a court")


class LineDirection(TextChoices):
    """Whether the account's holder received or gave money."""

    IN = "in", _("incoming")
    OUT = "out", _("outgoing")


class LineStatus(TextChoices):
    """PDNG: a hold, not booked yet; BOOK: booked; VOID: a hold that is over (released, or booked by its own line)."""

    PENDING = "PDNG", _("pending")
    BOOKED = "BOOK", _("booked")
    VOID = "VOID", _("not charged")


class Category(TextChoices):
    """What money was spent on or came from; a card line takes it from its merchant category code."""

    GROCERIES = "groceries", _("groceries")
    RESTAURANTS = "restaurants", _("cafes and restaurants")
    TRANSPORT = "transport", _("transport")
    FUEL = "fuel", _("fuel")
    HOUSING = "housing", _("housing")
    TELECOM = "telecom", _("phone and internet")
    SUBSCRIPTIONS = "subscriptions", _("subscriptions")
    HEALTH = "health", _("health")
    CLOTHES = "clothes", _("clothes and shoes")
    HOME = "home", _("home and repair")
    ENTERTAINMENT = "entertainment", _("entertainment")
    TRAVEL = "travel", _("travel")
    EDUCATION = "education", _("education")
    CHILDREN = "children", _("children")
    TAXES = "taxes", _("taxes and fines")
    CASH = "cash", _("cash")
    TRANSFERS = "transfers", _("transfers")
    OWN_TRANSFERS = "own_transfers", _("between own accounts")
    FEES = "fees", _("fees")
    SALARY = "salary", _("salary")
    PENSION = "pension", _("pension and benefits")
    INTEREST = "interest", _("interest")
    REFUNDS = "refunds", _("refunds")
    LOANS = "loans", _("loans")
    OTHER = "other", _("other")


class CardSystem(TextChoices):
    """The card network."""

    MIR = "mir", _("MIR")


class CardStatus(TextChoices):
    """Only `active` pays. A customer may lift `frozen`; the others end at the bank."""

    ACTIVE = "active", _("active")
    FROZEN = "frozen", _("frozen by the customer")
    BLOCKED_BY_BANK = "blocked_by_bank", _("blocked by the bank")
    LOST = "lost", _("lost or stolen")
    EXPIRED = "expired", _("expired")


class BlockReason(TextChoices):
    """Why a card is blocked; only `temporary` may be lifted by the customer."""

    LOST = "lost", _("lost")
    STOLEN = "stolen", _("stolen")
    SUSPICIOUS = "suspicious", _("suspicious activity")
    TEMPORARY = "temporary", _("temporary")


class CardLimit(TextChoices):
    """A limit the customer sets on a card."""

    PURCHASES_DAY = "purchases_day", _("purchases a day")
    PURCHASES_MONTH = "purchases_month", _("purchases a month")
    CASH_DAY = "cash_day", _("cash a day")
    ONLINE = "online", _("one online purchase")


class PayeeKind(TextChoices):
    """How a payee is reached."""

    OWN = "own", _("own account")
    SBP = "sbp", _("phone")
    REQUISITES = "requisites", _("account requisites")
    BILLER = "biller", _("biller")


class PayeeOrigin(TextChoices):
    """Where the payee came from; only `customer` and `app` were chosen by hand."""

    CUSTOMER = "customer", _("named by the customer")
    APP = "app", _("chosen in the app")
    COUNTERPARTY = "counterparty", _("past counterparty")


class BillStatus(TextChoices):
    """`paid` only after the payment was posted; `processing` while the biller has not answered."""

    UNPAID = "unpaid", _("unpaid")
    PROCESSING = "processing", _("processing")
    PAID = "paid", _("paid")
    CANCELLED = "cancelled", _("cancelled")


class Frequency(TextChoices):
    """How often a scheduled payment or a subscription comes."""

    ONCE = "once", _("once")
    WEEKLY = "weekly", _("every week")
    MONTHLY = "monthly", _("every month")
    YEARLY = "yearly", _("every year")


class ScheduleStatus(TextChoices):
    """Whether a scheduled payment will come again."""

    ACTIVE = "active", _("active")
    PAUSED = "paused", _("paused")
    ENDED = "ended", _("ended")


class LimitPeriod(TextChoices):
    """Over which time a limit counts; days and months are local to the customer."""

    OPERATION = "operation", _("one operation")
    DAY = "day", _("day")
    MONTH = "month", _("month")


class GatewayAnswer(TextChoices):
    """What an outside system said about our operation; `unknown` is asked again with the same id, never paid twice."""

    NONE = "none", _("not asked yet")
    ACCEPTED = "accepted", _("accepted")
    REFUSED = "refused", _("refused")
    UNKNOWN = "unknown", _("no answer")


class StatementFormat(TextChoices):
    """The file of a statement."""

    PDF = "pdf", _("PDF")
    CSV = "csv", _("CSV")


class StatementStatus(TextChoices):
    """Where the making of a statement is."""

    REQUESTED = "requested", _("requested")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")


class DisputeReason(TextChoices):
    """Why a customer disputes a line."""

    NOT_MINE = "not_mine", _("not made by me")
    DUPLICATE = "duplicate", _("charged twice")
    WRONG_AMOUNT = "wrong_amount", _("wrong amount")
    NOT_RECEIVED = "not_received", _("goods or service not received")
    CANCELLED = "cancelled", _("subscription was cancelled")


class DisputeStatus(TextChoices):
    """Where a dispute is."""

    OPEN = "open", _("open")
    ACCEPTED = "accepted", _("accepted")
    REJECTED = "rejected", _("rejected")

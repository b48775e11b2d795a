"""What happens in a customer's life with the bank, before the ledger hears of it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from accounts.demo.catalogue import Profile
from accounts.demo.draws import Draw
from accounts.demo.people import Person
from accounts.enums import AccountKind, OperationKind
from accounts.local_days import add_months, get_day_start
from accounts.services.posting import LineText

CURRENT, SAVINGS, DEPOSIT, CURRENCY, OLD = "current", "savings", "deposit", "currency", "old"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPlan:
    """One account to be opened; `slot` names it within the customer's plan."""

    slot: str
    kind: AccountKind
    balance_account: str
    currency: str
    title: str
    overdraft_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BillPlan:
    """One bill; `paid_on` is None for one that waits."""

    biller: str
    reference: str
    minor: int
    period: date
    issued_on: date
    due_on: date
    paid_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeePlan:
    """One person the customer pays by phone."""

    phone: str
    shown_name: str
    bik: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happens to one account; `key` is unique in the customer's life and orders what is simultaneous.

    minor       kopecks; at most this when `leaves` is set
    leaves      move what is above this and no more: sweeping an account to another
    yearly_bp   pay a month's interest at this rate of the balance then, instead of `minor`
    target      slot of the other account of an own transfer
    clears_at   a card payment is held until then and charged with `clears_minor`; None: charged at once
    is_held     the hold is still open at the end
    refunds     key of the purchase a refund gives back
    """

    key: str
    at: datetime
    kind: OperationKind
    slot: str = CURRENT
    minor: int = 0
    text: LineText = field(default_factory=LineText)
    leaves: int | None = None
    yearly_bp: int | None = None
    target: str = ""
    clears_at: datetime | None = None
    clears_minor: int = 0
    is_held: bool = False
    refunds: str = ""
    card: int | None = None
    payee: int | None = None
    bill: int | None = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A person and the days of her history: from `first` to the day before `as_of`, local to her.

    density  how many of the profile's purchases and transfers happen, in thousandths
    """

    person: Person
    first: date
    as_of: date
    months: int
    adversarial: bool
    density: int = 1000

    @property
    def profile(self) -> Profile:
        return self.person.profile

    @property
    def end(self) -> datetime:
        """The moment the history ends."""
        return get_day_start(self.as_of, self.person.zone)

    def start_draw(self, *purpose: object) -> Draw:
        return self.person.start_draw(*purpose)

    def list_months(self) -> Iterator[date]:
        """Yield the first day of every month that the history touches."""
        month = self.first.replace(day=1)
        while month < self.as_of:
            yield month
            month = add_months(month, 1)

    def draw_count(self, wished: int, draw: Draw) -> int:
        """Return how often a month has something, by the density; a fraction of one comes in some months only."""
        whole, permille = divmod(wished * self.density, 1000)
        return whole + draw.happens(permille)

    def place(self, day: date, draw: Draw, *, hours: tuple[int, int] = (8, 22)) -> datetime:
        """Return a drawn moment of a local day, as UTC."""
        clock = time(draw.draw_number(*hours), draw.draw_number(0, 59), draw.draw_number(0, 59))
        return datetime.combine(day, clock, ZoneInfo(self.person.zone)).astimezone(UTC)

    def holds(self, moment: datetime) -> bool:
        """Tell whether the moment belongs to the history."""
        return get_day_start(self.first, self.person.zone) <= moment < self.end


def choose_workday(day: date) -> date:
    """Return the day itself, or the Friday before: salaries come early, never late."""
    return day - timedelta(days=max(0, day.weekday() - 4))


def draw_month_day(month: date, draw: Draw) -> date:
    """Return a drawn day of the month."""
    return month + timedelta(days=draw.draw_number(0, (add_months(month, 1) - month).days - 1))

"""Money that comes: salaries with an advance, pensions, stipends, orders, interest. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta

from accounts.demo.catalogue import get_interest_bp, name_month, read_data
from accounts.demo.draws import Draw
from accounts.demo.events import CURRENCY, CURRENT, DEPOSIT, OLD, SAVINGS, AccountPlan, Event, Scene, choose_workday
from accounts.enums import AccountKind, Category, OperationKind
from accounts.local_days import get_month_end
from accounts.services.posting import LineText

PAYDAY, ADVANCE_DAY, PENSION_DAY, STIPEND_DAY = 5, 20, 12, 25
# The advance is two fifths of the month, the salary the rest.
ADVANCE_PERCENT = 40
ACCOUNTS = {
    CURRENT: AccountPlan(
        slot=CURRENT, kind=AccountKind.CURRENT, balance_account="40817", currency="RUB", title="Текущий"
    ),
    SAVINGS: AccountPlan(
        slot=SAVINGS, kind=AccountKind.SAVINGS, balance_account="42301", currency="RUB", title="Накопительный"
    ),
    DEPOSIT: AccountPlan(
        slot=DEPOSIT, kind=AccountKind.DEPOSIT, balance_account="42306", currency="RUB", title="Вклад"
    ),
    CURRENCY: AccountPlan(
        slot=CURRENCY, kind=AccountKind.CURRENT, balance_account="40817", currency="CNY", title="Счёт в юанях"
    ),
    OLD: AccountPlan(
        slot=OLD, kind=AccountKind.SAVINGS, balance_account="42301", currency="RUB", title="Копилка (старая)"
    ),
}
OPENING = {CURRENT: (15_000, 90_000), SAVINGS: (20_000, 400_000), DEPOSIT: (100_000, 900_000), CURRENCY: (500, 9_000)}


def plan_openings(scene: Scene, slots: tuple[str, ...]) -> Iterator[Event]:
    """Yield the balance every account starts with, at midnight of the first day."""
    draw = scene.start_draw("openings")
    for slot in slots:
        least, most = OPENING.get(slot, (1_000, 30_000))
        at = scene.place(scene.first, draw, hours=(0, 0))
        minor = draw.draw_number(least * 100, most * 100)
        text = LineText(memo="Входящий остаток")
        yield Event(key=f"opening.{slot}", at=at, kind=OperationKind.OPENING, slot=slot, minor=minor, text=text)


def plan_incomes(scene: Scene) -> Iterator[Event]:
    """Yield what the person lives on, by the profile's `income`."""
    draw = scene.start_draw("incomes")
    base = draw.draw_number(scene.profile.least, scene.profile.most)
    employer = draw.draw_one(read_data("texts")["employers"])
    for month in scene.list_months():
        if scene.profile.income == "salary":
            yield from plan_salary(scene, draw, month, base, employer)
        elif scene.profile.income == "orders":
            yield from plan_orders(scene, draw, month, base)
        else:
            is_pension = scene.profile.income == "pension"
            day = month.replace(day=PENSION_DAY if is_pension else STIPEND_DAY)
            payer = "Социальный фонд (пример)" if is_pension else "Университет (пример)"
            category = Category.PENSION if is_pension else Category.OTHER
            yield build_income(
                scene, draw, day, base, payer=payer, category=category, memo=scene.profile.income, key="1"
            )


def plan_salary(scene: Scene, draw: Draw, month: date, base: int, employer: str) -> Iterator[Event]:
    advance = base * ADVANCE_PERCENT // 100
    parts = ((PAYDAY, base - advance, "salary"), (ADVANCE_DAY, advance, "advance"))
    for day, minor, memo in parts:
        paid_on = choose_workday(month.replace(day=day))
        yield build_income(
            scene, draw, paid_on, minor, payer=employer, category=Category.SALARY, memo=memo, key=str(day)
        )


def plan_orders(scene: Scene, draw: Draw, month: date, base: int) -> Iterator[Event]:
    """Yield the month's payments of clients: few large ones, none regular."""
    count = draw.draw_number(3, 6)
    for number in range(count):
        day = month + timedelta(days=draw.draw_number(0, 27))
        payer = draw.draw_one(read_data("texts")["employers"])
        minor = draw.vary(base // count, 40)
        yield build_income(
            scene, draw, day, minor, payer=payer, category=Category.OTHER, memo="orders", key=f"o{number}"
        )


def build_income(
    scene: Scene, draw: Draw, day: date, minor: int, *, payer: str, category: Category, memo: str, key: str
) -> Event:
    templates: list[str] = read_data("texts")[memo]
    words = draw.draw_one(templates).format(month=name_month(day), number=draw.draw_digits(4))
    return Event(
        key=f"income.{day.isoformat()}.{key}",
        at=scene.place(day, draw, hours=(9, 15)),
        kind=OperationKind.INCOMING,
        minor=minor,
        text=LineText(category=category, counterparty_name=payer, memo=words),
    )


def plan_interest(scene: Scene, slots: tuple[str, ...]) -> Iterator[Event]:
    """Yield the interest of every account that bears some, on the last day of each month."""
    draw = scene.start_draw("interest")
    text = LineText(category=Category.INTEREST, memo=read_data("texts")["interest"])
    for slot in slots:
        yearly_bp = get_interest_bp(ACCOUNTS[slot].kind)
        if not yearly_bp:
            continue
        for month in scene.list_months():
            day = get_month_end(month)
            yield Event(
                key=f"interest.{slot}.{day.isoformat()}",
                at=scene.place(day, draw, hours=(23, 23)),
                kind=OperationKind.INTEREST,
                slot=slot,
                yearly_bp=yearly_bp,
                text=text,
            )

"""Money between people and between a person's own accounts, and bills. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from accounts.demo.catalogue import KOPECKS, BillerPlan, list_billers, name_month, read_data
from accounts.demo.draws import Draw
from accounts.demo.events import CURRENCY, CURRENT, DEPOSIT, SAVINGS, BillPlan, Event, PayeePlan, Scene, draw_month_day
from accounts.demo.people import draw_other_person, draw_phone
from accounts.enums import Category, OperationKind
from accounts.local_days import add_months
from accounts.services.posting import LineText

BANKS = ("049999999", "049999998", "049999997")
PAYEES = 5
SWEEP_DAY = 21
ISSUE_DAY, DUE_DAY = 5, 25
PAY_DAYS = (10, 15)
WINTER = (11, 12, 1, 2, 3)
NOTICE_DAY, NOTICE_FEE = 28, 59 * KOPECKS
# One incoming memo in twenty of the adversarial demo gives orders.
HOSTILE_PERMILLE = 50


def plan_payees(scene: Scene) -> list[PayeePlan]:
    """Return whom the person pays by phone; the adversarial demo has two of one name, and a phone for a name."""
    draw = scene.start_draw("payees")
    rows = [
        PayeePlan(phone=draw_phone(draw), shown_name=draw_other_person(draw), bik=draw.draw_one(BANKS))
        for _ in range(PAYEES)
    ]
    if scene.adversarial:
        texts = read_data("adversarial")
        names = (texts["twin_name"], texts["twin_name"], texts["phone_name"])
        rows += [PayeePlan(phone=draw_phone(draw), shown_name=name, bik=BANKS[0]) for name in names]
    return rows


def plan_transfers(scene: Scene, payees: Sequence[PayeePlan]) -> Iterator[Event]:
    """Yield transfers by phone in both directions."""
    draw = scene.start_draw("transfers")
    texts = read_data("texts")
    for month in scene.list_months():
        for number in range(scene.draw_count(scene.profile.sbp_out, draw)):
            index = draw.draw_number(0, len(payees) - 1)
            payee, memo = payees[index], draw.draw_one(texts["sent"])
            yield Event(
                key=f"sbp.out.{month.isoformat()}.{number}",
                at=scene.place(draw_month_day(month, draw), draw),
                kind=OperationKind.SBP_OUT,
                minor=draw_gift(draw),
                text=LineText(
                    category=Category.TRANSFERS,
                    counterparty_name=payee.shown_name,
                    counterparty_bik=payee.bik,
                    memo=memo,
                ),
                payee=index,
                description=memo,
            )
        for number in range(scene.draw_count(scene.profile.sbp_in, draw)):
            yield build_gift(scene, draw, month, number)


def build_gift(scene: Scene, draw: Draw, month: date, number: int) -> Event:
    """Return an incoming transfer; its memo is a stranger's text."""
    texts = read_data("texts")
    memo = draw.draw_one(texts["received"])
    if scene.adversarial and draw.happens(HOSTILE_PERMILLE):
        memo = draw.draw_one(read_data("adversarial")["memos"])
    return Event(
        key=f"sbp.in.{month.isoformat()}.{number}",
        at=scene.place(draw_month_day(month, draw), draw),
        kind=OperationKind.SBP_IN,
        minor=draw_gift(draw),
        text=LineText(
            category=Category.TRANSFERS,
            counterparty_name=draw_other_person(draw),
            counterparty_bik=draw.draw_one(BANKS),
            memo=memo,
        ),
    )


def draw_gift(draw: Draw) -> int:
    """Return what people send each other: mostly round hundreds."""
    return draw.draw_number(2, 60) * 100 * KOPECKS if draw.happens(800) else draw.draw_number(9_900, 990_000)


def plan_savings(scene: Scene, slots: Sequence[str]) -> Iterator[Event]:
    """Yield monthly sweeps of what is above the cushion to savings, else to the deposit; and the fee for notices."""
    draw = scene.start_draw("savings")
    target = next((slot for slot in (SAVINGS, DEPOSIT) if slot in slots), "")
    texts = read_data("texts")
    for month in scene.list_months():
        at = scene.place(month.replace(day=SWEEP_DAY), draw)
        memo = texts["deposit"] if target == DEPOSIT else draw.draw_one(texts["own"])
        if target:
            yield Event(
                key=f"own.{month.isoformat()}",
                at=at,
                kind=OperationKind.OWN_TRANSFER,
                minor=scene.profile.saves,
                leaves=scene.profile.keeps,
                target=target,
                text=LineText(category=Category.OWN_TRANSFERS, memo=memo),
            )
        yield Event(
            key=f"fee.{month.isoformat()}",
            at=scene.place(month.replace(day=NOTICE_DAY), draw),
            kind=OperationKind.FEE,
            minor=NOTICE_FEE,
            text=LineText(category=Category.FEES, memo=texts["fee"]),
        )
    if CURRENCY in slots:
        yield Event(
            key="incoming.currency",
            at=scene.place(scene.first + timedelta(days=40), draw),
            kind=OperationKind.INCOMING,
            slot=CURRENCY,
            minor=draw.draw_number(100, 900) * 100,
            text=LineText(category=Category.OTHER, counterparty_name="PRIMER TRADING LTD", memo="INVOICE 7"),
        )


def plan_bills(scene: Scene) -> list[BillPlan]:
    """Return the bills of every month: issued on the 5th, paid from the 10th to the 15th; the newest may wait."""
    plans: list[BillPlan] = []
    for biller in list_billers():
        if biller.code not in scene.profile.billers:
            continue
        draw = scene.start_draw("bills", biller.code)
        reference = draw.draw_digits(10)
        base = draw.draw_number(biller.least, biller.most)
        plans += [plan_bill(scene, draw, biller, month, reference, base) for month in scene.list_months()]
    return [plan for plan in plans if scene.first <= plan.issued_on < scene.as_of]


def plan_bill(scene: Scene, draw: Draw, biller: BillerPlan, month: date, reference: str, base: int) -> BillPlan:
    percent = biller.winter_percent if month.month in WINTER else 100
    is_loan = biller.category == Category.LOANS
    paid_on = month.replace(day=draw.draw_number(*PAY_DAYS))
    return BillPlan(
        biller=biller.code,
        reference=reference,
        minor=base if is_loan else draw.vary(base * percent // 100, 9),
        period=add_months(month, -1),
        issued_on=month.replace(day=ISSUE_DAY),
        due_on=month.replace(day=DUE_DAY),
        paid_on=paid_on if paid_on < scene.as_of else None,
    )


def plan_bill_payments(scene: Scene, bills: Sequence[BillPlan]) -> Iterator[Event]:
    """Yield the payments of the paid bills."""
    billers = {row.code: row for row in list_billers()}
    draw = scene.start_draw("bill payments")
    for index, bill in enumerate(bills):
        if bill.paid_on is None:
            continue
        biller = billers[bill.biller]
        yield Event(
            key=f"bill.{bill.biller}.{bill.period.isoformat()}",
            at=scene.place(bill.paid_on, draw),
            kind=OperationKind.BILL_PAYMENT,
            slot=CURRENT,
            minor=bill.minor,
            text=LineText(category=biller.category, merchant=biller.name, memo=f"За {name_month(bill.period)}"),
            bill=index,
        )

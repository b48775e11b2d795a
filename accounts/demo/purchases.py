"""Money spent by card: habits, fuel, subscriptions, trips, what went wrong and was given back. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from accounts.demo.catalogue import (
    KOPECKS,
    MerchantGroup,
    Offer,
    get_category,
    get_merchant_group,
    list_offers,
    read_data,
)
from accounts.demo.draws import Draw
from accounts.demo.events import Event, Scene, draw_month_day
from accounts.enums import OperationKind
from accounts.local_days import add_months
from accounts.services.posting import LineText

FUEL_HOLD = 3_000 * KOPECKS
# Pre-authorisations that were cleared: few, because each costs the database two round trips.
FUEL_HOLDS = 3
OPEN_HOLDS = 2
ROUND_CASH = 500 * KOPECKS
# One in a hundred merchants of the adversarial demo is hostile.
HOSTILE_PERMILLE = 20


def plan_habits(scene: Scene) -> Iterator[Event]:
    """Yield the month's everyday purchases, as many of each kind as the profile says, give or take."""
    for code, count in scene.profile.habits.items():
        group, draw = get_merchant_group(code), scene.start_draw("habits", code)
        for month in scene.list_months():
            for number in range(scene.draw_count(count, draw)):
                at = scene.place(draw_month_day(month, draw), draw)
                yield build_purchase(scene, draw, group, at, key=f"buy.{code}.{month.isoformat()}.{number}")
    yield from plan_cash(scene)


def build_purchase(scene: Scene, draw: Draw, group: MerchantGroup, at: datetime, *, key: str, minor: int = 0) -> Event:
    """Return one purchase at a drawn merchant of the group, of a drawn price unless `minor` is given."""
    index = draw.draw_number(0, max(len(group.names), len(group.mcc)) - 1)
    mcc = group.mcc[index % len(group.mcc)]
    merchant = "".join(draw.draw_digits(1) if char == "#" else char for char in group.names[index % len(group.names)])
    if scene.adversarial and draw.happens(HOSTILE_PERMILLE):
        merchant = draw.draw_one(read_data("adversarial")["merchants"])
    # Cheap is common: the lower of two draws.
    price = min(draw.draw_number(group.least, group.most), draw.draw_number(group.least, group.most))
    return Event(
        key=key,
        at=at,
        kind=OperationKind.CARD_PURCHASE,
        minor=minor or price,
        text=LineText(category=get_category(mcc), merchant=merchant, mcc=mcc),
        card=0,
    )


def plan_cash(scene: Scene) -> Iterator[Event]:
    """Yield round sums from cash machines."""
    group, draw = get_merchant_group("cash"), scene.start_draw("cash")
    for month in scene.list_months():
        for number in range(scene.draw_count(scene.profile.cash, draw)):
            at = scene.place(draw_month_day(month, draw), draw)
            minor = draw.draw_number(2, 20) * ROUND_CASH
            bought = build_purchase(scene, draw, group, at, key=f"cash.{month.isoformat()}.{number}", minor=minor)
            yield replace(bought, kind=OperationKind.CASH_WITHDRAWAL)


def plan_fuel(scene: Scene) -> Iterator[Event]:
    """Yield fuel; the last few are held in full first and cleared with what was filled, a day or two later."""
    group, draw = get_merchant_group("fuel"), scene.start_draw("fuel")
    bought = []
    for month in scene.list_months():
        for number in range(scene.draw_count(scene.profile.fuel, draw)):
            at = scene.place(draw_month_day(month, draw), draw)
            event = build_purchase(scene, draw, group, at, key=f"fuel.{month.isoformat()}.{number}")
            bought.append(replace(event, minor=min(event.minor, FUEL_HOLD)))
    bought.sort(key=lambda event: event.at)
    clearing = timedelta(hours=draw.draw_number(20, 50))
    held = [event for event in bought if event.at + clearing < scene.end and scene.holds(event.at)][-FUEL_HOLDS:]
    for event in bought:
        if event in held:
            yield replace(event, minor=FUEL_HOLD, clears_at=event.at + clearing, clears_minor=event.minor)
        else:
            yield event


def plan_subscriptions(scene: Scene) -> Iterator[Event]:
    """Yield what is charged every month on its day; one of them rises in price on the way."""
    draw = scene.start_draw("subscriptions")
    for index, offer in enumerate(draw.draw_some(list_offers(), scene.profile.subscriptions)):
        day = draw.draw_number(1, 31)
        risen_from = add_months(scene.first, scene.months * 2 // 3) if index == 0 else scene.as_of
        for month in scene.list_months():
            charged_on = add_months(month, 0, wished_day=day)
            yield build_charge(scene, offer, charged_on, is_risen=charged_on >= risen_from)


def build_charge(scene: Scene, offer: Offer, day: date, *, is_risen: bool) -> Event:
    draw = scene.start_draw("charge", offer.name, day.isoformat())
    return Event(
        key=f"subscription.{offer.name}.{day.isoformat()}",
        at=scene.place(day, draw, hours=(6, 9)),
        kind=OperationKind.CARD_PURCHASE,
        minor=offer.risen if is_risen else offer.price,
        text=LineText(category=get_category(offer.mcc), merchant=offer.name, mcc=offer.mcc),
        card=0,
    )


def plan_journeys(scene: Scene) -> Iterator[Event]:
    """Yield two trips: tickets at home, then a week of paying abroad."""
    draw = scene.start_draw("journeys")
    for trip in range(2):
        start = scene.first + timedelta(days=draw.draw_number(20, max(21, (scene.as_of - scene.first).days - 20)))
        tickets = scene.place(start - timedelta(days=14), draw)
        yield build_purchase(scene, draw, get_merchant_group("travel"), tickets, key=f"trip.{trip}.tickets")
        for number in range(draw.draw_number(3, 6)):
            at = scene.place(start + timedelta(days=number), draw)
            yield build_purchase(scene, draw, get_merchant_group("abroad"), at, key=f"trip.{trip}.abroad.{number}")


def plan_mishaps(scene: Scene) -> Iterator[Event]:
    """Yield a duplicate charge, and a purchase given back in part some weeks later."""
    draw = scene.start_draw("mishaps")
    days = (scene.as_of - scene.first).days
    charged = scene.place(scene.as_of - timedelta(days=draw.draw_number(2, max(3, days // 3))), draw, hours=(9, 20))
    bought = build_purchase(scene, draw, get_merchant_group("groceries"), charged, key="duplicate.1")
    yield bought
    yield replace(bought, key="duplicate.2", at=charged + timedelta(minutes=draw.draw_number(1, 4)))
    at = scene.place(scene.as_of - timedelta(days=draw.draw_number(50, max(51, days - 10))), draw)
    returned = build_purchase(scene, draw, get_merchant_group("clothes"), at, key="returned")
    yield returned
    yield replace(
        returned,
        key="returned.refund",
        at=at + timedelta(days=draw.draw_number(14, 35)),
        kind=OperationKind.REFUND,
        minor=returned.minor - returned.minor // 4 if draw.happens(500) else returned.minor,
        refunds="returned",
        card=0,
    )


def plan_open_holds(scene: Scene) -> Iterator[Event]:
    """Yield purchases of the last two days that the merchants have not cleared yet."""
    draw = scene.start_draw("holds")
    for number in range(OPEN_HOLDS):
        at = scene.place(scene.as_of - timedelta(days=draw.draw_number(1, 2)), draw, hours=(10, 21))
        group = get_merchant_group(draw.draw_one(("restaurants", "transport", "online")))
        bought = build_purchase(scene, draw, group, at, key=f"hold.{number}")
        yield replace(bought, is_held=True)

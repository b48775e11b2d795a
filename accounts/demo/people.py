"""The people of the demo. Nobody real is hit: +7 000 is never assigned, INNs have region 00, cards a test range."""

from dataclasses import dataclass
from datetime import date

from accounts.demo.catalogue import DEMO_BIK, Profile, get_profile, read_data
from accounts.demo.draws import Draw
from accounts.money import CURRENCIES
from accounts.requisites import build_account_number, complete_inn, compute_luhn_digit

# One heavy user in two hundred; the others in the proportions of a bank's retail customers.
EVERY_HEAVY = 200
MIXED = (
    "salary",
    "salary",
    "family",
    "salary",
    "pensioner",
    "student",
    "salary",
    "self_employed",
    "pensioner",
    "family",
)
AGES = {"student": (18, 24), "pensioner": (60, 85)}
ADULT = (25, 58)
CARD_RANGE = "220000"
# Coprime with 10^9: numbers that follow each other look unlike, and none comes twice.
SCATTER = 387_420_489


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One customer to be; `username` is also the name of her stream of choices."""

    seed: int
    number: int
    username: str
    profile: Profile
    first_name: str
    patronymic: str
    last_name: str
    birth_date: date
    inn: str
    phone: str
    zone: str

    def start_draw(self, *purpose: object) -> Draw:
        """Return the stream of this person's choices for one purpose."""
        return Draw(self.seed, self.number, *purpose)


def build_person(seed: int, number: int, as_of: date) -> Person:
    """Return the customer `number` of `seed`; the same for ever."""
    draw = Draw(seed, number, "person")
    profile = get_profile(choose_profile(number))
    is_woman = draw.happens(500)
    names = read_data("people")
    youngest, oldest = AGES.get(profile.code, ADULT)
    birth_year = as_of.year - draw.draw_number(youngest, oldest)
    return Person(
        seed=seed,
        number=number,
        username=f"demo{seed}-{number:05}",
        profile=profile,
        first_name=draw.draw_one(names["women" if is_woman else "men"]),
        patronymic=draw.draw_one(names["patronymics"])[is_woman],
        last_name=draw.draw_one(names["surnames"])[is_woman],
        birth_date=date(birth_year, draw.draw_number(1, 12), draw.draw_number(1, 28)),
        inn=complete_inn(f"00{draw.draw_digits(8)}"),
        phone=f"+7000{number % 10_000_000:07}",
        zone=draw.draw_one(names["zones"]),
    )


def choose_profile(number: int) -> str:
    return "heavy" if number % EVERY_HEAVY == 7 else MIXED[number % len(MIXED)]


def build_number(person: Person, index: int, *, balance_account: str, currency: str) -> str:
    """Return the number of the person's account `index`, its key right at the demo bank."""
    return build_account_number(
        DEMO_BIK,
        balance_account=balance_account,
        currency_digits=CURRENCIES[currency].account_digits,
        branch=f"{1000 + person.seed % 9000:04}",
        own_number=f"{person.number % 100_000:05}{index:02}",
    )


def build_card_number(person: Person, index: int) -> str:
    """Return a card number of the test range with its Luhn digit; it is never stored."""
    serial = (person.seed % 1000 * 1_000_000 + person.number % 100_000 * 10 + index) * SCATTER % 10**9
    digits = f"{CARD_RANGE}{serial:09}"
    return digits + compute_luhn_digit(digits)


def draw_other_person(draw: Draw) -> str:
    """Return the masked name of somebody else, as another bank gives it: "Иван И."."""
    names = read_data("people")
    is_woman = draw.happens(500)
    first = draw.draw_one(names["women" if is_woman else "men"])
    return f"{first} {draw.draw_one(names['surnames'])[is_woman][0]}."


def draw_phone(draw: Draw) -> str:
    """Return a phone of the unassigned range that the demo gateway simply accepts (not ending in 91 to 99)."""
    return f"+7000{draw.draw_digits(5)}{draw.draw_number(0, 90):02}"

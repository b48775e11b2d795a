"""What the demo is made of: names, merchants, billers, texts, conditions, read once from accounts/demo/data."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from accounts.enums import AccountKind, Category
from accounts.requisites import complete_inn

DATA = Path(__file__).resolve().parent / "data"
KOPECKS = 100
DEMO_BIK = "049999999"


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantGroup:
    """Merchants of one kind; prices in kopecks."""

    code: str
    names: tuple[str, ...]
    mcc: tuple[str, ...]
    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Something charged every month, in kopecks; `risen` is the price after its rise."""

    name: str
    mcc: str
    price: int
    risen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BillerPlan:
    """A biller and how large its monthly bills are, in kopecks; winter bills are `winter_percent` of summer's."""

    code: str
    name: str
    inn: str
    category: Category
    least: int
    most: int
    winter_percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How one kind of person lives, a month; sums in kopecks. `habits`: purchases by group of merchants."""

    code: str
    income: str
    least: int
    most: int
    sbp_out: int
    sbp_in: int
    cash: int
    keeps: int
    saves: int
    subscriptions: int
    billers: tuple[str, ...]
    accounts: tuple[str, ...]
    habits: Mapping[str, int]
    fuel: int


@cache
def read_data(name: str) -> Mapping[str, Any]:
    """Return one file of accounts/demo/data."""
    return MappingProxyType(tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8")))


@cache
def get_merchant_group(code: str) -> MerchantGroup:
    row = next(row for row in read_data("merchants")["groups"] if row["code"] == code)
    return MerchantGroup(
        code=code,
        names=tuple(row["names"]),
        mcc=tuple(row["mcc"]),
        least=row["least"] * KOPECKS,
        most=row["most"] * KOPECKS,
    )


def get_category(mcc: str) -> Category:
    """Return the category that a merchant category code means; `other` for an unknown one."""
    return Category(read_data("merchants")["categories"].get(mcc, Category.OTHER))


@cache
def list_offers() -> tuple[Offer, ...]:
    rows = read_data("merchants")["subscriptions"]
    return tuple(
        Offer(name=row["name"], mcc=row["mcc"], price=row["price"] * KOPECKS, risen=row["risen"] * KOPECKS)
        for row in rows
    )


@cache
def list_billers() -> tuple[BillerPlan, ...]:
    return tuple(
        BillerPlan(
            code=row["code"],
            name=row["name"],
            inn=complete_inn(row["inn"]),
            category=Category(row["category"]),
            least=row["least"] * KOPECKS,
            most=row["most"] * KOPECKS,
            winter_percent=row["winter_percent"],
        )
        for row in read_data("billers")["billers"]
    )


@cache
def get_profile(code: str) -> Profile:
    row: dict[str, Any] = dict(read_data("profiles")[code])
    row |= {name: row[name] * KOPECKS for name in ("least", "most", "keeps", "saves")}
    row |= {name: tuple(row[name]) for name in ("billers", "accounts")}
    return Profile(**{**row, "code": code, "habits": MappingProxyType(row["habits"])})


def get_interest_bp(kind: AccountKind) -> int:
    """Return the yearly interest of an account of this kind, in hundredths of a percent."""
    rates: Mapping[str, int] = read_data("conditions")["interest_bp"]
    return rates.get(kind.value, 0)


def name_month(day: date) -> str:
    """Return the month of `day` in Russian."""
    months: list[str] = read_data("texts")["months"]
    return months[day.month - 1]

from datetime import date
from typing import Any

from pydantic import Field

from accounts.local_days import Period
from accounts.money import Money
from functions.arguments import Args
from functions.fields import AccountHandle, Day, PeriodName, Rubles, SearchText
from functions.masked_arguments import mask_arguments


class Wide(Args):
    account: AccountHandle
    amount: Rubles | None = None
    day: Day | None = None
    period: PeriodName | None = None
    count: int | None = None
    is_new: bool | None = None
    text: SearchText | None = None
    from_: str | None = Field(default=None, alias="from")


def mask(**values: Any) -> dict[str, str]:
    return mask_arguments(Wide.model_validate({"account": "acc_1", **values}))


def test_given_arguments_are_shown_as_short_texts() -> None:
    shown = mask(
        amount=Money(150_050),
        day=date(2026, 2, 28),
        period=Period.TODAY,
        count=5,
        is_new=True,
        **{"from": "USD"},
    )
    assert shown == {
        "account": "acc_1",
        "amount": "1\u00a0500,50\u00a0₽",
        "day": "2026-02-28",
        "period": "today",
        "count": "5",
        "is_new": "true",
        "from": "USD",
    }


def test_numbers_of_a_person_are_never_shown() -> None:
    shown = mask(text="переведи на +7 912 345-67-89 или 4276 1234 5678 9012, почта a@b.ru")
    assert shown["text"] == "переведи на [phone] или [digits], почта [email]"


def test_long_and_hidden_text_is_cut_and_cleaned() -> None:
    assert mask(text="а\u202eб\u200b" + "я" * 100)["text"] == "аб" + "я" * 78
    assert mask_arguments(None) == {}

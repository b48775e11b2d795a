import json
from typing import Any, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from typing_extensions import override

from accounts import errors
from accounts.money import Money
from functions.errors import CallRefused, Code, FieldProblem
from functions.refusals import MESSAGES, TRANSLATIONS, translate_error
from functions.results import MAX_ROWS, MoneyView, Result, ResultTooLarge, build_refusal, build_success


class Rows(Result):
    ROWS = "rows"

    rows: list[str]
    total_count: int = 0
    next: str | None = None

    @override
    def keep_rows(self, count: int) -> Self:
        return super().keep_rows(count).model_copy(update={"next": f"after {count}"})


class Text(Result):
    text: str
    other: str | None = None


class Foreign(BaseModel):
    text: str = "x"


def read(text: str) -> Any:
    return json.loads(text)


def test_money_is_told_exactly_and_as_people_write_it() -> None:
    view = MoneyView.from_money(Money(1_234_567))
    assert view.model_dump() == {
        "amount": "12345.67",
        "currency": "RUB",
        "text": "12\u00a0345,67\u00a0₽",
    }


def test_result_leaves_out_what_is_none_and_may_carry_a_note() -> None:
    assert read(build_success(Text(text="я"), limit=100).text) == {"ok": True, "data": {"text": "я"}}
    noted = build_success(Text(text="x", other="y"), limit=100, note="важно")
    assert read(noted.text) == {"ok": True, "data": {"text": "x", "other": "y"}, "note": "важно"}
    assert build_success(Foreign(), limit=100).text == '{"ok":true,"data":{"text":"x"}}'


def test_rows_that_fit_are_all_there() -> None:
    envelope = build_success(Rows(rows=["a"] * MAX_ROWS, total_count=500), limit=4096)
    assert read(envelope.text) == {"ok": True, "data": {"rows": ["a"] * MAX_ROWS, "total_count": 500}}
    assert envelope.public == {"rows": 20}


def test_more_than_twenty_rows_are_cut_and_the_cursor_follows() -> None:
    body = read(build_success(Rows(rows=["a"] * 21), limit=4096).text)
    assert (len(body["data"]["rows"]), body["data"]["next"]) == (20, "after 20")
    assert body["note"] == "Показаны первые 20 из 21 строк."


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(max_size=400), max_size=30), st.sampled_from([512, 1024, 4096, 16_384, 99_999]))
def test_envelope_is_always_whole_json_within_its_limit(rows: list[str], limit: int) -> None:
    rows = [row.encode("utf-8", "replace").decode() for row in rows]
    envelope = build_success(Rows(rows=rows), limit=limit)
    kept = read(envelope.text)["data"]["rows"]
    assert kept == rows[: len(kept)]
    assert envelope.size_bytes <= min(limit, 16_384)
    if len(kept) < min(len(rows), MAX_ROWS):
        one_more = Rows(rows=rows[: len(kept) + 1], next="after 20")
        assert len(one_more.model_dump_json(exclude_none=True).encode()) > min(limit, 16_384) - 250


def test_result_that_cannot_shrink_is_our_own_fault() -> None:
    with pytest.raises(ResultTooLarge):
        build_success(Text(text="x" * 4096), limit=4096)
    with pytest.raises(ResultTooLarge):
        build_success(Text(text="x" * 17_000), limit=99_999)


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_message_and_a_way_out_in_russian(code: Code) -> None:
    error = read(build_refusal(CallRefused(code)).text)["error"]
    assert set(error) == {"code", "message", "fix", "retry"}
    assert error["code"] == code.value
    assert all(any("а" <= letter <= "я" for letter in text) for text in (error["message"], error["fix"]))
    assert set(MESSAGES) == set(Code)


def test_refusal_tells_what_its_raiser_said() -> None:
    refused = CallRefused(
        Code.AMBIGUOUS_REFERENCE,
        "Счетов два.",
        fix="Спроси.",
        fields=(FieldProblem("account", "не указан", "acc_1"),),
        details={"choices": [{"account": "acc_1"}], "code": "forged"},
        can_retry=True,
    )
    assert read(build_refusal(refused).text)["error"] == {
        "choices": [{"account": "acc_1"}],
        "code": "ambiguous_reference",
        "message": "Счетов два.",
        "fix": "Спроси.",
        "retry": True,
        "fields": [{"name": "account", "problem": "не указан", "expected": "acc_1"}],
    }


def test_refusal_whose_details_are_too_long_goes_without_them() -> None:
    refused = CallRefused(Code.AMBIGUOUS_REFERENCE, details={"choices": ["x" * 100] * 50})
    error = read(build_refusal(refused).text)["error"]
    assert "choices" not in error
    assert error["code"] == "ambiguous_reference"


def list_refusals() -> list[type[errors.OperationRefused]]:
    found, waiting = [], [errors.OperationRefused]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += one.__subclasses__()
    return found


def test_every_refusal_of_the_bank_has_its_code() -> None:
    ours = {errors.OperationRefused, errors.NotReversible, errors.HoldResolved, errors.PostTooLarge,
            errors.IdempotencyConflict}  # fmt: skip
    assert {kind for kind in list_refusals() if kind not in TRANSLATIONS} == ours


def test_codes_of_one_name_stay_the_same() -> None:
    names = {code.value for code in Code}
    pairs = [(getattr(kind, "code", ""), code.value) for kind, code in TRANSLATIONS.items()]
    assert [(theirs, ours) for theirs, ours in pairs if theirs in names and theirs != ours] == []


def test_errors_of_the_bank_are_translated_with_their_hope() -> None:
    assert translate_error(errors.InsufficientFunds()).code is Code.INSUFFICIENT_FUNDS
    unavailable = translate_error(errors.GatewayUnavailable())
    assert (unavailable.code, unavailable.can_retry) == (Code.TEMPORARILY_UNAVAILABLE, True)
    assert translate_error(errors.HoldResolved()).code is Code.INTERNAL
    assert translate_error(errors.TokenInvalid()).code is Code.INTERNAL

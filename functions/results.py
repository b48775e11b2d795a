"""What the model is told: always one JSON object, never longer than allowed, never cut in the middle. Pure.

Success: `{"ok":true,"data":{…},"note":…}`; refusal: `{"ok":false,"error":{"code","message","fix","fields","retry"}}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import orjson
from pydantic import BaseModel, ConfigDict

from accounts.money import Money, format_money, format_plain
from functions.definitions import DEFAULT_RESULT_BYTES, MAX_RESULT_BYTES
from functions.errors import CallRefused, FunctionsError
from functions.refusals import MESSAGES
from functions.schemas import SUMMARY

MAX_ROWS = 20
NOTE_BYTES = 200


class ResultTooLarge(FunctionsError):
    """Even without rows the result passes the limit: the function is wrong."""


class Result(BaseModel):
    """Base of every result model. What is None is left out.

    ROWS  the field with the rows, of which the last ones are dropped when there are too many; "": nothing to drop
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ROWS: ClassVar[str] = ""

    def count_rows(self) -> int:
        return len(getattr(self, self.ROWS)) if self.ROWS else 0

    def keep_rows(self, count: int) -> Self:
        """Return the result with its first `count` rows; one with a `next` cursor makes it point behind the last."""
        return self.model_copy(update={self.ROWS: getattr(self, self.ROWS)[:count]}) if self.ROWS else self

    def describe_public(self) -> dict[str, str | int]:
        """Return what the phone and the log may see of the result: counts and codes, never values."""
        return {"rows": self.count_rows()} if self.ROWS else {}


class MoneyView(Result):
    """An amount as the model reads it: `text` is what it should write."""

    # Every result is full of them: the model is told the one member it needs.
    model_config = ConfigDict(json_schema_extra={SUMMARY: "text"})

    amount: str
    currency: str
    text: str

    @classmethod
    def from_money(cls, money: Money) -> "MoneyView":
        return cls(amount=format_plain(money), currency=money.currency, text=format_money(money))


@dataclass(frozen=True, slots=True)
class Envelope:
    """`text` for the model; `public` for the phone and the log."""

    text: str = field(repr=False)
    public: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        return len(self.text.encode())


def build_success(result: BaseModel, *, limit: int, note: str = "") -> Envelope:
    """Return the envelope of a result, whole rows dropped until it fits; the note says how many are shown.

    Raises: ResultTooLarge
    """
    if not isinstance(result, Result):
        return measure(encode_success(result, note), limit, {})
    fitted = fit_result(result, min(limit, MAX_RESULT_BYTES) - NOTE_BYTES - len(note.encode()))
    dropped = result.count_rows() - fitted.count_rows()
    notes = [note, f"Показаны первые {fitted.count_rows()} из {result.count_rows()} строк." if dropped else ""]
    public = {**fitted.describe_public(), **({"dropped": dropped} if dropped else {})}
    return measure(encode_success(fitted, " ".join(part for part in notes if part)), limit, public)


def fit_result(result: Result, limit: int) -> Result:
    """Return the result with as many of its first rows as fit into `limit` bytes, at most 20."""
    least, most = 0, min(result.count_rows(), MAX_ROWS)
    fitted = result if most == result.count_rows() else result.keep_rows(most)
    if len(dump(fitted)) <= limit:
        return fitted
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if len(dump(result.keep_rows(middle))) <= limit else (least, middle - 1)
    return result.keep_rows(least)


def measure(text: bytes, limit: int, public: Mapping[str, str | int]) -> Envelope:
    if len(text) > min(limit, MAX_RESULT_BYTES):
        raise ResultTooLarge(str(len(text)))
    return Envelope(text.decode(), public)


def encode_success(result: BaseModel, note: str) -> bytes:
    noted = b',"note":' + orjson.dumps(note) if note else b""
    return b'{"ok":true,"data":' + dump(result) + noted + b"}"


def dump(result: BaseModel) -> bytes:
    return orjson.dumps(result.model_dump(mode="json", exclude_none=True))


def build_refusal(refused: CallRefused) -> Envelope:
    """Return the envelope of an error; what it does not say itself is said by its code."""
    message, fix = MESSAGES[refused.code]
    error: dict[str, Any] = {
        "code": refused.code.value,
        "message": refused.message or message,
        "fix": refused.fix or fix,
        "retry": refused.can_retry,
    }
    if refused.fields:
        error["fields"] = [
            {"name": field.name, "problem": field.problem, "expected": field.expected} for field in refused.fields
        ]
    text = orjson.dumps({"ok": False, "error": {**refused.details, **error}})
    if len(text) > DEFAULT_RESULT_BYTES:
        text = orjson.dumps({"ok": False, "error": error})
    return Envelope(text.decode(), {"code": refused.code.value})

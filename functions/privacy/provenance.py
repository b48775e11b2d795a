"""Where the payee, the message and the amount of a payment came from. Pure.

A stranger's memo, a file or the model itself must not choose whom the customer pays or what is written to them: both
come from the customer's own messages, a saved payee, or a choice in the app. What cannot be proven is not forbidden,
it is asked about with all care: the risk is high and the payee must be typed in the app.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from accounts.folding import MEMO_LENGTH, clean_untrusted, fold_text
from accounts.money import CURRENCIES, Money
from functions.figures import FigureKind, find_figures
from functions.privacy.patterns import drop_hidden, find_values, undisguise

PHONE_DIGITS = 10
DIGIT_RUN = re.compile(r"[0-9](?:[\s().\-\u2010-\u2015]{0,3}[0-9]){9,}")
HANDLE = re.compile(
    r"⟦[^⟧]*⟧?|⟧|(?<!\w)(?:acc|card|tx|payee|bill|plan|confirm|file|phone|pan|number|inn|name|email)_[0-9]+"
)
NOT_DIGITS = re.compile(r"[^0-9]+")


class Origin(StrEnum):
    """The closed codes of a plan's `origins`."""

    PAYEE_TYPED = "payee_typed"
    PAYEE_SAVED = "payee_saved"
    PAYEE_CHOSEN = "payee_chosen"
    PAYEE_UNPROVEN = "payee_unproven"
    MEMO_NONE = "memo_none"
    MEMO_TYPED = "memo_typed"
    MEMO_CUT = "memo_cut"
    MEMO_DROPPED = "memo_dropped"
    AMOUNT_TYPED = "amount_typed"
    AMOUNT_OF_BILL = "amount_of_bill"
    AMOUNT_UNPROVEN = "amount_unproven"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proven; only when `is_proven` may the payee be confirmed by one act."""

    origin: Origin

    @property
    def is_proven(self) -> bool:
        return self.origin not in {Origin.PAYEE_UNPROVEN, Origin.AMOUNT_UNPROVEN, Origin.MEMO_DROPPED}


@dataclass(frozen=True, slots=True)
class MemoProof(Proof):
    """`text` is what may go out: the customer's own words, or nothing."""

    text: str = field(default="", repr=False)


def prove_payee(
    target: str, *, customer_texts: Iterable[str], is_saved: bool = False, is_chosen: bool = False
) -> Proof:
    """Tell where a payee came from.

    target     phone, card or account number in the open, in any form; "" when only a saved payee is meant
    is_saved   picked by the handle of a saved payee or of one paid before
    is_chosen  picked by the customer in the app
    """
    if is_chosen:
        return Proof(Origin.PAYEE_CHOSEN)
    if is_saved:
        return Proof(Origin.PAYEE_SAVED)
    is_typed = is_number_typed(target, customer_texts)
    return Proof(Origin.PAYEE_TYPED if is_typed else Origin.PAYEE_UNPROVEN)


def is_number_typed(target: str, customer_texts: Iterable[str]) -> bool:
    """Tell whether the customer wrote this number; phones count by their last ten digits (8 and +7 are one)."""
    digits = NOT_DIGITS.sub("", target)
    if len(digits) < PHONE_DIGITS:
        return False
    wanted = digits[-PHONE_DIGITS:] if len(digits) <= PHONE_DIGITS + 1 else digits
    return any(has_number(text, wanted) for text in customer_texts)


def has_number(text: str, wanted: str) -> bool:
    """Tell whether one of the numbers a text holds is `wanted`, with at most the country's code before it."""
    found = (NOT_DIGITS.sub("", span.value) for span in find_values(drop_hidden(text)))
    return any(digits.endswith(wanted) and digits[: -len(wanted)] in {"", "7", "8"} for digits in found)


def prove_memo(memo: str, customer_texts: Iterable[str]) -> MemoProof:
    """Return the message that may go with a payment: a piece of what the customer wrote, without long numbers,
    handles and placeholders; nothing else ever goes out.
    """
    wanted = normalise(memo)
    if not wanted:
        return MemoProof(Origin.MEMO_NONE)
    cleaned = clean_memo(memo)
    is_typed = any(contains_words(normalise(text), wanted) for text in customer_texts)
    if not is_typed or not cleaned:
        return MemoProof(Origin.MEMO_DROPPED)
    is_whole = normalise(cleaned) == wanted
    return MemoProof(Origin.MEMO_TYPED if is_whole else Origin.MEMO_CUT, cleaned)


def contains_words(text: str, wanted: str) -> bool:
    """Tell whether `wanted` stands in `text` as whole words."""
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text) is not None


def normalise(text: str) -> str:
    """Return the text as two writings of the same words compare: folded, quotation marks and final stops gone."""
    cleaned = clean_untrusted(text, 4_000)
    folded = " ".join(fold_text(part) for part in re.findall(r".{1,400}", cleaned))
    return re.sub(r"[«»\"“”„'`]", "", folded).strip(" .,;:!?")


def clean_memo(memo: str) -> str:
    """Return the message without digit runs of ten and more, handles and placeholders."""
    shown = clean_untrusted(HANDLE.sub(" ", undisguise(memo)), 4_000)
    return " ".join(DIGIT_RUN.sub(" ", shown).split())[:MEMO_LENGTH].strip()


def prove_amount(amount: Money, *, customer_texts: Iterable[str], bill: Money | None = None) -> Proof:
    """Tell whether the amount is one the customer wrote, or the bill's. It is free either way, since it is shown."""
    if bill is not None and amount == bill:
        return Proof(Origin.AMOUNT_OF_BILL)
    is_typed = any(is_amount_written(amount, text) for text in customer_texts)
    return Proof(Origin.AMOUNT_TYPED if is_typed else Origin.AMOUNT_UNPROVEN)


def is_amount_written(amount: Money, text: str) -> bool:
    scale = 10 ** CURRENCIES[amount.currency].exponent
    figures = (one for one in find_figures(text) if one.kind in {FigureKind.AMOUNT, FigureKind.COUNT})
    return any(value * scale == amount.minor for one in figures for value in one.values)

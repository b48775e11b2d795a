"""Puts the original values back where the model wrote placeholders, in a stream cut anywhere.

Text after an opening mark is held back until its closing mark comes, so that no half of a placeholder is ever shown
and no value is ever cut in two by us.
"""

import re
from collections.abc import Callable, Mapping

from functions.enums import HandleKind
from functions.privacy.masking import CLOSING, OPENING, PlaceholderTable

# A longer text between the marks is no placeholder: it is let go.
MAX_HELD = 64
MARKS = str.maketrans("", "", OPENING + CLOSING)
HALF = re.compile(r"\s*[A-Za-z]{0,8}(?:_[0-9]{0,9})?(?:\.[a-z]*)?\s*")
RUSSIAN_PHONE = re.compile(r"\+7([0-9]{3})([0-9]{3})([0-9]{2})([0-9]{2})")

Lookup = Callable[[str], str | None]


class Restorer:
    """One answer. `unknown` counts the placeholders that stood for nothing; they are removed.

    values  what handles stand for: a mapping, or a function that returns None for an unknown one
    """

    def __init__(self, values: Mapping[str, str] | Lookup) -> None:
        self._lookup: Lookup = values.get if isinstance(values, Mapping) else values
        self._held = ""
        self.unknown = 0

    @property
    def is_holding(self) -> bool:
        """Whether something came in that has not gone out."""
        return bool(self._held)

    def feed(self, piece: str) -> str:
        """Return what can be shown now; never a mark, never a part of a placeholder."""
        if not self._held and OPENING not in piece and CLOSING not in piece:
            return piece
        text, shown = self._held + piece, []
        self._held = ""
        while text:
            plain, mark, rest = text.partition(OPENING)
            shown.append(plain.translate(MARKS))
            if not mark:
                break
            text = self.take_placeholder(rest, shown)
        return "".join(shown)

    def take_placeholder(self, rest: str, shown: list[str]) -> str:
        """Restore the placeholder at the beginning of `rest`, or hold it back, and return what follows it."""
        inside, mark, after = rest.partition(CLOSING)
        restart = inside.find(OPENING)
        if restart >= 0:
            shown.append(inside[:restart])
            return rest[restart:]
        if len(inside) > MAX_HELD or "\n" in inside:
            shown.append(inside)
            return after
        if not mark:
            self._held = OPENING + inside
            return ""
        shown.append(self.restore(inside))
        return after

    def restore(self, inside: str) -> str:
        value = self._lookup(inside.strip().lower())
        if value is None:
            self.unknown += 1
            return ""
        return value.translate(MARKS)

    def flush(self) -> str:
        """Return what is still held back at the end of the answer; half a placeholder is removed and counted."""
        inside, self._held = self._held.removeprefix(OPENING), ""
        if inside and HALF.fullmatch(inside):
            self.unknown += 1
            return ""
        return inside


def build_lookup(table: PlaceholderTable, extra: Mapping[str, str] | Lookup | None = None) -> Lookup:
    """Return what the placeholders of a conversation stand for, for people to read.

    extra  more placeholders than the table's values: "acc_1.requisites"; asked first
    """
    known: Lookup = (lambda _handle: None) if extra is None else extra.get if isinstance(extra, Mapping) else extra

    def look_up(handle: str) -> str | None:
        found = known(handle)
        value = table.read_value(handle) if found is None else found
        return value if value is None else show_value(handle, value)

    return look_up


def show_value(handle: str, value: str) -> str:
    """Return a value as people write it: "+7 900 000-00-01"; everything but Russian phones as it is."""
    if handle.startswith(f"{HandleKind.PHONE.value}_"):
        return RUSSIAN_PHONE.sub(r"+7 \1 \2-\3-\4", value)
    return value

"""Replaces personal values by placeholders before a text leaves for the model's provider: ⟦phone_1⟧.

The originals stay here: each value is sealed in the conversation's handle table, and the same value has the same
placeholder whoever wrote it. What is masked and what is not: docs/functions.md "What the provider is told".
"""

import re
from collections.abc import Iterable
from typing import Protocol

from accounts.models import Customer
from accounts.selectors.owned import find_payees
from functions.enums import HandleKind
from functions.models.handle import SEALED_KINDS
from functions.privacy.patterns import Span, drop_hidden, find_values
from functions.privacy.surnames import Surnames, build_surnames

OPENING, CLOSING = "⟦", "⟧"
PLACEHOLDER = re.compile(r"⟦(?P<handle>(?P<kind>[a-z]{1,8})_[1-9][0-9]{0,8})⟧")
TYPED_MARKS = str.maketrans(OPENING + CLOSING, "[]")


class PlaceholderTable(Protocol):
    """What a masker needs of `functions.handles.HandleTable`."""

    def mint_value(self, kind: HandleKind, value: str) -> str:
        """Return the handle of a value: "phone_1", the same for the same value."""

    def read_value(self, text: str) -> str | None:
        """Return the value of a handle of this conversation, None for an unknown one."""


class Masker:
    """Masks the texts of one conversation. Not for two threads at once: it fills the table."""

    def __init__(self, table: PlaceholderTable, surnames: Surnames) -> None:
        self._table = table
        self._surnames = surnames

    def mask(self, text: str) -> str:
        """Return `text` as the provider may read it.

        Masking twice changes nothing more. Marks ⟦ ⟧ of which nothing of this conversation stands become [ ].
        """
        if OPENING in text or CLOSING in text:
            return self.mask_around_placeholders(text)
        return self.mask_plain(text)

    def mask_around_placeholders(self, text: str) -> str:
        parts, end = [], 0
        for found in PLACEHOLDER.finditer(text):
            if found["kind"] in SEALED_KINDS and self._table.read_value(found["handle"]) is not None:
                parts += [self.mask_plain(text[end : found.start()].translate(TYPED_MARKS)), found[0]]
                end = found.end()
        return "".join((*parts, self.mask_plain(text[end:].translate(TYPED_MARKS))))

    def mask_plain(self, text: str) -> str:
        text = drop_hidden(text)
        spans = find_values(text)
        names = [Span(start, end, HandleKind.NAME, text[start:end]) for start, end in self._surnames.find(text)]
        spans += [name for name in names if not any(span.start < name.end and name.start < span.end for span in spans)]
        if not spans:
            return text
        parts, end = [], 0
        for span in sorted(spans, key=lambda span: span.start):
            handle = self._table.mint_value(span.kind, span.value)
            parts += [text[end : span.start], f"{OPENING}{handle}{CLOSING}"]
            end = span.end
        return "".join((*parts, text[end:]))


def build_masker(customer: Customer, table: PlaceholderTable) -> Masker:
    """Return the masker of a conversation of the customer's; one query for the payees' names."""
    shown = find_payees(customer.pk).values_list("shown_name", flat=True)
    return Masker(table, build_surnames([customer.last_name], shown))


def mask_texts(masker: Masker, texts: Iterable[str]) -> tuple[str, ...]:
    """Return the texts masked, numbered in this order."""
    return tuple(masker.mask(text) for text in texts)

"""Handles of one conversation: `acc_1` for an account, `phone_1` for a phone the customer typed.

A table is loaded once, grows in memory and is written by whoever records the call. Nothing leads from a handle to
another customer's or another conversation's object: what is not in the table is unknown.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from accounts.vault import digest_target, seal_text, unseal_text
from functions.enums import HandleKind
from functions.errors import FunctionsError
from functions.models import Handle
from functions.models.handle import SEALED_KINDS

# A model may write the handle as it saw it in a placeholder, and in any case.
WRITTEN = re.compile(r"\s*⟦?\s*(?P<kind>[a-z]{1,8})_(?P<number>[1-9][0-9]{0,8})\s*⟧?\s*", re.IGNORECASE)


def is_handle(text: str) -> bool:
    """Tell whether `text` is written like a handle, known or not."""
    return WRITTEN.fullmatch(text) is not None


# Written out, because every call of the model and every text sent to it pays for it.
LOAD = "SELECT * FROM functions_handle WHERE conversation_id = %s AND customer_id = %s ORDER BY id"


class HandlesChanged(FunctionsError):
    """Another writer minted the same handles for something else. Evaluating the call again helps."""


class HandleTable:
    """The handles of one conversation, those of the database and those minted since."""

    def __init__(self, conversation_id: UUID, customer_id: UUID, rows: tuple[Handle, ...] = ()) -> None:
        self.conversation_id = conversation_id
        self.customer_id = customer_id
        self._by_place = {(row.kind, row.number): row for row in rows}
        self._by_reference = {(row.kind, row.reference): row for row in rows}
        self._minted: list[Handle] = []
        self._revealed: dict[str, str] = {}

    @classmethod
    def load(cls, conversation_id: UUID, customer_id: UUID) -> "HandleTable":
        """Return the conversation's table; one query. A conversation of another customer gives an empty one."""
        return cls(conversation_id, customer_id, tuple(Handle.objects.raw(LOAD, [conversation_id, customer_id])))

    def __iter__(self) -> Iterator[Handle]:
        return iter(tuple(self._by_place.values()))

    def find(self, text: str) -> Handle | None:
        """Return the handle that `text` writes: `acc_1`, `ACC_1`, `⟦acc_1⟧`; None for everything else."""
        written = WRITTEN.fullmatch(text)
        if written is None:
            return None
        return self._by_place.get((written["kind"].lower(), int(written["number"])))

    def find_kind(self, text: str, kind: HandleKind) -> Handle | None:
        """Return the handle that `text` writes, when it is of this kind."""
        found = self.find(text)
        return found if found is not None and found.kind == kind else None

    def mint(self, kind: HandleKind, reference: str, sealed: bytes | None = None) -> str:
        """Return the text of the object's handle, a new one when it has none yet.

        reference  the object's public id, or the digest of a value
        sealed     the value of a kind that is kept sealed
        """
        known = self._by_reference.get((kind, reference))
        if known is not None:
            return known.text
        number = 1 + max((taken for of_kind, taken in self._by_place if of_kind == kind), default=0)
        row = Handle(
            conversation_id=self.conversation_id,
            customer_id=self.customer_id,
            kind=kind,
            number=number,
            reference=reference,
            sealed=sealed,
        )
        self._by_place[kind, number] = row
        self._by_reference[kind, reference] = row
        self._minted.append(row)
        return row.text

    def mint_value(self, kind: HandleKind, value: str) -> str:
        """Return the handle of a personal value; the same value always has the same one. The value is sealed.

        Raises: ValueError for a kind that stands for objects
        """
        if kind not in SEALED_KINDS:
            raise ValueError("handles of objects seal nothing")
        reference = digest_target(f"handle {kind.value}", value)
        known = self._by_reference.get((kind, reference))
        return known.text if known is not None else self.mint(kind, reference, seal_text(value))

    def reveal(self, placeholder: str, value: str) -> None:
        """Let `placeholder` ("acc_1.requisites") stand for `value` as long as this table lives; it is never stored."""
        self._revealed[placeholder] = value

    def read_value(self, text: str) -> str | None:
        """Return the value that a handle or placeholder stands for; None when it is unknown or stands for an object."""
        if text in self._revealed:
            return self._revealed[text]
        found = self.find(text)
        return None if found is None or found.sealed is None else unseal_text(found.sealed)

    def save(self, now: datetime) -> int:
        """Write what was minted since and return how many; two queries, none when nothing is new.

        Raises: HandlesChanged
        """
        if not self._minted:
            return 0
        rows, self._minted = self._minted, []
        for row in rows:
            row.created_at = now
        Handle.objects.bulk_create(rows, ignore_conflicts=True)
        stored = Handle.objects.filter(conversation_id=self.conversation_id, customer_id=self.customer_id)
        references = stored.filter(kind__in={row.kind for row in rows}, number__in={row.number for row in rows})
        kept = set(references.values_list("kind", "number", "reference"))
        if any((row.kind, row.number, row.reference) not in kept for row in rows):
            raise HandlesChanged
        return len(rows)

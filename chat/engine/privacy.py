"""What the provider may read, and what people read of it: placeholders on the way out, values on the way back."""

from datetime import datetime
from uuid import UUID

from accounts.models import Customer
from functions.handles import HandleTable
from functions.privacy.masking import build_masker
from functions.privacy.restoring import Restorer, build_lookup
from functions.requisites import reveal_requisites


class Privacy:
    """One run's side of a conversation's handle table. Not for two threads at once."""

    def __init__(self, customer: Customer, table: HandleTable) -> None:
        self._masker = build_masker(customer, table)
        self._table = table
        self._look_up = build_lookup(table)

    def mask(self, text: str) -> str:
        """Return the text as the provider may read it; what it hides is known to the table from now on."""
        return self._masker.mask(text)

    def save(self, now: datetime) -> None:
        """Write what masking added. Raises: HandlesChanged"""
        self._table.save(now)

    def adopt(self, table: HandleTable) -> None:
        """Restore from the table as a call left it, and from what was known before."""
        self._look_up = build_lookup(table, self._look_up)

    def open_restorer(self) -> Restorer:
        """Return what puts the values back into one streamed answer."""
        return Restorer(self._look_up)


def open_privacy(customer: Customer, conversation_id: UUID) -> Privacy:
    """Return the conversation's privacy; three queries."""
    table = HandleTable.load(conversation_id, customer.pk)
    reveal_requisites(table)
    return Privacy(customer, table)

"""What a caller orders from the bank: frozen values that say everything, so that a repeated order can be told apart.

`idempotency_key` makes an order happen once for its customer; `hash_order` tells whether the same key brought the
same order. Ids are public ids; amounts are Money.
"""

import hashlib
import json
from dataclasses import dataclass, fields
from datetime import date
from typing import ClassVar
from uuid import UUID

from typing_extensions import override

from accounts.enums import Category, OperationKind, OperationSource
from accounts.errors import NotFound
from accounts.money import Money
from audit.canonical import JsonValue

# How an order was sent does not change what it asks for.
NOT_HASHED = {"idempotency_key", "source", "confirmation"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The part of every order that makes it happen once.

    customer_id   whose money moves; None for the bank's own acts
    confirmation  id of the customer's yes, when it came through the assistant
    """

    kind: ClassVar[OperationKind]
    customer_id: UUID | None
    idempotency_key: str
    source: OperationSource = OperationSource.APP
    confirmation: UUID | None = None

    @property
    def scope(self) -> str:
        """Keys of one customer never meet those of another."""
        return f"customer:{self.customer_id}" if self.customer_id else "bank"

    @property
    def operation_kind(self) -> OperationKind:
        return self.kind

    @property
    def holder_id(self) -> UUID:
        """The customer of an order that has one.

        Raises: NotFound for the bank's own
        """
        if self.customer_id is None:
            raise NotFound
        return self.customer_id


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTransferOrder(Order):
    """Between two accounts of one customer, in one currency. `memo` is the customer's own text."""

    kind = OperationKind.OWN_TRANSFER
    source_account: UUID
    target_account: UUID
    amount: Money
    memo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SbpTransferOrder(Order):
    """By phone, to a saved payee of kind sbp."""

    kind = OperationKind.SBP_OUT
    source_account: UUID
    payee: UUID
    amount: Money
    memo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillPaymentOrder(Order):
    """One bill, in full: `amount` must be the bill's."""

    kind = OperationKind.BILL_PAYMENT
    source_account: UUID
    bill: UUID
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPurchaseOrder(Order):
    """What the card network asks to authorise; `amount` is in the account's currency.

    is_cash  a cash machine: limits and category are others
    """

    kind = OperationKind.CARD_PURCHASE
    source: OperationSource = OperationSource.CARD
    card: UUID
    amount: Money
    merchant: str
    mcc: str
    category: Category = Category.OTHER
    is_online: bool = False
    is_cash: bool = False

    @property
    @override
    def operation_kind(self) -> OperationKind:
        return OperationKind.CASH_WITHDRAWAL if self.is_cash else self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingOrder(Order):
    """Money from outside: a payment, a transfer by phone, interest, an opening balance (`incoming_kind`).

    counterparty  masked name as it is shown
    """

    kind = OperationKind.INCOMING
    source: OperationSource = OperationSource.SYSTEM
    incoming_kind: OperationKind = OperationKind.INCOMING
    target_account: UUID
    amount: Money
    category: Category = Category.OTHER
    counterparty: str = ""
    counterparty_bik: str = ""
    memo: str = ""

    @property
    @override
    def operation_kind(self) -> OperationKind:
        return self.incoming_kind


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeOrder(Order):
    """A fee the bank takes by itself, not as part of another operation."""

    kind = OperationKind.FEE
    source: OperationSource = OperationSource.SYSTEM
    source_account: UUID
    amount: Money
    memo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalOrder(Order):
    """Take a posted operation back as a whole, once.

    reason   closed code (`enums.ReversalReason`); comment  the officer's words, kept with the operation
    """

    kind = OperationKind.REVERSAL
    source: OperationSource = OperationSource.SYSTEM
    operation: UUID
    reason: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder(Order):
    """Give a part of a posted operation back; all refunds together never pass what was paid."""

    kind = OperationKind.REFUND
    source: OperationSource = OperationSource.CARD
    operation: UUID
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementOrder(Order):
    """Empty one clearing account into the correspondent account, at most once a local day."""

    kind = OperationKind.SETTLEMENT
    source: OperationSource = OperationSource.SYSTEM
    code: str
    currency: str
    day: date


def hash_order(order: Order) -> str:
    """Return the SHA-256 of what the order asks for, in hexadecimal."""
    asked = {field.name: to_json(getattr(order, field.name)) for field in fields(order) if field.name not in NOT_HASHED}
    body = json.dumps({"kind": order.operation_kind.value, **asked}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(body.encode()).hexdigest()


def to_json(value: object) -> JsonValue:
    """Return a value of an order as JSON has it.

    Raises: TypeError for what an order cannot hold
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, UUID | date):
        return str(value)
    if isinstance(value, Money):
        return {"minor": value.minor, "currency": value.currency}
    raise TypeError(f"an order cannot hold {type(value).__name__}")

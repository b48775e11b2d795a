"""Receipts: what became of a confirmed act, as canonical JSON that we sign and the phone keeps."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson

from audit.canonical import JsonValue, encode_canonical
from audit.journal import format_time
from functions.confirmations.payloads import RESERVED
from functions.confirmations.server_key import RECEIPT_DOMAIN, sign_text
from functions.enums import ConfirmationState
from functions.models import Confirmation

RECEIPT_VERSION = 1
# As `op.result` says it.
STATUSES = {
    ConfirmationState.EXECUTED: "done",
    ConfirmationState.PROCESSING: "processing",
    ConfirmationState.FAILED: "failed",
    ConfirmationState.COOLING_OFF: "cooling_off",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The body of `op.result`.

    op       public id of the operation; None when no money moved
    status   done | processing (another receipt follows) | failed | cooling_off
    receipt  canonical JSON; `ssig` our signature over it, made with the key `kid`
    """

    confirm: UUID
    op: UUID | None
    status: str
    receipt: str = field(repr=False)
    ssig: str = field(repr=False)
    kid: str


def build_receipt(confirmation: Confirmation, now: datetime) -> Receipt:
    """Return the signed receipt of a confirmation that was approved: its terms as the customer saw them, and its end.

    Besides the terms: v, confirm, act, status, at; op when there is an operation; code when it failed; until while it
    cools off. Money is never said to have moved by any status but `done`.
    """
    status = STATUSES[ConfirmationState(confirmation.state)]
    payload = orjson.loads(bytes(confirmation.payload))
    body: dict[str, JsonValue] = {name: value for name, value in payload.items() if name not in RESERVED}
    body |= {
        "v": RECEIPT_VERSION,
        "confirm": str(confirmation.pk),
        "act": payload["act"],
        "status": status,
        "at": format_time(now),
    }
    operation = confirmation.operation
    if operation is not None:
        body["op"] = str(operation.public_id)
    if confirmation.code:
        body["code"] = confirmation.code
    if confirmation.state == ConfirmationState.COOLING_OFF and confirmation.due_at is not None:
        body["until"] = format_time(confirmation.due_at)
    text = encode_canonical(body)
    signature, kid = sign_text(RECEIPT_DOMAIN, text)
    return Receipt(
        confirm=confirmation.pk,
        op=operation.public_id if operation else None,
        status=status,
        receipt=text.decode(),
        ssig=signature,
        kid=kid,
    )

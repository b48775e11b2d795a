"""The only writer of the evidence log.

`record_entry` writes in the transaction of the act: both commit or neither. `record_refusal` writes after the act
rolled back, in a transaction of its own, because what was refused must be remembered too.

Values are checked, so that a message text, a name or an address cannot get into evidence by accident: ids, subjects
and detail strings are *tokens*, at most 256 visible ASCII characters without spaces (ids, codes, digests, model
names). Anything a person typed goes through `audit.pseudonyms.build_pseudonym` first.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from enum import Enum
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from audit.canonical import JsonValue, encode_canonical
from audit.catalogue import ENTRY_RULES
from audit.context import AuditContext
from audit.enums import AuditAction, Outcome
from audit.errors import EntryRefused, OutsideTransaction, RefusalInsideTransaction
from audit.models import AuditEntry
from audit.pseudonyms import build_pseudonym

BODY_VERSION = 1
TOKEN = re.compile(r"[\x21-\x7e]{0,256}")
DETAIL_KEY = re.compile(r"[a-z][a-z0-9_]{0,47}")
SUBJECT = re.compile(r"[a-z][a-z0-9_]{0,47}")
MAX_DETAILS = 32


def record_entry(
    context: AuditContext,
    action: AuditAction,
    *,
    subject: str,
    subject_id: str,
    customer_id: UUID | None = None,
    conversation_id: UUID | None = None,
    turn_id: UUID | None = None,
    outcome: Outcome = Outcome.OK,
    details: Mapping[str, JsonValue] | None = None,
) -> AuditEntry:
    """Record that `action` happened; commits or vanishes with the surrounding transaction.

    subject     kind of thing acted on, as an identifier: "conversation", "session"
    details     flat: keys are identifiers, values are integers, booleans, None or tokens (see the module's text)
    `recorded_at` of the returned entry is known only after `refresh_from_db`.

    Raises: OutsideTransaction, EntryRefused
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"{action}: record_entry needs the transaction of the act")
    ids = {"customer_id": customer_id, "conversation_id": conversation_id, "turn_id": turn_id}
    entry = build_entry(context, action, subject=(subject, subject_id), ids=ids, outcome=outcome, details=details or {})
    entry.save(force_insert=True)
    return entry


def record_entries(entries: Sequence[AuditEntry]) -> None:
    """Record what `build_entry` made, all in one statement and in this order; otherwise like `record_entry`.

    Raises: OutsideTransaction
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction("record_entries needs the transaction of the act")
    AuditEntry.objects.bulk_create(entries)


def record_refusal(
    context: AuditContext,
    action: AuditAction,
    *,
    subject: str,
    subject_id: str,
    customer_id: UUID | None = None,
    conversation_id: UUID | None = None,
    turn_id: UUID | None = None,
    outcome: Outcome = Outcome.REFUSED,
    details: Mapping[str, JsonValue] | None = None,
) -> AuditEntry:
    """Record that `action` was refused or failed, in a durable transaction of its own; same arguments otherwise.

    Call it after the act has rolled back. When it returns, the entry is committed.

    Raises: RefusalInsideTransaction, EntryRefused
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(transaction.atomic(durable=True))
        except RuntimeError as error:
            raise RefusalInsideTransaction(f"{action}: record the refusal after the act rolled back") from error
        return record_entry(
            context,
            action,
            subject=subject,
            subject_id=subject_id,
            customer_id=customer_id,
            conversation_id=conversation_id,
            turn_id=turn_id,
            outcome=outcome,
            details=details,
        )


def build_entry(
    context: AuditContext,
    action: AuditAction,
    *,
    subject: tuple[str, str],
    ids: Mapping[str, UUID | None],
    outcome: Outcome,
    details: Mapping[str, JsonValue],
) -> AuditEntry:
    """Return the unsaved entry, checked against the catalogue, with its canonical body and leaf hash.

    Raises: EntryRefused
    """
    details = {key: to_plain(value) for key, value in details.items()}
    action = check_action(action, ids, details)
    check_values(context, subject, details)
    entry_id, occurred_at = uuid7(), timezone.now()
    body = encode_canonical(
        {
            "v": BODY_VERSION,
            "log": settings.AUDIT_LOG_NAME,
            "id": str(entry_id),
            "ts": format_time(occurred_at),
            "type": action.value,
            "actor": {"kind": context.actor_kind.value, "id": context.actor_id},
            "origin": context.origin.value,
            "object": {"kind": subject[0], "id": subject[1]},
            "outcome": outcome.value,
            "corr": build_correlation(context, ids),
            "details": details,
        }
    )
    return AuditEntry(
        id=entry_id,
        body=body,
        digest=compute_leaf(body),
        action=action.value,
        outcome=outcome.value,
        actor_kind=context.actor_kind.value,
        actor_id=context.actor_id,
        origin=context.origin.value,
        subject=subject[0],
        subject_id=subject[1],
        request_id=context.request_id,
        occurred_at=occurred_at,
        **ids,
    )


def build_correlation(context: AuditContext, ids: Mapping[str, UUID | None]) -> dict[str, JsonValue]:
    """Return the ids that tie this entry to others; what is unknown is left out."""
    found = {
        "customer": ids["customer_id"],
        "conversation": ids["conversation_id"],
        "turn": ids["turn_id"],
        "request": context.request_id,
        "session": context.session_id,
        "ip": build_pseudonym("ip", context.ip) if context.ip else "",
    }
    return {name: str(value) for name, value in found.items() if value}


def compute_leaf(body: bytes) -> bytes:
    """Return the hash of `body` as a leaf of an RFC 6962 tree."""
    return hashlib.sha256(b"\x00" + body).digest()


def format_time(moment: datetime) -> str:
    """Return UTC with exactly six digits of a second, so that equal moments give equal bytes."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def check_action(action: AuditAction, ids: Mapping[str, UUID | None], details: Mapping[str, JsonValue]) -> AuditAction:
    """Raise EntryRefused when the catalogue does not know `action` or something it demands is missing."""
    try:
        known = AuditAction(action)
        rule = ENTRY_RULES[known]
    except (ValueError, KeyError):
        raise EntryRefused("action", "not in the catalogue") from None
    for name in sorted(rule.ids):
        if ids[name] is None:
            raise EntryRefused(name, f"{known.value} needs it")
    for name in sorted(rule.details - details.keys()):
        raise EntryRefused(f"details.{name}", f"{known.value} needs it")
    return known


def check_values(context: AuditContext, subject: tuple[str, str], details: Mapping[str, JsonValue]) -> None:
    """Raise EntryRefused for anything that could be text, a name or an address."""
    if not SUBJECT.fullmatch(subject[0]):
        raise EntryRefused("subject", "an identifier of at most 48 characters")
    check_token("subject_id", subject[1], limit=256)
    for name in ("actor_id", "request_id", "session_id"):
        check_token(name, getattr(context, name), limit=128)
    if len(details) > MAX_DETAILS:
        raise EntryRefused("details", f"at most {MAX_DETAILS}")
    for key, value in details.items():
        if type(key) is not str or not DETAIL_KEY.fullmatch(key):
            raise EntryRefused("details", "keys are identifiers of at most 48 characters")
        if type(value) is str:
            check_token(f"details.{key}", value, limit=256)
        elif value is not None and type(value) not in {int, bool}:
            raise EntryRefused(f"details.{key}", "an integer, a boolean, None or a token")


def to_plain(value: JsonValue) -> JsonValue:
    """Return the string or integer that a member of an enumeration stands for; everything else as it is."""
    if isinstance(value, Enum):
        found: JsonValue = value.value
        return found
    return value


def check_token(field: str, value: object, *, limit: int) -> None:
    if type(value) is not str or len(value) > limit or not TOKEN.fullmatch(value):
        raise EntryRefused(field, f"a token: at most {limit} visible ASCII characters, no spaces")

"""Where the next page of a search starts: signed, and good for this customer, conversation and hour alone.

A cursor holds what was asked and the handle of the last line shown; no id of ours is in it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.core.signing import BadSignature, Signer

from functions.context import Ctx
from functions.errors import CallRefused, Code

LIFE = timedelta(hours=1)


class CompactJson:
    """JSON without escapes, so that Cyrillic takes a third of the room."""

    def dumps(self, value: Any) -> bytes:
        return orjson.dumps(value)

    def loads(self, data: bytes) -> Any:
        return orjson.loads(data)


def sign_cursor(ctx: Ctx, query: dict[str, Any]) -> str:
    """Return the cursor of a query; values are JSON's."""
    signed: str = build_signer(ctx).sign_object({**query, "at": int(ctx.now.timestamp())}, serializer=CompactJson)
    return signed


def read_cursor(ctx: Ctx, text: str) -> dict[str, Any]:
    """Return the query.

    Raises: CallRefused unknown_reference when it is not ours, another conversation's, or over
    """
    try:
        query: dict[str, Any] = build_signer(ctx).unsign_object(text.strip(), serializer=CompactJson)
    except (BadSignature, ValueError):
        refuse_cursor()
    made_at = datetime.fromtimestamp(query.pop("at"), UTC)
    if not timedelta(0) <= ctx.now - made_at + timedelta(seconds=1) <= LIFE:
        refuse_cursor()
    return query


def build_signer(ctx: Ctx) -> Signer:
    return Signer(salt=f"functions.cursor {ctx.customer.pk} {ctx.conversation_id}")


def refuse_cursor() -> Any:
    raise CallRefused(
        Code.UNKNOWN_REFERENCE,
        "Продолжение не найдено или устарело.",
        fix="Вызови search_transactions ещё раз с теми же условиями.",
    )

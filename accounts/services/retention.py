"""What is forgotten of signing in, once it is of no use any more; safe to run at any time and twice."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from accounts.models import DeviceSession, RefreshToken

BATCH = 500


def forget_refresh_tokens(now: datetime) -> int:
    """Delete the tokens of sessions that ended REFRESH_TOKEN_KEEP_DAYS ago or earlier; return how many.

    A living session keeps every token it ever had, or a stolen one that comes back would not be noticed. The sessions
    themselves stay as evidence; a token that comes back afterwards is one we do not know.
    Source: docs/decisions/0010-refresh-tokens.md
    """
    ended_before = now - timedelta(days=settings.REFRESH_TOKEN_KEEP_DAYS)
    ended = DeviceSession.objects.filter(Q(revoked_at__lt=ended_before) | Q(expires_at__lt=ended_before))
    waiting = ended.filter(Exists(RefreshToken.objects.filter(session=OuterRef("pk")))).order_by("pk")
    forgotten = 0
    while batch := list(waiting.values_list("pk", flat=True)[:BATCH]):
        forgotten += delete_chains(batch)
    return forgotten


@transaction.atomic
def delete_chains(session_ids: Sequence[UUID]) -> int:
    """Delete every token of these sessions; a chain never leaves its session."""
    tokens = RefreshToken.objects.filter(session_id__in=session_ids)
    tokens.update(predecessor=None)
    deleted, _ = tokens.delete()
    return deleted

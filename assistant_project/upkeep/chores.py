"""Every periodic chore of every app, in the order they are done. A new one is an adapter and a line in `CHORES`.

An adapter calls one service, which commits in small transactions of its own, may be repeated at any time and may run
twice at once; it returns what was done as counts.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session

from accounts.gateways.installed import get_gateway
from accounts.services.gateway_orders import reconcile_transfers
from accounts.services.holds import expire_holds
from accounts.services.retention import forget_refresh_tokens
from accounts.services.scheduled import pay_scheduled
from accounts.services.settlement import settle_clearing
from assistant_project.upkeep.runner import Chore, ChoreUnfinished
from audit.context import AuditContext
from chat.engine.sweep import sweep_files
from chat.gigachat.errors import GigaChatError
from chat.gigachat.rest import build_rest_client

MINUTE, QUARTER, HOUR, DAY = timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)


def learn_outcomes(context: AuditContext, now: datetime) -> Mapping[str, int]:
    """Ask the payment gateway about every operation without a final answer."""
    return asdict(reconcile_transfers(context, gateway=get_gateway(), now=now))


def pay_due(context: AuditContext, now: datetime) -> Mapping[str, int]:
    """Raises: ChoreUnfinished when some of them will be tried again"""
    counts = asdict(pay_scheduled(context, gateway=get_gateway(), now=now))
    if counts["failed"]:
        raise ChoreUnfinished("payments_failed", counts)
    return counts


def release_holds(context: AuditContext, now: datetime) -> Mapping[str, int]:
    return {"expired": expire_holds(context, now=now)}


def settle_accounts(context: AuditContext, now: datetime) -> Mapping[str, int]:
    """Count only what moved now: later calls of a day return the day's settlements again."""
    settled = settle_clearing(context, now=now)
    return {"settled": sum(operation.created_at >= now for operation in settled)}


def clean_files(context: AuditContext, now: datetime) -> Mapping[str, int]:
    """Raises: ChoreUnfinished when GigaChat could not be asked; ours are cleaned then all the same"""
    try:
        client = build_rest_client()
    except GigaChatError as error:
        raise ChoreUnfinished(error.code, {}) from None
    with closing(client):
        report = asdict(sweep_files(client, context, now))
    fault = report.pop("fault")
    if fault:
        raise ChoreUnfinished(fault, report)
    return report


def forget_tokens(_context: AuditContext, now: datetime) -> Mapping[str, int]:
    return {"deleted": forget_refresh_tokens(now)}


def forget_staff_sessions(_context: AuditContext, now: datetime) -> Mapping[str, int]:
    deleted, _ = Session.objects.filter(expire_date__lt=now).delete()
    return {"deleted": deleted}


CHORES = (
    Chore(name="transfers", every=MINUTE, act=learn_outcomes),
    Chore(name="scheduled_payments", every=MINUTE, act=pay_due),
    Chore(name="holds", every=QUARTER, act=release_holds),
    Chore(name="clearing", every=HOUR, act=settle_accounts),
    Chore(name="files", every=QUARTER, act=clean_files),
    Chore(name="refresh_tokens", every=DAY, act=forget_tokens),
    Chore(name="staff_sessions", every=HOUR, act=forget_staff_sessions),
)

"""What the ledger needs done again and again; safe to run at any time and twice."""

from dataclasses import dataclass
from datetime import datetime

from accounts.gateways.contract import PaymentGateway
from accounts.services.gateway_orders import reconcile_transfers
from accounts.services.holds import expire_holds
from accounts.services.settlement import settle_clearing
from audit.context import AuditContext


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepCount:
    """How many operations ended by the gateway's answer, are still unknown, expired; clearing accounts settled."""

    ended: int
    unknown: int
    expired: int
    settled: int


def run_upkeep(context: AuditContext, *, gateway: PaymentGateway, now: datetime) -> UpkeepCount:
    """Learn unknown outcomes, let unclaimed card holds expire, settle the clearing accounts of the day."""
    reconciled = reconcile_transfers(context, gateway=gateway, now=now)
    expired = expire_holds(context, now=now)
    settled = settle_clearing(context, now=now)
    return UpkeepCount(ended=reconciled.ended, unknown=reconciled.unknown, expired=expired, settled=len(settled))

"""Statements and disputes a customer asks for."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.enums import DisputeReason, DisputeStatus, LineStatus, StatementFormat
from accounts.errors import AlreadyDisputed, NotFound
from accounts.local_days import DateRange
from accounts.models import AccountLine, Dispute, StatementRequest
from accounts.services.transfers import access_accounts
from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry


@transaction.atomic
def request_statement(
    context: AuditContext,
    *,
    customer_id: UUID,
    account_id: UUID,
    days: DateRange,
    file_format: StatementFormat,
    now: datetime,
) -> StatementRequest:
    """Order a statement of the customer's account over local days, both included.

    Raises: NotFound, IntegrityError when the days are reversed
    """
    (account,) = access_accounts(customer_id, [account_id])
    request = StatementRequest.objects.create(
        customer_id=customer_id,
        account=account,
        date_from=days.first,
        date_to=days.last,
        format=file_format,
        created_at=now,
    )
    record_entry(
        context,
        AuditAction.STATEMENT_REQUESTED,
        subject="statement",
        subject_id=str(request.public_id),
        customer_id=customer_id,
        details={"format": file_format.value, "from": days.first.isoformat(), "to": days.last.isoformat()},
    )
    return request


@transaction.atomic
def open_dispute(
    context: AuditContext,
    *,
    customer_id: UUID,
    line_id: UUID,
    reason: DisputeReason,
    comment: str,
    now: datetime,
) -> Dispute:
    """Open a dispute of a booked line; there is at most one open for each.

    Raises: NotFound, AlreadyDisputed
    """
    lines = AccountLine.objects.select_for_update(no_key=True, of=("self",))
    line = lines.filter(account__customer_id=customer_id, public_id=line_id, status=LineStatus.BOOKED).first()
    if line is None:
        raise NotFound
    if line.disputes.filter(status=DisputeStatus.OPEN).exists():
        raise AlreadyDisputed
    dispute = Dispute.objects.create(customer_id=customer_id, line=line, reason=reason, comment=comment, created_at=now)
    record_entry(
        context,
        AuditAction.DISPUTE_OPENED,
        subject="dispute",
        subject_id=str(dispute.public_id),
        customer_id=customer_id,
        details={"reason": reason.value, "line": str(line.public_id)},
    )
    return dispute

from datetime import date
from uuid import uuid4

import pytest
from django.db import IntegrityError

from accounts.enums import DisputeReason, StatementFormat
from accounts.errors import AlreadyDisputed, NotFound
from accounts.local_days import DateRange
from accounts.models import AccountLine, Dispute
from accounts.services.requests import open_dispute, request_statement
from audit.models import AuditEntry
from tests.factories.accounts import make_customer
from tests.factories.ledger import NOW, build_context, get_holder_id, make_account

pytestmark = pytest.mark.django_db
OCTOBER = DateRange(date(2026, 10, 1), date(2026, 10, 31))


def test_statement_is_requested_with_its_evidence() -> None:
    account = make_account()
    request = request_statement(
        build_context(),
        customer_id=get_holder_id(account),
        account_id=account.public_id,
        days=OCTOBER,
        file_format=StatementFormat.CSV,
        now=NOW,
    )
    assert (request.status, request.date_from, request.date_to) == ("requested", OCTOBER.first, OCTOBER.last)
    assert AuditEntry.objects.get(action="statement.requested").subject_id == str(request.public_id)


def test_statement_of_a_foreign_account_or_reversed_days_is_refused() -> None:
    account = make_account()
    for customer_id, days, error in (
        (make_customer().pk, OCTOBER, NotFound),
        (get_holder_id(account), DateRange(OCTOBER.last, OCTOBER.first), IntegrityError),
    ):
        with pytest.raises(error):
            request_statement(
                build_context(),
                customer_id=customer_id,
                account_id=account.public_id,
                days=days,
                file_format=StatementFormat.PDF,
                now=NOW,
            )


def test_dispute_is_opened_once_per_line_by_its_owner() -> None:
    account = make_account(balance=100)
    line = AccountLine.objects.get(account=account)
    holder = get_holder_id(account)

    def dispute(customer_id: object, line_id: object) -> Dispute:
        return open_dispute(
            build_context(),
            customer_id=customer_id,  # type: ignore[arg-type]
            line_id=line_id,  # type: ignore[arg-type]
            reason=DisputeReason.NOT_MINE,
            comment="не я",
            now=NOW,
        )

    found = dispute(holder, line.public_id)
    assert (found.status, found.comment) == ("open", "не я")
    body = bytes(AuditEntry.objects.get(action="dispute.opened").body)
    assert "не я".encode() not in body
    with pytest.raises(AlreadyDisputed):
        dispute(holder, line.public_id)
    for customer_id, line_id in ((make_customer().pk, line.public_id), (holder, uuid4())):
        with pytest.raises(NotFound):
            dispute(customer_id, line_id)

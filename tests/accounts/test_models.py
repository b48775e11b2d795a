from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.enums import RevokeReason
from accounts.models import Customer, DeviceSession, RefreshToken
from tests.factories.accounts import make_customer, make_session

pytestmark = pytest.mark.django_db


def refuse(constraint: str, row: Customer | DeviceSession | RefreshToken, **changes: Any) -> None:
    """Assert that the database itself refuses the row with these changes."""
    for name, value in changes.items():
        setattr(row, name, value)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        row.save()


def test_rows_are_named_by_their_ids_in_lists() -> None:
    session = make_session(make_customer())
    token = RefreshToken.objects.create(session=session, digest="d", issued_at=timezone.now())
    assert [str(session.customer), str(session), str(token)] == [
        str(session.customer_id),
        str(session.pk),
        str(token.pk),
    ]


@pytest.mark.parametrize("phone", ["89991112233", "+7 000", "+7000000010a", "+123456"])
def test_customer_phone_is_e164(phone: str) -> None:
    refuse("customer_phone_is_e164", make_customer(), phone=phone)


def test_customer_speaks_a_language_we_know() -> None:
    refuse("customer_language_is_known", make_customer(), language="de")


def test_device_has_one_open_session() -> None:
    customer = make_customer()
    first = make_session(customer, device_id="phone-1")
    make_session(customer, device_id="phone-1", is_revoked=True)
    make_session(make_customer(), device_id="phone-1")
    other = make_session(customer, device_id="phone-2")
    refuse("one_open_session_per_device", other, device_id=first.device_id)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"revoked_at": timezone.now()}, "session_revocation_has_a_reason"),
        ({"revoke_reason": RevokeReason.STAFF}, "session_revocation_has_a_reason"),
        ({"expires_at": timezone.now() - timedelta(days=1)}, "session_expires_after_login"),
        ({"device_id": ""}, "session_names_its_device"),
    ],
)
def test_session_contradicting_itself_is_refused(changes: dict[str, Any], constraint: str) -> None:
    refuse(constraint, make_session(make_customer()), **changes)


def test_session_has_one_unused_token() -> None:
    session, now = make_session(make_customer()), timezone.now()
    RefreshToken.objects.create(session=session, digest="used", issued_at=now, used_at=now, attempt_digest="a")
    RefreshToken.objects.create(session=session, digest="first", issued_at=now)
    refuse("one_unused_token_per_session", RefreshToken(session=session, digest="second", issued_at=now))
    unused = RefreshToken.objects.get(digest="first")
    refuse("only_used_tokens_name_an_attempt", unused, attempt_digest="a")

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError

from accounts.enums import Language, RevokeReason
from accounts.models import DeviceSession
from accounts.services.customers import open_customer, revoke_customer_sessions
from audit.models import AuditEntry
from tests.factories.accounts import make_context, make_customer, make_session

pytestmark = pytest.mark.django_db


def test_open_customer_belongs_to_its_login() -> None:
    user = User.objects.create_user(username="anna")
    customer = open_customer(user, first_name="Анна", last_name="Ветрова", phone="", language=Language.ENGLISH)
    user.refresh_from_db()
    assert (user.customer, customer.language) == (customer, "en")


def test_open_customer_twice_for_one_login_is_refused() -> None:
    with pytest.raises(IntegrityError):
        open_customer(make_customer().user, first_name="Анна", last_name="Ветрова", phone="", language=Language.RUSSIAN)


def test_revoke_customer_sessions_ends_the_open_ones_only() -> None:
    customer = make_customer()
    mine = [make_session(customer) for _ in range(2)]
    ended, stranger = make_session(customer, is_revoked=True), make_session(make_customer())
    count = revoke_customer_sessions(make_context(), customer_id=customer.pk, reason=RevokeReason.PASSWORD_CHANGED)
    assert count == 2
    reasons = dict(DeviceSession.objects.values_list("pk", "revoke_reason"))
    assert reasons == {
        mine[0].pk: "password_changed",
        mine[1].pk: "password_changed",
        ended.pk: "logout",
        stranger.pk: "",
    }
    assert AuditEntry.objects.filter(action="session.revoked", customer_id=customer.pk).count() == 2


def test_revoke_customer_sessions_of_nobody_ends_none() -> None:
    assert revoke_customer_sessions(make_context(), customer_id=uuid4(), reason=RevokeReason.STAFF) == 0

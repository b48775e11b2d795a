from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.errors import SessionRevoked
from accounts.selectors import find_customer, get_live_session, list_revoked_since
from accounts.selectors.sessions import find_live_caller
from tests.factories.accounts import make_customer, make_session, make_staff

pytestmark = pytest.mark.django_db


def test_get_live_session_loads_customer_and_login(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    customer = make_customer("anna")
    session = make_session(customer)
    with django_assert_num_queries(1):
        found = get_live_session(session.pk)
        assert found.customer.user.username == "anna"
        assert found.customer.user.customer == customer
    assert found == session


def test_get_live_session_that_cannot_be_used_is_revoked() -> None:
    customer = make_customer()
    over = make_session(customer)
    over.created_at = timezone.now() - timedelta(days=31)
    over.expires_at = timezone.now()
    over.save(update_fields=["created_at", "expires_at"])
    sleeping = make_session(make_customer(is_active=False))
    for session_id in (uuid4(), make_session(customer, is_revoked=True).pk, over.pk, sleeping.pk):
        with pytest.raises(SessionRevoked):
            get_live_session(session_id)


def test_find_live_caller_agrees_with_get_live_session(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    customer, now = make_customer(), timezone.now()
    live = make_session(customer)
    over = make_session(customer)
    over.created_at = now - timedelta(days=31)
    over.expires_at = now
    over.save(update_fields=["created_at", "expires_at"])
    with django_assert_num_queries(1):
        caller = find_live_caller(live.pk, customer_id=customer.pk, now=now)
    assert caller is not None
    assert (caller.customer, caller.customer.language) == (customer, customer.language)
    assert caller.authenticated_at == live.authenticated_at
    live.stepped_up_at = now
    live.save(update_fields=["stepped_up_at"])
    again = find_live_caller(live.pk, customer_id=customer.pk, now=now)
    assert again is not None
    assert again.authenticated_at == now
    sleeping = make_session(make_customer(is_active=False))
    for session in (make_session(customer, is_revoked=True), over, sleeping):
        assert find_live_caller(session.pk, customer_id=session.customer_id, now=now) is None
    assert find_live_caller(live.pk, customer_id=make_customer().pk, now=now) is None
    assert find_live_caller(uuid4(), customer_id=customer.pk, now=now) is None


def test_find_customer_finds_customers_only() -> None:
    customer = make_customer("anna")
    make_staff("officer")
    assert [find_customer(name) for name in ("anna", "officer", "nobody")] == [customer, None, None]


def test_list_revoked_since_lists_what_ended_later() -> None:
    customer = make_customer()
    make_session(customer)
    earlier, later = make_session(customer, is_revoked=True), make_session(customer, is_revoked=True)
    assert earlier.revoked_at
    assert later.revoked_at
    assert list_revoked_since(earlier.revoked_at) == [earlier.pk, later.pk]
    assert list_revoked_since(later.revoked_at) == [later.pk]
    assert list_revoked_since(later.revoked_at + timedelta(microseconds=1)) == []

from datetime import date, timedelta
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.enums import LimitPeriod
from accounts.errors import NotFound
from accounts.models import Customer
from accounts.services.conditions import Conditions, read_conditions
from accounts.services.tariffs import find_tariff, list_rules
from tests.factories.accounts import make_customer
from tests.factories.ledger import NOW, set_limit, set_tariff

pytestmark = pytest.mark.django_db

TODAY = NOW.date()


def read(customer: Customer) -> Conditions:
    return read_conditions("sbp_out", customer_id=customer.pk, currency="RUB", now=NOW)


def test_read_conditions_gives_what_is_in_force_on_each_day_in_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    customer = make_customer()
    for valid_from, amount in ((date(2026, 1, 1), 100), (TODAY, 200), (TODAY + timedelta(days=3), 300)):
        set_limit("sbp_out", LimitPeriod.DAY, amount, valid_from=valid_from)
        set_tariff("sbp_out", rate_bp=amount, least=1, most=amount, free=amount, valid_from=valid_from)
    set_limit("sbp_out", LimitPeriod.MONTH, 1_000)
    set_limit("bill_payment", LimitPeriod.DAY, 7)
    set_tariff("bill_payment", rate_bp=7)

    with django_assert_num_queries(1):
        conditions = read(customer)

    assert conditions.zone == customer.zone
    for day in (TODAY, TODAY - timedelta(days=1)):
        row, wanted = conditions.find_tariff(day), find_tariff("sbp_out", currency="RUB", day=day)
        assert row is not None
        assert wanted is not None
        for name in ("code", "currency", "valid_from", "free_minor", "rate_bp", "least_minor", "most_minor"):
            assert getattr(row, name) == getattr(wanted, name), name
        rules = {period: rule.amount_minor for period, rule in conditions.list_rules(day).items()}
        known = list_rules("sbp_out", currency="RUB", day=day)
        assert rules == {period: rule.amount_minor for period, rule in known.items()}


def test_read_conditions_without_rows_is_no_limit_and_no_fee() -> None:
    conditions = read(make_customer())

    assert (conditions.find_tariff(TODAY), conditions.list_rules(TODAY)) == (None, {})


def test_read_conditions_knows_the_day_that_has_begun_in_the_east() -> None:
    customer = make_customer()
    tomorrow = TODAY + timedelta(days=1)
    set_limit("sbp_out", LimitPeriod.DAY, 5, valid_from=tomorrow)

    assert [rule.amount_minor for rule in read(customer).list_rules(tomorrow).values()] == [5]
    assert read(customer).list_rules(TODAY) == {}


def test_read_conditions_of_nobody_is_not_found() -> None:
    with pytest.raises(NotFound):
        read_conditions("sbp_out", customer_id=uuid4(), currency="RUB", now=NOW)

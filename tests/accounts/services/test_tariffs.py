from datetime import date

import pytest

from accounts.enums import LimitPeriod
from accounts.errors import CapExceeded
from accounts.models import CapUsage, LimitRule, Tariff
from accounts.money import Money
from accounts.services.caps import Cap, build_rule_caps, give_back_caps, use_caps
from accounts.services.tariffs import compute_fee, list_limits, price_amount
from accounts.services.transfers import submit_own_transfer
from tests.factories.accounts import make_customer
from tests.factories.ledger import NOW, build_context, build_own_transfer, make_account, set_limit, set_tariff

DAY = date(2026, 11, 1)


@pytest.mark.parametrize(
    ("tariff", "used", "amount", "fee"),
    [
        (Tariff(rate_bp=50, most_minor=150_000), 0, 10_000_000, 50_000),
        (Tariff(rate_bp=50, most_minor=150_000), 0, 10**10, 150_000),
        (Tariff(rate_bp=50, free_minor=10_000_000), 0, 10_000_000, 0),
        (Tariff(rate_bp=50, free_minor=10_000_000), 1, 10_000_000, 0),
        (Tariff(rate_bp=50, free_minor=10_000_000), 100, 10_000_000, 1),
        (Tariff(rate_bp=50, free_minor=10_000_000), 10_000_000, 200, 1),
        (Tariff(rate_bp=50, free_minor=10_000_000), 99_000_000, 1_000, 5),
        (Tariff(rate_bp=50, least_minor=3_000), 0, 100, 3_000),
        (Tariff(rate_bp=0, least_minor=3_000, free_minor=100), 0, 100, 0),
        (Tariff(rate_bp=0), 0, 100, 0),
    ],
)
def test_price_amount(tariff: Tariff, used: int, amount: int, fee: int) -> None:
    assert price_amount(tariff, used_minor=used, amount=Money(amount)) == Money(fee)


@pytest.mark.django_db
def test_tariffs_and_limits_are_those_of_the_local_date() -> None:
    set_tariff("sbp_out", rate_bp=100, valid_from=date(2026, 1, 1))
    set_tariff("sbp_out", rate_bp=50, valid_from=date(2026, 11, 2))
    set_limit("sbp_out", LimitPeriod.DAY, 100, valid_from=date(2026, 1, 1))
    set_limit("sbp_out", LimitPeriod.DAY, 200, valid_from=date(2026, 11, 2))
    set_limit("sbp_out", LimitPeriod.OPERATION, 50)
    customer = make_customer()

    def ask(day: date) -> tuple[int, dict[str, tuple[int, int]]]:
        fee = compute_fee("sbp_out", customer_id=customer.pk, amount=Money(10_000), day=day)
        limits = list_limits("sbp_out", customer_id=customer.pk, currency="RUB", day=day)
        return fee.minor, {limit.period.value: (limit.cap.minor, limit.left.minor) for limit in limits}

    CapUsage.objects.create(
        customer=customer, code="sbp_out.day", period_start=DAY, currency="RUB", used_minor=30, cap_minor=100
    )
    assert ask(date(2025, 12, 31)) == (0, {})
    assert ask(DAY) == (100, {"day": (100, 70), "operation": (50, 50)})
    assert ask(date(2026, 11, 2)) == (50, {"day": (200, 200), "operation": (50, 50)})
    assert str(Tariff.objects.first()) == "sbp_out 2026-01-01"
    assert str(LimitRule.objects.first()) == "sbp_out day 2026-01-01"


@pytest.mark.django_db
def test_own_transfer_uses_its_tariff_and_limit() -> None:
    set_tariff("own_transfer", free=1_000, rate_bp=1_000)
    set_limit("own_transfer", LimitPeriod.DAY, 2_000)
    source = make_account(balance=10_000)
    target = make_account(source.customer)
    for minor, fee in ((1_000, 0), (500, 50)):
        submit_own_transfer(build_context(), order=build_own_transfer(source, target, minor), now=NOW)
        assert source.lines.filter(category="fees").exists() is bool(fee)
    source.refresh_from_db()
    assert source.booked == Money(10_000 - 1_500 - 50)
    with pytest.raises(CapExceeded) as refusal:
        submit_own_transfer(build_context(), order=build_own_transfer(source, target, 501), now=NOW)
    assert refusal.value.cap_code == "own_transfer.day"


@pytest.mark.django_db
def test_caps_follow_a_changed_rule_and_never_go_below_zero() -> None:
    customer = make_customer()
    caps = [Cap("x.day", DAY, 100), Cap("x.month", DAY, 1_000)]
    use_caps(caps, customer_id=customer.pk, amount=Money(60))
    use_caps([Cap("x.day", DAY, 200)], customer_id=customer.pk, amount=Money(60))
    assert CapUsage.objects.get(code="x.day").used_minor == 120
    give_back_caps(["x.day", "x.month", "y.day"], customer_id=customer.pk, amount_minor=1_000, day=DAY)
    assert set(CapUsage.objects.values_list("used_minor", flat=True)) == {0}


@pytest.mark.django_db
def test_a_month_is_counted_without_a_rule_only_when_asked() -> None:
    assert build_rule_caps("x", {}, amount=Money(1), day=DAY, counts_month=False) == []
    (month,) = build_rule_caps("x", {}, amount=Money(1), day=date(2026, 11, 30), counts_month=True)
    assert (month.code, month.period_start) == ("x.month", DAY)

"""Under which conditions an order is carried out: where its customer lives, what it costs, how far it may go.

One query for what every payment needs; `services.tariffs` reads the same rows one by one, for showing them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from accounts.enums import LimitPeriod
from accounts.errors import NotFound
from accounts.local_days import MOST_AHEAD
from accounts.models import LimitRule, Tariff

READ = """
SELECT customer.zone, found.kind, found.valid_from, found.minor, found.rate_bp, found.least_minor, found.most_minor
FROM accounts_customer customer LEFT JOIN (
    SELECT 'tariff' AS kind, valid_from, free_minor AS minor, rate_bp, least_minor, most_minor
    FROM accounts_tariff WHERE code = %(code)s AND currency = %(currency)s AND valid_from <= %(latest)s
    UNION ALL
    SELECT period, valid_from, amount_minor, 0, 0, NULL
    FROM accounts_limitrule WHERE code = %(code)s AND currency = %(currency)s AND valid_from <= %(latest)s
) found ON true
WHERE customer.id = %(customer)s ORDER BY found.valid_from
"""


@dataclass(frozen=True, slots=True)
class Conditions:
    """The customer's zone, and the dated rows of one code up to now, oldest first."""

    zone: str
    tariffs: Sequence[Tariff]
    rules: Sequence[LimitRule]

    def find_tariff(self, day: date) -> Tariff | None:
        """Return the row in force on the local day `day`."""
        return next((row for row in reversed(self.tariffs) if row.valid_from <= day), None)

    def list_rules(self, day: date) -> dict[LimitPeriod, LimitRule]:
        """Return the rules in force on the local day `day`, one per period."""
        return {LimitPeriod(row.period): row for row in self.rules if row.valid_from <= day}


def read_conditions(code: str, *, customer_id: UUID, currency: str, now: datetime) -> Conditions:
    """Return the conditions of this code for the customer; good for the local days of `now` and before.

    Raises: NotFound for an unknown customer
    """
    latest = (now + MOST_AHEAD).date()
    with connection.cursor() as cursor:
        cursor.execute(READ, {"code": code, "currency": currency, "customer": customer_id, "latest": latest})
        rows = cursor.fetchall()
    if not rows:
        raise NotFound
    tariffs, rules = [], []
    for _, kind, valid_from, minor, rate_bp, least_minor, most_minor in rows:
        dated = {"code": code, "currency": currency, "valid_from": valid_from}
        if kind == "tariff":
            prices = {"rate_bp": rate_bp, "least_minor": least_minor, "most_minor": most_minor}
            tariffs.append(Tariff(**dated, **prices, free_minor=minor))
        elif kind is not None:
            rules.append(LimitRule(**dated, period=kind, amount_minor=minor))
    return Conditions(rows[0][0], tariffs, rules)

"""The identities that must hold over the whole ledger; each finding names one thing that is wrong.

1 counters   every account's counters are the sums of its entries
2 sums       posted and pending debits equal credits in every currency
3 chain      every booked line continues the balance of the line before; the last one is the account's balance
4 lines      every entry on a customer's account has its line; statuses of operations fit their entries
5 clearing   nothing rests on a clearing account longer than its window
6 holds      no open hold is past its expiry
7 rules      constraints, triggers and functions of the ledger are there, with the text the migrations gave them
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.ledger_schema import EXPECTED_RULES, read_rules
from accounts.services.settlement import CLEARING_WINDOW

# Per identity; a broken ledger should be named, not listed.
MOST_FINDINGS = 50

COUNTERS = """
WITH moved AS (
    SELECT entry.debit_id, entry.credit_id,
        CASE WHEN entry.phase IN ('posted', 'post') THEN entry.amount_minor ELSE 0 END AS posted,
        CASE WHEN entry.phase = 'pending' AND resolution.id IS NULL THEN entry.amount_minor ELSE 0 END AS pending
    FROM accounts_entry entry LEFT JOIN accounts_entry resolution ON resolution.resolves_id = entry.id
), sums AS (
    SELECT account_id, sum(debit_posted)::bigint AS debits_posted, sum(credit_posted)::bigint AS credits_posted,
        sum(debit_pending)::bigint AS debits_pending, sum(credit_pending)::bigint AS credits_pending
    FROM (
        SELECT debit_id AS account_id, posted AS debit_posted, 0 AS credit_posted, pending AS debit_pending,
            0 AS credit_pending FROM moved
        UNION ALL
        SELECT credit_id, 0, posted, 0, pending FROM moved
    ) sides GROUP BY account_id
)
SELECT account.public_id FROM accounts_account account LEFT JOIN sums ON sums.account_id = account.id
WHERE (account.debits_posted, account.credits_posted, account.debits_pending, account.credits_pending)
    IS DISTINCT FROM (coalesce(sums.debits_posted, 0), coalesce(sums.credits_posted, 0),
        coalesce(sums.debits_pending, 0), coalesce(sums.credits_pending, 0))
ORDER BY account.id LIMIT %(most)s
"""
SUMS = """
SELECT currency FROM accounts_account GROUP BY currency
HAVING sum(debits_posted) <> sum(credits_posted) OR sum(debits_pending) <> sum(credits_pending)
ORDER BY currency LIMIT %(most)s
"""
CHAIN = """
SELECT public_id FROM (
    SELECT public_id, balance_after, CASE WHEN direction = 'in' THEN amount_minor ELSE -amount_minor END AS change,
        lag(balance_after, 1, 0::bigint) OVER (PARTITION BY account_id ORDER BY booked_at, id) AS before
    FROM accounts_accountline WHERE status = 'BOOK'
) chain WHERE balance_after <> before + change LIMIT %(most)s
"""
LAST_BALANCES = """
SELECT account.public_id FROM accounts_account account LEFT JOIN LATERAL (
    SELECT balance_after FROM accounts_accountline line
    WHERE line.account_id = account.id AND status = 'BOOK' ORDER BY booked_at DESC, id DESC LIMIT 1
) last ON true
WHERE account.customer_id IS NOT NULL
    AND coalesce(last.balance_after, 0) <> account.credits_posted - account.debits_posted
ORDER BY account.id LIMIT %(most)s
"""
LINES = """
SELECT operation.public_id FROM accounts_entry entry
JOIN accounts_operation operation ON operation.id = entry.operation_id
JOIN accounts_account account ON account.id IN (entry.debit_id, entry.credit_id) AND account.customer_id IS NOT NULL
LEFT JOIN accounts_accountline line ON line.entry_id = entry.id AND line.account_id = account.id
WHERE entry.phase <> 'void' AND (line.id IS NULL OR line.amount_minor <> entry.amount_minor
    OR line.booked_at <> entry.created_at OR line.operation_id <> entry.operation_id
    OR (line.direction = 'in') <> (entry.credit_id = account.id))
ORDER BY entry.id LIMIT %(most)s
"""
STATUSES = """
SELECT operation.public_id FROM accounts_operation operation LEFT JOIN (
    SELECT operation_id, count(*) FILTER (WHERE phase IN ('posted', 'post')) AS posted,
        count(*) FILTER (WHERE phase = 'pending') - count(*) FILTER (WHERE phase IN ('post', 'void')) AS open
    FROM accounts_entry GROUP BY operation_id
) entries ON entries.operation_id = operation.id
WHERE CASE operation.status
    WHEN 'pending' THEN coalesce(open, 0) = 0 OR posted > 0
    WHEN 'posted' THEN coalesce(posted, 0) = 0 OR open > 0
    WHEN 'reversed' THEN NOT EXISTS (
        SELECT 1 FROM accounts_operation undo WHERE undo.reverses_id = operation.id AND undo.status = 'posted')
    ELSE posted > 0 OR open > 0
END ORDER BY operation.id LIMIT %(most)s
"""
CLEARING = """
SELECT account.code || ' ' || account.currency FROM accounts_account account LEFT JOIN LATERAL (
    SELECT coalesce(sum(amount_minor) FILTER (WHERE credit_id = account.id), 0) AS credits,
        coalesce(sum(amount_minor) FILTER (WHERE debit_id = account.id), 0) AS debits
    FROM accounts_entry entry JOIN accounts_operation operation ON operation.id = entry.operation_id
    WHERE account.id IN (debit_id, credit_id) AND phase IN ('posted', 'post') AND entry.created_at > %(window_start)s
        AND operation.kind <> 'settlement'
) fresh ON true
WHERE account.kind = 'clearing'
    AND (account.credits_posted - account.debits_posted > fresh.credits
        OR account.debits_posted - account.credits_posted > fresh.debits)
ORDER BY 1 LIMIT %(most)s
"""
HOLDS = """
SELECT operation.public_id FROM accounts_entry hold
JOIN accounts_operation operation ON operation.id = hold.operation_id
WHERE hold.phase = 'pending' AND hold.expires_at < %(now)s
    AND NOT EXISTS (SELECT 1 FROM accounts_entry WHERE resolves_id = hold.id)
ORDER BY hold.id LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """One question to the database: its rows name what is wrong."""

    name: str
    subject: str
    problem: str
    question: str


IDENTITIES = (
    Identity("counters", "account", "its counters are not the sums of its entries", COUNTERS),
    Identity("sums", "currency", "debits and credits differ", SUMS),
    Identity("chain", "line", "its balance does not continue the one before", CHAIN),
    Identity("chain", "account", "its last line does not show its balance", LAST_BALANCES),
    Identity("lines", "operation", "an entry has no line that says the same", LINES),
    Identity("lines", "operation", "its status does not fit its entries", STATUSES),
    Identity("clearing", "account", "money rests longer than the window", CLEARING),
    Identity("holds", "operation", "a hold is past its expiry", HOLDS),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: which identity, with what (public id, code or rule), and how."""

    identity: str
    subject: str
    subject_id: str
    problem: str


def check_ledger(*, now: datetime) -> list[Finding]:
    """Return everything that is wrong, at most 50 findings an identity; empty: the ledger is sound.

    Reads every entry and line: seconds for millions. `check_rules` alone is fast enough for a health page.
    """
    window_start = now - CLEARING_WINDOW
    found = [finding for identity in IDENTITIES for finding in ask(identity, now=now, window_start=window_start)]
    return found + check_rules()


def check_rules() -> list[Finding]:
    """Return which rules of the ledger are missing, changed or unknown in this database; one query."""
    rules = read_rules()
    missing = [name for name in EXPECTED_RULES if name not in rules]
    changed = [name for name, digest in rules.items() if EXPECTED_RULES.get(name, digest) != digest]
    unknown = [name for name in rules if name not in EXPECTED_RULES]
    return [
        *build_rule_findings(missing, "missing"),
        *build_rule_findings(changed, "changed"),
        *build_rule_findings(unknown, "not one of ours"),
    ]


def build_rule_findings(names: Iterable[str], problem: str) -> Sequence[Finding]:
    parts = [name.partition(" ") for name in names]
    return [Finding("rules", kind, name, problem) for kind, _, name in parts]


def ask(identity: Identity, **values: Any) -> list[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(identity.question, {"most": MOST_FINDINGS, **values})
        rows = cursor.fetchall()
    return [Finding(identity.name, identity.subject, str(row[0]), identity.problem) for row in rows]

"""The attack list: raw SQL as the application's own role. The database refuses, or `ledger_check` notices."""

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts.enums import EntryPhase
from accounts.gateways.demo import DemoGateway
from accounts.ledger_check import Finding, check_ledger, check_rules
from accounts.models import Account, AccountLine, Entry, Operation
from accounts.services.card_payments import authorise_card_purchase
from accounts.services.outgoing import place_bill_payment, submit_sbp_transfer
from accounts.services.transfers import post_own_transfer
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    NOW,
    build_bill_payment,
    build_context,
    build_own_transfer,
    build_purchase,
    build_sbp_transfer,
    make_account,
    make_bill,
    make_card,
    make_payee,
)

pytestmark = pytest.mark.django_db


def attack(sql: str, values: Sequence[Any] = ()) -> str:
    """Run the statement and every deferred check; return the name of the rule that refused it."""
    with pytest.raises(DatabaseError) as refusal:
        run_statement(sql, values)
    diagnosis = getattr(refusal.value.__cause__, "diag", None)
    assert diagnosis is not None
    return diagnosis.constraint_name or str(diagnosis.sqlstate)


def run_statement(sql: str, values: Sequence[Any]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, list(values))
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Stage:
    """A customer with two accounts and everything an attacker could want to change."""

    def __init__(self) -> None:
        self.customer = make_customer()
        self.source = make_account(self.customer, balance=100_000)
        self.target = make_account(self.customer, balance=5_000)
        self.dollars = make_account(self.customer, currency="USD")
        order = build_own_transfer(self.source, self.target, 1_000)
        self.posted = post_own_transfer(build_context(), order=order, now=NOW)
        self.entry = Entry.objects.get(operation=self.posted)
        purchase = build_purchase(make_card(self.source), 7_000)
        self.pending = authorise_card_purchase(build_context(), order=purchase, now=NOW)
        self.hold = Entry.objects.get(operation=self.pending)
        self.clearing = Account.objects.get(code="clearing.card")
        # What the stage did is checked now, as a commit would; TRUNCATE would fail over waiting checks.
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    def insert(self, **changes: Any) -> str:
        """Try an entry in the pending operation; return the rule that refused it."""
        row: dict[str, Any] = {
            "operation_id": self.pending.pk,
            "seq": 7,
            "phase": "posted",
            "debit_id": self.source.pk,
            "credit_id": self.target.pk,
            "amount_minor": 100,
            "currency": "RUB",
            "resolves_id": None,
            "expires_at": None,
            "created_at": NOW,
            **changes,
        }
        holes = ", ".join(["%s"] * len(row))
        return attack(f"INSERT INTO accounts_entry ({', '.join(row)}) VALUES ({holes})", list(row.values()))


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("UPDATE accounts_entry SET amount_minor = 1", "ledger_is_never_rewritten"),
        ("DELETE FROM accounts_entry", "ledger_is_never_rewritten"),
        ("TRUNCATE accounts_entry CASCADE", "ledger_is_never_rewritten"),
        ("DELETE FROM accounts_account", "ledger_is_never_rewritten"),
        ("TRUNCATE accounts_account CASCADE", "ledger_is_never_rewritten"),
        ("DELETE FROM accounts_operation", "ledger_is_never_rewritten"),
        ("TRUNCATE accounts_operation CASCADE", "ledger_is_never_rewritten"),
        ("DELETE FROM accounts_accountline", "ledger_is_never_rewritten"),
        ("TRUNCATE accounts_accountline CASCADE", "ledger_is_never_rewritten"),
        ("UPDATE accounts_account SET credits_posted = credits_posted + 1", "account_changes_only_by_entries"),
        ("UPDATE accounts_account SET debits_pending = 0", "account_changes_only_by_entries"),
        ("UPDATE accounts_account SET overdraft_limit = 1000000", "account_changes_only_by_entries"),
        ("UPDATE accounts_account SET is_guarded = false", "account_changes_only_by_entries"),
        ("UPDATE accounts_account SET currency = 'USD'", "account_changes_only_by_entries"),
        ("UPDATE accounts_account SET customer_id = NULL", "account_changes_only_by_entries"),
        ("UPDATE accounts_account SET last_posted_at = NULL", "account_changes_only_by_entries"),
        ("UPDATE accounts_operation SET customer_id = NULL", "operation_changes_only_its_status"),
        ("UPDATE accounts_operation SET idem_key = 'other'", "operation_changes_only_its_status"),
        ("UPDATE accounts_operation SET status = 'reversed'", "operation_status_moves_forward"),
        ("UPDATE accounts_operation SET status = 'pending'", "operation_status_moves_forward"),
        (
            "UPDATE accounts_operation SET status = 'posted' WHERE status = 'pending'",
            "operation_status_fits_its_entries",
        ),
        (
            "UPDATE accounts_operation SET status = 'voided' WHERE status = 'pending'",
            "operation_status_fits_its_entries",
        ),
        ("UPDATE accounts_accountline SET amount_minor = 1", "line_changes_only_category_and_status"),
        ("UPDATE accounts_accountline SET balance_after = 1", "line_changes_only_category_and_status"),
        ("UPDATE accounts_accountline SET memo_untrusted = 'x'", "line_changes_only_category_and_status"),
        ("UPDATE accounts_accountline SET status = 'VOID'", "line_changes_only_category_and_status"),
    ],
)
def test_rewriting_what_was_posted_is_refused(stage: Stage, sql: str, rule: str) -> None:
    assert attack(sql) == rule


def test_replacing_an_entry_is_refused(stage: Stage) -> None:
    sql = """
        INSERT INTO accounts_entry (
            id, operation_id, seq, phase, debit_id, credit_id, amount_minor, currency, created_at
        )
        SELECT id, operation_id, seq, phase, debit_id, credit_id, 1, currency, created_at FROM accounts_entry
        ON CONFLICT (id) DO UPDATE SET amount_minor = EXCLUDED.amount_minor
    """
    # The pending ones fail as inserts already; what was posted fails as an update.
    assert attack(sql.replace("FROM accounts_entry", f"FROM accounts_entry WHERE id = {stage.entry.pk}")) == (
        "ledger_is_never_rewritten"
    )


def test_impossible_amounts_are_refused(stage: Stage) -> None:
    for amount in (-1, 0, 10**14 + 1, 2**63 - 1):
        assert stage.insert(amount_minor=amount) == "entry_amount_is_in_range"
    assert stage.insert(amount_minor=2**63) == "22003"


def test_impossible_accounts_are_refused(stage: Stage) -> None:
    assert stage.insert(credit_id=stage.source.pk) == "entry_accounts_differ"
    assert stage.insert(credit_id=stage.dollars.pk) == "entry_has_the_accounts_currency"
    assert stage.insert(currency="USD") == "entry_has_the_accounts_currency"
    assert stage.insert(currency="XXX") == "entry_currency_is_known"
    assert stage.insert(credit_id=10**9) == "entry_accounts_exist"
    assert stage.insert(debit_id=stage.dollars.pk, credit_id=make_account(currency="USD").pk, currency="USD") == (
        "account_is_not_overdrawn"
    )


def test_overdraft_counts_open_holds(stage: Stage) -> None:
    # 99 000 are booked, 7 000 of them held.
    assert stage.insert(amount_minor=92_001) == "account_is_not_overdrawn"


@pytest.mark.parametrize(
    ("status", "phase", "side", "rule"),
    [
        ("debit_blocked", "posted", "debit", "entry_accounts_are_open"),
        ("debit_blocked", "pending", "debit", "entry_accounts_are_open"),
        ("blocked", "posted", "debit", "entry_accounts_are_open"),
        ("blocked", "posted", "credit", "entry_accounts_are_open"),
        ("blocked", "pending", "credit", "entry_accounts_are_open"),
    ],
)
def test_blocked_accounts_move_nothing_new(stage: Stage, status: str, phase: str, side: str, rule: str) -> None:
    account = stage.source if side == "debit" else stage.target
    Account.objects.filter(pk=account.pk).update(status=status)
    expiry = NOW + timedelta(days=1) if phase == "pending" else None
    assert stage.insert(phase=phase, expires_at=expiry) == rule


def test_closed_accounts_move_nothing_and_never_open_again(stage: Stage) -> None:
    empty = make_account(stage.customer)
    Account.objects.filter(pk=empty.pk).update(status="closed", closed_at=NOW)
    assert stage.insert(credit_id=empty.pk) == "entry_accounts_are_open"
    reopen = f"UPDATE accounts_account SET status = 'active', closed_at = NULL WHERE id = {empty.pk}"
    assert attack(reopen) == "account_changes_only_by_entries"
    close = f"UPDATE accounts_account SET status = 'closed', closed_at = now() WHERE id = {stage.source.pk}"
    assert attack(close) == "account_is_empty_when_closed"


def test_holds_are_resolved_once_and_only_as_they_were_placed(stage: Stage) -> None:
    resolving = {"resolves_id": stage.hold.pk, "credit_id": stage.clearing.pk, "phase": "post"}
    assert stage.insert(**{**resolving, "amount_minor": 7_001}) == "entry_posts_at_most_the_hold"
    assert stage.insert(**{**resolving, "credit_id": stage.target.pk}) == "entry_resolves_its_own_hold"
    assert stage.insert(**{**resolving, "resolves_id": stage.entry.pk}) == "entry_resolves_its_own_hold"
    assert stage.insert(**{**resolving, "phase": "void"}) == "entry_amount_is_in_range"
    assert stage.insert(**{**resolving, "resolves_id": None}) == "entry_resolves_when_post_or_void"
    assert stage.insert(resolves_id=stage.hold.pk) == "entry_resolves_when_post_or_void"
    assert stage.insert(phase="pending") == "entry_expires_when_pending"
    void = {**resolving, "phase": "void", "amount_minor": 0}
    Entry.objects.create(
        operation=stage.pending,
        seq=1,
        phase=EntryPhase.VOID,
        debit=stage.source,
        credit=stage.clearing,
        amount_minor=0,
        currency="RUB",
        resolves=stage.hold,
        created_at=NOW,
    )
    assert stage.insert(**void) == "accounts_entry_resolves_id_key"
    Operation.objects.filter(pk=stage.pending.pk).update(status="voided")


def test_entries_join_no_ended_operation_and_no_earlier_time(stage: Stage) -> None:
    assert stage.insert(operation_id=stage.posted.pk) == "entry_operation_is_pending"
    assert stage.insert(created_at=NOW - timedelta(seconds=1)) == "entry_is_in_order_of_time"


def test_entry_without_its_lines_does_not_commit(stage: Stage) -> None:
    assert stage.insert(phase="pending", expires_at=NOW) == "entry_has_its_lines"


def test_operation_without_entries_does_not_commit(stage: Stage) -> None:
    sql = """
        INSERT INTO accounts_operation (public_id, kind, status, source, idem_scope, idem_key, request_hash, value_date,
            created_at, description)
        SELECT gen_random_uuid(), kind, %s, source, idem_scope, 'new', request_hash, value_date, created_at, ''
        FROM accounts_operation LIMIT 1
    """
    assert attack(sql, ["pending"]) == "operation_status_fits_its_entries"
    assert attack(sql, ["posted"]) == "operation_starts_pending"
    assert attack(sql.replace("'new'", "idem_key"), ["pending"]) == "operation_key_is_used_once"


def test_lines_cannot_lie_about_their_entry(stage: Stage) -> None:
    line = AccountLine.objects.filter(entry=stage.entry).earliest("pk")
    columns = [str(field.column) for field in AccountLine._meta.concrete_fields if field.column != "id"]
    for column, value, rule in [
        ("amount_minor", "999", "line_says_what_its_entry_says"),
        ("direction", "'in'", "line_says_what_its_entry_says"),
        ("status", "'PDNG'", "line_says_what_its_entry_says"),
        ("booked_at", "booked_at - interval '1 day'", "line_says_what_its_entry_says"),
        ("account_id", str(stage.dollars.pk), "line_says_what_its_entry_says"),
        ("entry_id", str(stage.hold.pk), "line_says_what_its_entry_says"),
        ("public_id", "gen_random_uuid()", "line_is_one_per_entry_and_account"),
    ]:
        chosen = [value if name == column else name for name in columns]
        sql = f"""
            INSERT INTO accounts_accountline ({", ".join(columns)})
            SELECT {", ".join(chosen)} FROM accounts_accountline WHERE id = {line.pk}
        """
        assert (column, attack(sql)) == (column, rule)


def test_accounts_open_empty(stage: Stage) -> None:
    columns = [str(field.column) for field in Account._meta.concrete_fields if field.column not in {"id", "public_id"}]
    chosen = ["'00000000000000000001'" if name == "number" else name for name in columns]
    sql = f"""
        INSERT INTO accounts_account (public_id, {", ".join(columns)})
        SELECT gen_random_uuid(), {", ".join(chosen)} FROM accounts_account WHERE id = {stage.source.pk}
    """
    assert attack(sql) == "account_starts_empty"


def test_caps_are_never_passed(stage: Stage) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_capusage (customer_id, code, period_start, currency, used_minor, cap_minor)"
            " VALUES (%s, 'x.day', '2026-11-01', 'RUB', 5, 5)",
            [stage.customer.pk],
        )
    assert attack("UPDATE accounts_capusage SET used_minor = used_minor + 1") == "cap_is_not_exceeded"
    assert attack("UPDATE accounts_capusage SET used_minor = -1") == "cap_is_not_exceeded"


def test_bills_are_not_paid_by_hand(stage: Stage) -> None:
    bill = make_bill(stage.customer)
    assert attack("UPDATE accounts_bill SET status = 'paid', paid_at = now()") == "bill_is_paid_by_a_posted_operation"
    place_bill_payment(
        build_context(), order=build_bill_payment(make_account(stage.customer, balance=10**6), bill), now=NOW
    )
    assert attack("UPDATE accounts_bill SET status = 'paid', paid_at = now()") == "bill_is_paid_by_a_posted_operation"


def test_payees_never_reach_somebody_else(stage: Stage) -> None:
    payee = make_payee(stage.customer)
    operation = submit_sbp_transfer(
        build_context(), order=build_sbp_transfer(stage.source, payee, 100), gateway=DemoGateway(), now=NOW
    )
    assert operation.status == "posted"
    digest = "0" * 64
    assert attack(f"UPDATE accounts_payee SET target_digest = '{digest}'") == "payee_target_is_fixed"
    assert attack("UPDATE accounts_payee SET target_sealed = 'x'") == "payee_target_is_fixed"


@pytest.mark.parametrize(
    ("sql", "finding"),
    [
        (
            "DROP TRIGGER accounts_entry_moves_counters ON accounts_entry",
            Finding("rules", "trigger", "accounts_entry_moves_counters", "missing"),
        ),
        (
            "ALTER TABLE accounts_entry DISABLE TRIGGER accounts_entry_refuse_change",
            Finding("rules", "trigger", "accounts_entry_refuse_change", "changed"),
        ),
        (
            "ALTER TABLE accounts_account DROP CONSTRAINT account_is_not_overdrawn",
            Finding("rules", "constraint", "account_is_not_overdrawn", "missing"),
        ),
        (
            (
                "ALTER TABLE accounts_capusage DROP CONSTRAINT cap_is_not_exceeded,"
                " ADD CONSTRAINT cap_is_not_exceeded CHECK (used_minor >= 0)"
            ),
            Finding("rules", "constraint", "cap_is_not_exceeded", "changed"),
        ),
        (
            (
                "CREATE OR REPLACE FUNCTION accounts_refuse_change() RETURNS trigger LANGUAGE plpgsql"
                " AS 'BEGIN RETURN NEW; END'"
            ),
            Finding("rules", "function", "accounts_refuse_change", "changed"),
        ),
        (
            (
                "CREATE TRIGGER sneak BEFORE UPDATE ON accounts_account FOR EACH ROW"
                " EXECUTE FUNCTION accounts_refuse_change()"
            ),
            Finding("rules", "trigger", "sneak", "not one of ours"),
        ),
        (
            "DROP INDEX operation_pays_a_bill_once",
            Finding("rules", "index", "operation_pays_a_bill_once", "missing"),
        ),
    ],
)
def test_ledger_check_notices_a_changed_rule(sql: str, finding: Finding) -> None:
    assert check_rules() == []
    with connection.cursor() as cursor:
        cursor.execute(sql)
    assert check_rules() == [finding]


def break_with(sql: str, *, table: str) -> None:
    """Do as an owner without the triggers what nobody else can."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql)
        cursor.execute(f"SELECT tgname FROM pg_trigger WHERE tgrelid = '{table}'::regclass AND NOT tgisinternal")
        for (name,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


@pytest.mark.parametrize(
    ("table", "sql", "identities"),
    [
        (
            "accounts_account",
            "UPDATE accounts_account SET credits_posted = credits_posted + 5 WHERE code = 'clearing.card'",
            {"counters", "sums", "clearing"},
        ),
        (
            "accounts_account",
            "UPDATE accounts_account SET debits_pending = 1 WHERE code = 'position.correspondent'",
            {"counters", "sums"},
        ),
        ("accounts_accountline", "UPDATE accounts_accountline SET balance_after = balance_after + 1", {"chain"}),
        (
            "accounts_accountline",
            "DELETE FROM accounts_accountline WHERE status = 'BOOK' AND direction = 'out'",
            {"lines", "chain"},
        ),
        (
            "accounts_operation",
            "UPDATE accounts_operation SET status = 'voided' WHERE kind = 'own_transfer'",
            {"lines"},
        ),
        ("accounts_entry", "UPDATE accounts_entry SET expires_at = '2020-01-01' WHERE phase = 'pending'", {"holds"}),
        (
            "accounts_entry",
            "UPDATE accounts_entry SET amount_minor = 2000 WHERE phase = 'posted' AND amount_minor = 1000",
            {"counters", "lines"},
        ),
    ],
)
def test_ledger_check_names_what_is_broken(stage: Stage, table: str, sql: str, identities: set[str]) -> None:
    assert check_ledger(now=NOW) == []
    break_with(sql, table=table)
    found = check_ledger(now=NOW)
    assert {finding.identity for finding in found} == identities
    assert all(finding.subject_id for finding in found)


def test_ledger_check_command_ends_with_one_and_names_the_finding(stage: Stage) -> None:
    out = StringIO()
    call_command("ledger_check", stdout=out)
    assert out.getvalue() == "the ledger is sound\n"
    out = StringIO()
    call_command("ledger_check", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"ok": True, "findings": []}
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER accounts_entry_refuse_truncate ON accounts_entry")

    out = StringIO()
    with pytest.raises(CommandError, match="trigger accounts_entry_refuse_truncate: missing") as error:
        call_command("ledger_check", "--json", stdout=out)
    assert error.value.returncode == 1
    body = json.loads(out.getvalue())
    assert body == {
        "ok": False,
        "findings": [
            {
                "identity": "rules",
                "subject": "trigger",
                "subject_id": "accounts_entry_refuse_truncate",
                "problem": "missing",
            }
        ],
    }


def test_ledger_check_prints_the_rules_of_this_database() -> None:
    out = StringIO()
    call_command("ledger_check", "--rules", stdout=out)
    assert re.search(r'^ +"constraint account_is_not_overdrawn": "[0-9a-f]{16}",$', out.getvalue(), re.MULTILINE)


def test_clearing_money_that_rests_too_long_is_named(stage: Stage) -> None:
    payee = make_payee(stage.customer)
    order = build_sbp_transfer(stage.source, payee, 100)
    submit_sbp_transfer(build_context(), order=order, gateway=DemoGateway(), now=NOW)
    later = NOW + timedelta(days=5)
    assert Finding("clearing", "account", "clearing.sbp RUB", "money rests longer than the window") in check_ledger(
        now=later
    )
    assert Operation.objects.count() == 5

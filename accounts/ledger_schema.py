"""The rules of the ledger as the database has them: constraints, triggers and their functions, by digest.

`read_rules` reads them from the catalogue of PostgreSQL, `EXPECTED_RULES` is what the migrations made. After a
migration that changes a rule on purpose, `manage.py ledger_check --rules` prints the new table for this file.
"""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

from django.db import connection

GUARDED_TABLES = (
    "accounts_account",
    "accounts_accountline",
    "accounts_bill",
    "accounts_capusage",
    "accounts_entry",
    "accounts_operation",
    "accounts_payee",
    "accounts_refusedorder",
    "accounts_scheduledpayment",
)
# Foreign keys and primary keys carry names that Django derives; what they do is tested, not compared. ENABLE ALWAYS
# ('A') is a part of a trigger's rule.
RULES = """
SELECT 'constraint ' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE conrelid = ANY (%(tables)s::regclass[]) AND contype IN ('c', 'u') AND convalidated
UNION ALL
SELECT 'index ' || relation.relname, pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class relation ON relation.oid = indexrelid
WHERE indrelid = ANY (%(tables)s::regclass[]) AND indisunique AND indpred IS NOT NULL AND indisvalid
UNION ALL
SELECT 'trigger ' || tgname, tgenabled::text || ' ' || pg_get_triggerdef(oid)
FROM pg_trigger WHERE tgrelid = ANY (%(tables)s::regclass[]) AND NOT tgisinternal
UNION ALL
SELECT 'function ' || proname, prosrc FROM pg_proc
WHERE proname LIKE 'accounts\\_%%' AND pronamespace = current_schema::regnamespace
ORDER BY 1
"""

EXPECTED_RULES: Mapping[str, str] = MappingProxyType(
    {
        "constraint account_counters_are_not_negative": "92c5e01d063dcc5f",
        "constraint account_currency_is_known": "ceb74ae0c26a6b56",
        "constraint account_is_a_customers_or_named": "0439a95fc00c43f8",
        "constraint account_is_empty_when_closed": "addac6b21b2aa436",
        "constraint account_is_not_overdrawn": "2acb5256c0ed84b5",
        "constraint account_kind_is_known": "a5724233d794be49",
        "constraint account_number_fits_currency": "7c40c5d511d01f83",
        "constraint account_number_is_unique": "b1f4a2e5efd2a565",
        "constraint account_of_a_customer_is_guarded": "cab09639bd5d7a4f",
        "constraint account_side_is_known": "19ad44fa68521754",
        "constraint account_status_is_known": "95a68e8a41027c90",
        "constraint accounts_account_public_id_key": "3c422c74e59b8a48",
        "constraint accounts_accountline_public_id_key": "3c422c74e59b8a48",
        "constraint accounts_bill_public_id_key": "3c422c74e59b8a48",
        "constraint accounts_entry_resolves_id_key": "938a62a5197f152d",
        "constraint accounts_entry_seq_check": "499987d51ad60584",
        "constraint accounts_operation_confirmation_key": "d4fcdb9921a663b4",
        "constraint accounts_operation_public_id_key": "3c422c74e59b8a48",
        "constraint accounts_operation_reverses_id_key": "3786bcc858493a2e",
        "constraint accounts_payee_public_id_key": "3c422c74e59b8a48",
        "constraint accounts_scheduledpayment_day_check": "6f567f88bd64bcbd",
        "constraint accounts_scheduledpayment_public_id_key": "3c422c74e59b8a48",
        "constraint bill_amount_is_positive": "dd49217952e4d91d",
        "constraint bill_has_a_time_when_paid": "250c2d2e7cc83dc0",
        "constraint bill_is_one_per_period": "1eec39a51b4d4d9b",
        "constraint bill_status_is_known": "a229187fabd86ad1",
        "constraint cap_is_not_exceeded": "3102d1e475b1f221",
        "constraint cap_is_one_per_period": "6b9f3f0ff5909637",
        "constraint entry_accounts_differ": "6e1244abe9c5199c",
        "constraint entry_amount_is_in_range": "dde9d91c09b4e789",
        "constraint entry_currency_is_known": "ceb74ae0c26a6b56",
        "constraint entry_expires_when_pending": "34dc99261ecf18b9",
        "constraint entry_phase_is_known": "ef661cf0f84ff732",
        "constraint entry_resolves_when_post_or_void": "245f7e38fa9800aa",
        "constraint entry_seq_is_unique": "1f5f4641be565b57",
        "constraint line_amount_is_positive": "dd49217952e4d91d",
        "constraint line_category_is_known": "87ad8100b0569288",
        "constraint line_direction_is_known": "88c089727cd152bb",
        "constraint line_has_a_balance_when_booked": "3428243a86c73c65",
        "constraint line_is_one_per_entry_and_account": "8b9abe56661d9114",
        "constraint line_status_is_known": "009f7ec73febadf9",
        "constraint operation_does_not_undo_itself": "bc815f29a49b92ad",
        "constraint operation_has_a_key": "68dfdd2cf69b1247",
        "constraint operation_key_is_used_once": "9c7b9b4c560da346",
        "constraint operation_kind_is_known": "c3bb77ec1d7cb7ff",
        "constraint operation_refunds_when_refund": "30f8d63ec43fec52",
        "constraint operation_reverses_when_reversal": "a54404f02abc7342",
        "constraint operation_source_is_known": "79a4b927e5509b09",
        "constraint operation_status_is_known": "34e2337cec40ed48",
        "constraint payee_is_one_per_target": "d18a9d3153a3eaf0",
        "constraint payee_kind_is_known": "e13946a6e2f94269",
        "constraint payee_origin_is_known": "271802ece6ddbabe",
        "constraint payee_target_is_a_digest": "7cbe7252a3cfdb3a",
        "constraint refused_order_key_is_used_once": "9c7b9b4c560da346",
        "constraint scheduled_amount_is_positive": "dd49217952e4d91d",
        "constraint scheduled_day_is_of_a_month": "a869f36a904694ee",
        "constraint scheduled_frequency_is_known": "5ea19e4842e9b335",
        "constraint scheduled_next_until_it_ends": "f2fc78fd4deede05",
        "function accounts_check_entry_lines": "d86f70b42900aabe",
        "function accounts_check_line": "af62318928c47165",
        "function accounts_check_operation": "26ad759dc0282c00",
        "function accounts_check_reversal": "e0af797f23fb2f44",
        "function accounts_check_undoing": "7fce9b2577773d77",
        "function accounts_guard_account": "a05fd8c315f6189e",
        "function accounts_guard_bill": "d02f863b181ba3e9",
        "function accounts_guard_line": "642f1c09925698f4",
        "function accounts_guard_operation": "da7caf4c1601d4fa",
        "function accounts_guard_payee": "1c020c6827336b74",
        "function accounts_guard_scheduled_payment": "c668f20aca852853",
        "function accounts_move_counters": "d56fb05658405361",
        "function accounts_refuse_change": "e92545c366578808",
        "index account_code_is_unique": "803d7c94a1f4a206",
        "index operation_pays_a_bill_once": "da3bca525194429e",
        "trigger accounts_account_guard": "1f912254d1b390a1",
        "trigger accounts_account_refuse_delete": "0399133eafdb4a5c",
        "trigger accounts_account_refuse_truncate": "2f901e15f5bb45da",
        "trigger accounts_bill_guard": "596b9c9b3c5bda33",
        "trigger accounts_entry_has_its_lines": "c11084bb1582827b",
        "trigger accounts_entry_moves_counters": "aa085c1735da4a01",
        "trigger accounts_entry_refuse_change": "f4533df76b529fc8",
        "trigger accounts_entry_refuse_truncate": "1e1040e56d139624",
        "trigger accounts_line_check": "2bd6a9eb3d569c94",
        "trigger accounts_line_guard": "732489b9f750c711",
        "trigger accounts_line_refuse_delete": "bd9c4bda1127d4a7",
        "trigger accounts_line_refuse_truncate": "1cee8970f0471896",
        "trigger accounts_operation_ends_whole": "982e40a1aae62d95",
        "trigger accounts_operation_guard": "dd25ba15bc209de3",
        "trigger accounts_operation_refuse_delete": "dfe03658bc871813",
        "trigger accounts_operation_refuse_truncate": "0d376792a7bdce5f",
        "trigger accounts_operation_reversal_is_marked": "6ec62d17f7dea4bc",
        "trigger accounts_payee_guard": "49d39aae0ec8fe69",
        "trigger accounts_refusedorder_refuse_change": "57003c914d433c82",
        "trigger accounts_refusedorder_refuse_truncate": "07b3039aac1d6b23",
        "trigger accounts_scheduledpayment_guard": "3bdea8d706da4e1b",
    }
)


def read_rules() -> dict[str, str]:
    """Return every rule of the ledger's tables as {kind and name: digest of its text}; one query."""
    with connection.cursor() as cursor:
        cursor.execute(RULES, {"tables": list(GUARDED_TABLES)})
        return {name: digest_rule(text) for name, text in cursor.fetchall()}


def digest_rule(text: str) -> str:
    """Return a digest that does not see how a text is laid out."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16]

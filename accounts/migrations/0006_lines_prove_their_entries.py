"""A statement line says what its entry says, and carries the balance the database computed from the line before."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION accounts_check_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    source record;
    is_incoming boolean;
    last_entry bigint;
    last_balance bigint;
BEGIN
    SELECT entry.*, account.side INTO source
        FROM accounts_entry entry JOIN accounts_account account ON account.id = NEW.account_id
        WHERE entry.id = NEW.entry_id AND NEW.account_id IN (entry.debit_id, entry.credit_id);
    IF source.id IS NULL OR source.phase = 'void' OR source.operation_id <> NEW.operation_id
        OR source.amount_minor <> NEW.amount_minor OR source.currency <> NEW.currency
        OR source.created_at <> NEW.booked_at
        OR NEW.status <> (CASE WHEN source.phase = 'pending' THEN 'PDNG' ELSE 'BOOK' END)
    THEN
        RAISE EXCEPTION 'line: differs from entry %', NEW.entry_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'line_says_what_its_entry_says';
    END IF;
    is_incoming := (NEW.account_id = source.credit_id) = (source.side = 'C');
    IF is_incoming <> (NEW.direction = 'in') THEN
        RAISE EXCEPTION 'line: direction differs from entry %', NEW.entry_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'line_says_what_its_entry_says';
    END IF;
    NEW.balance_after := NULL;
    IF NEW.status = 'BOOK' THEN
        SELECT entry_id, balance_after INTO last_entry, last_balance FROM accounts_accountline
            WHERE account_id = NEW.account_id AND status = 'BOOK' ORDER BY booked_at DESC, id DESC LIMIT 1;
        IF last_entry > NEW.entry_id THEN
            RAISE EXCEPTION 'line: account % has a line of a later entry', NEW.account_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'line_is_in_order_of_entries';
        END IF;
        NEW.balance_after := coalesce(last_balance, 0)
            + CASE WHEN is_incoming THEN NEW.amount_minor ELSE -NEW.amount_minor END;
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION accounts_guard_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    allowed accounts_accountline;
BEGIN
    allowed := NEW;
    allowed.category := OLD.category;
    allowed.status := OLD.status;
    IF allowed IS DISTINCT FROM OLD OR (NEW.status <> OLD.status AND NOT (
        OLD.status = 'PDNG' AND NEW.status = 'VOID'
        AND EXISTS (SELECT 1 FROM accounts_entry WHERE resolves_id = OLD.entry_id)
    )) THEN
        RAISE EXCEPTION 'line %: only the category changes, and a hold that is over becomes VOID', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'line_changes_only_category_and_status';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION accounts_check_entry_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.phase <> 'void' AND EXISTS (
        SELECT 1 FROM accounts_account account
        WHERE account.id IN (NEW.debit_id, NEW.credit_id) AND account.customer_id IS NOT NULL
            AND NOT EXISTS (
                SELECT 1 FROM accounts_accountline line WHERE line.entry_id = NEW.id AND line.account_id = account.id
            )
    ) THEN
        RAISE EXCEPTION 'entry %: a customer''s account has no line of it', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_has_its_lines';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER accounts_line_check BEFORE INSERT ON accounts_accountline
    FOR EACH ROW EXECUTE FUNCTION accounts_check_line();
CREATE TRIGGER accounts_line_guard BEFORE UPDATE ON accounts_accountline
    FOR EACH ROW EXECUTE FUNCTION accounts_guard_line();
CREATE TRIGGER accounts_line_refuse_delete BEFORE DELETE ON accounts_accountline
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_line_refuse_truncate BEFORE TRUNCATE ON accounts_accountline
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
ALTER TABLE accounts_accountline
    ENABLE ALWAYS TRIGGER accounts_line_check,
    ENABLE ALWAYS TRIGGER accounts_line_guard,
    ENABLE ALWAYS TRIGGER accounts_line_refuse_delete,
    ENABLE ALWAYS TRIGGER accounts_line_refuse_truncate;

CREATE CONSTRAINT TRIGGER accounts_entry_has_its_lines AFTER INSERT ON accounts_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION accounts_check_entry_lines();
ALTER TABLE accounts_entry ENABLE ALWAYS TRIGGER accounts_entry_has_its_lines;
"""

BACKWARD = """
DROP TRIGGER accounts_entry_has_its_lines ON accounts_entry;
DROP TRIGGER accounts_line_refuse_truncate ON accounts_accountline;
DROP TRIGGER accounts_line_refuse_delete ON accounts_accountline;
DROP TRIGGER accounts_line_guard ON accounts_accountline;
DROP TRIGGER accounts_line_check ON accounts_accountline;
DROP FUNCTION accounts_check_entry_lines();
DROP FUNCTION accounts_guard_line();
DROP FUNCTION accounts_check_line();
"""


class Migration(migrations.Migration):

    dependencies = [("accounts", "0005_ledger_is_never_rewritten")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

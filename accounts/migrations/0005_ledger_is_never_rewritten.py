"""Entries and refused orders are immutable; accounts and operations change only where the ledger allows it."""

from django.db import migrations

# No trigger has a way round: ENABLE ALWAYS makes them fire for replication roles too.
FORWARD = """
CREATE FUNCTION accounts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ledger_is_never_rewritten';
END
$$;

CREATE FUNCTION accounts_guard_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    allowed accounts_account;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF (NEW.debits_posted, NEW.credits_posted, NEW.debits_pending, NEW.credits_pending) <> (0, 0, 0, 0)
            OR NEW.last_posted_at IS NOT NULL OR NEW.status = 'closed'
        THEN
            RAISE EXCEPTION 'account: opened with money'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'account_starts_empty';
        END IF;
        RETURN NEW;
    END IF;
    allowed := NEW;
    allowed.title := OLD.title;
    allowed.status := OLD.status;
    allowed.closed_at := OLD.closed_at;
    IF pg_trigger_depth() > 1 THEN
        -- The statement comes from the trigger of an entry, the only one that updates accounts.
        allowed.debits_posted := OLD.debits_posted;
        allowed.credits_posted := OLD.credits_posted;
        allowed.debits_pending := OLD.debits_pending;
        allowed.credits_pending := OLD.credits_pending;
        allowed.last_posted_at := OLD.last_posted_at;
    END IF;
    IF allowed IS DISTINCT FROM OLD OR (OLD.status = 'closed' AND NEW.status <> 'closed') THEN
        RAISE EXCEPTION 'account %: counters and identity do not change', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'account_changes_only_by_entries';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION accounts_guard_operation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    allowed accounts_operation;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'pending' THEN
            RAISE EXCEPTION 'operation: starts pending'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'operation_starts_pending';
        END IF;
        RETURN NEW;
    END IF;
    allowed := NEW;
    allowed.status := OLD.status;
    IF allowed IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'operation %: only its status changes', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'operation_changes_only_its_status';
    END IF;
    IF NEW.status <> OLD.status
        AND NOT (OLD.status = 'pending' AND NEW.status IN ('posted', 'voided', 'expired'))
        AND NOT (OLD.status = 'posted' AND NEW.status = 'reversed')
    THEN
        RAISE EXCEPTION 'operation %: % does not become %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'operation_status_moves_forward';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER accounts_account_guard BEFORE INSERT OR UPDATE ON accounts_account
    FOR EACH ROW EXECUTE FUNCTION accounts_guard_account();
CREATE TRIGGER accounts_account_refuse_delete BEFORE DELETE ON accounts_account
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_account_refuse_truncate BEFORE TRUNCATE ON accounts_account
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
ALTER TABLE accounts_account
    ENABLE ALWAYS TRIGGER accounts_account_guard,
    ENABLE ALWAYS TRIGGER accounts_account_refuse_delete,
    ENABLE ALWAYS TRIGGER accounts_account_refuse_truncate;

CREATE TRIGGER accounts_operation_guard BEFORE INSERT OR UPDATE ON accounts_operation
    FOR EACH ROW EXECUTE FUNCTION accounts_guard_operation();
CREATE TRIGGER accounts_operation_refuse_delete BEFORE DELETE ON accounts_operation
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_operation_refuse_truncate BEFORE TRUNCATE ON accounts_operation
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
ALTER TABLE accounts_operation
    ENABLE ALWAYS TRIGGER accounts_operation_guard,
    ENABLE ALWAYS TRIGGER accounts_operation_refuse_delete,
    ENABLE ALWAYS TRIGGER accounts_operation_refuse_truncate;

CREATE TRIGGER accounts_entry_refuse_change BEFORE UPDATE OR DELETE ON accounts_entry
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_entry_refuse_truncate BEFORE TRUNCATE ON accounts_entry
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
ALTER TABLE accounts_entry
    ENABLE ALWAYS TRIGGER accounts_entry_refuse_change,
    ENABLE ALWAYS TRIGGER accounts_entry_refuse_truncate;

CREATE TRIGGER accounts_refusedorder_refuse_change BEFORE UPDATE OR DELETE ON accounts_refusedorder
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_refusedorder_refuse_truncate BEFORE TRUNCATE ON accounts_refusedorder
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
ALTER TABLE accounts_refusedorder
    ENABLE ALWAYS TRIGGER accounts_refusedorder_refuse_change,
    ENABLE ALWAYS TRIGGER accounts_refusedorder_refuse_truncate;
"""

BACKWARD = """
DROP TRIGGER accounts_refusedorder_refuse_truncate ON accounts_refusedorder;
DROP TRIGGER accounts_refusedorder_refuse_change ON accounts_refusedorder;
DROP TRIGGER accounts_entry_refuse_truncate ON accounts_entry;
DROP TRIGGER accounts_entry_refuse_change ON accounts_entry;
DROP TRIGGER accounts_operation_refuse_truncate ON accounts_operation;
DROP TRIGGER accounts_operation_refuse_delete ON accounts_operation;
DROP TRIGGER accounts_operation_guard ON accounts_operation;
DROP TRIGGER accounts_account_refuse_truncate ON accounts_account;
DROP TRIGGER accounts_account_refuse_delete ON accounts_account;
DROP TRIGGER accounts_account_guard ON accounts_account;
DROP FUNCTION accounts_guard_operation();
DROP FUNCTION accounts_guard_account();
DROP FUNCTION accounts_refuse_change();
"""


class Migration(migrations.Migration):

    dependencies = [("accounts", "0004_entries_move_counters")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

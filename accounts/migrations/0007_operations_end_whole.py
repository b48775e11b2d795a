"""At commit, the entries of an operation say the same as its status; a bill is paid only by a posted operation."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION accounts_check_operation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_status text;
    open_holds integer;
    posted bigint;
    is_whole boolean;
BEGIN
    SELECT status INTO now_status FROM accounts_operation WHERE id = NEW.id;
    IF now_status IS DISTINCT FROM NEW.status THEN
        RETURN NULL;  -- A later change of the same transaction is checked by its own event.
    END IF;
    SELECT
        count(*) FILTER (WHERE phase = 'pending') - count(*) FILTER (WHERE phase IN ('post', 'void')),
        coalesce(sum(amount_minor) FILTER (WHERE phase IN ('posted', 'post')), 0)
        INTO open_holds, posted FROM accounts_entry WHERE operation_id = NEW.id;
    is_whole := CASE now_status
        WHEN 'pending' THEN open_holds > 0 AND posted = 0
        WHEN 'posted' THEN open_holds = 0 AND posted > 0
        WHEN 'reversed' THEN EXISTS (
            SELECT 1 FROM accounts_operation act JOIN accounts_entry entry ON entry.operation_id = act.id
            WHERE act.reverses_id = NEW.id AND act.status = 'posted'
            HAVING sum(entry.amount_minor) = posted
        )
        ELSE open_holds = 0 AND posted = 0
    END;
    IF NOT is_whole THEN
        RAISE EXCEPTION 'operation %: % does not fit its entries', NEW.id, now_status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'operation_status_fits_its_entries';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION accounts_check_reversal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reverses_id IS NOT NULL AND NEW.status = 'posted' AND NOT EXISTS (
        SELECT 1 FROM accounts_operation WHERE id = NEW.reverses_id AND status = 'reversed'
    ) THEN
        RAISE EXCEPTION 'operation %: what it takes back is not reversed', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'operation_reversal_marks_its_original';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION accounts_guard_bill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'paid' AND NOT EXISTS (
        SELECT 1 FROM accounts_operation WHERE bill_id = NEW.id AND status = 'posted'
    ) THEN
        RAISE EXCEPTION 'bill %: no posted operation pays it', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bill_is_paid_by_a_posted_operation';
    END IF;
    RETURN NEW;
END
$$;

CREATE CONSTRAINT TRIGGER accounts_operation_ends_whole AFTER INSERT OR UPDATE ON accounts_operation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION accounts_check_operation();
CREATE CONSTRAINT TRIGGER accounts_operation_reversal_is_marked AFTER UPDATE ON accounts_operation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.reverses_id IS NOT NULL)
    EXECUTE FUNCTION accounts_check_reversal();
ALTER TABLE accounts_operation
    ENABLE ALWAYS TRIGGER accounts_operation_ends_whole,
    ENABLE ALWAYS TRIGGER accounts_operation_reversal_is_marked;
CREATE TRIGGER accounts_bill_guard BEFORE INSERT OR UPDATE ON accounts_bill
    FOR EACH ROW EXECUTE FUNCTION accounts_guard_bill();
ALTER TABLE accounts_bill ENABLE ALWAYS TRIGGER accounts_bill_guard;
"""

BACKWARD = """
DROP TRIGGER accounts_bill_guard ON accounts_bill;
DROP TRIGGER accounts_operation_reversal_is_marked ON accounts_operation;
DROP TRIGGER accounts_operation_ends_whole ON accounts_operation;
DROP FUNCTION accounts_guard_bill();
DROP FUNCTION accounts_check_reversal();
DROP FUNCTION accounts_check_operation();
"""


class Migration(migrations.Migration):

    dependencies = [("accounts", "0006_lines_prove_their_entries")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

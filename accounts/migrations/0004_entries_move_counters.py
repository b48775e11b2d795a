"""An entry moves the counters of its two accounts in the statement that inserts it, or is refused as a whole."""

from django.db import migrations

# Accounts are locked before the operation and in the order of their ids, here as in the services: two orders of locks
# would deadlock. NO KEY UPDATE leaves the deferred foreign keys of other transactions alone (a stronger lock does not).
FORWARD = """
CREATE FUNCTION accounts_move_counters() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    party record;
    act record;
    held record;
    is_new boolean := NEW.phase IN ('posted', 'pending');
    is_posting boolean := NEW.phase IN ('posted', 'post');
    moved bigint := CASE WHEN NEW.phase IN ('posted', 'post') THEN NEW.amount_minor ELSE 0 END;
    pending bigint := CASE WHEN NEW.phase = 'pending' THEN NEW.amount_minor ELSE 0 END;
    found_accounts integer := 0;
BEGIN
    FOR party IN
        SELECT id, customer_id, currency, status, last_posted_at FROM accounts_account
        WHERE id IN (NEW.debit_id, NEW.credit_id) ORDER BY id FOR NO KEY UPDATE
    LOOP
        found_accounts := found_accounts + 1;
        IF party.currency <> NEW.currency THEN
            RAISE EXCEPTION 'entry: currency of account % differs', party.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_has_the_accounts_currency';
        END IF;
        IF party.status = 'closed'
            OR (is_new AND party.status = 'blocked')
            OR (is_new AND party.status = 'debit_blocked' AND party.id = NEW.debit_id)
        THEN
            RAISE EXCEPTION 'entry: account % is %', party.id, party.status
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_accounts_are_open';
        END IF;
        IF party.customer_id IS NOT NULL AND party.last_posted_at > NEW.created_at THEN
            RAISE EXCEPTION 'entry: account % has a later entry', party.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_is_in_order_of_time';
        END IF;
    END LOOP;
    IF found_accounts <> 2 THEN
        RAISE EXCEPTION 'entry: no such account'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_accounts_exist';
    END IF;

    SELECT id, status, coalesce(reverses_id, refunds_id) AS undone_id INTO act
        FROM accounts_operation WHERE id = NEW.operation_id FOR NO KEY UPDATE;
    IF act.id IS NULL OR act.status <> 'pending' THEN
        RAISE EXCEPTION 'entry: operation % is not pending', NEW.operation_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_operation_is_pending';
    END IF;

    IF NEW.resolves_id IS NOT NULL THEN
        SELECT * INTO held FROM accounts_entry WHERE id = NEW.resolves_id;
        IF held.id IS NULL OR held.phase <> 'pending' OR held.operation_id <> NEW.operation_id
            OR held.debit_id <> NEW.debit_id OR held.credit_id <> NEW.credit_id OR held.currency <> NEW.currency
        THEN
            RAISE EXCEPTION 'entry: % is not the hold of these accounts', NEW.resolves_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_resolves_its_own_hold';
        END IF;
        IF NEW.amount_minor > held.amount_minor THEN
            RAISE EXCEPTION 'entry: more than was held'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_posts_at_most_the_hold';
        END IF;
        pending := -held.amount_minor;
        UPDATE accounts_accountline SET status = 'VOID' WHERE entry_id = held.id AND status = 'PDNG';
    END IF;

    IF act.undone_id IS NOT NULL THEN
        PERFORM accounts_check_undoing(NEW.operation_id, act.undone_id, NEW.debit_id, NEW.credit_id);
    END IF;

    UPDATE accounts_account SET
        debits_posted = debits_posted + CASE WHEN id = NEW.debit_id THEN moved ELSE 0 END,
        credits_posted = credits_posted + CASE WHEN id = NEW.credit_id THEN moved ELSE 0 END,
        debits_pending = debits_pending + CASE WHEN id = NEW.debit_id THEN pending ELSE 0 END,
        credits_pending = credits_pending + CASE WHEN id = NEW.credit_id THEN pending ELSE 0 END,
        last_posted_at = CASE WHEN customer_id IS NULL THEN NULL ELSE NEW.created_at END
    WHERE id IN (NEW.debit_id, NEW.credit_id);
    RETURN NULL;
END
$$;

CREATE FUNCTION accounts_check_undoing(undoing bigint, undone bigint, debited bigint, credited bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    undone_status text;
    given bigint;
    taken_back bigint;
BEGIN
    SELECT status INTO undone_status FROM accounts_operation WHERE id = undone FOR NO KEY UPDATE;
    IF undone_status IS DISTINCT FROM 'posted' THEN
        RAISE EXCEPTION 'entry: operation % is not posted', undone
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_undoes_a_posted_operation';
    END IF;
    SELECT coalesce(sum(amount_minor), 0) INTO given FROM accounts_entry
        WHERE operation_id = undone AND debit_id = credited AND credit_id = debited AND phase IN ('posted', 'post');
    SELECT coalesce(sum(entry.amount_minor), 0) INTO taken_back
        FROM accounts_entry entry JOIN accounts_operation act ON act.id = entry.operation_id
        WHERE (act.refunds_id = undone OR act.reverses_id = undone)
            AND entry.debit_id = debited AND entry.credit_id = credited AND entry.phase IN ('posted', 'pending')
            AND NOT EXISTS (SELECT 1 FROM accounts_entry void WHERE void.resolves_id = entry.id AND void.phase = 'void');
    IF taken_back > given THEN
        RAISE EXCEPTION 'entry: more is taken back than operation % gave', undone
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_takes_back_at_most_what_was_given';
    END IF;
END
$$;

CREATE TRIGGER accounts_entry_moves_counters AFTER INSERT ON accounts_entry
    FOR EACH ROW EXECUTE FUNCTION accounts_move_counters();
ALTER TABLE accounts_entry ENABLE ALWAYS TRIGGER accounts_entry_moves_counters;
"""

BACKWARD = """
DROP TRIGGER accounts_entry_moves_counters ON accounts_entry;
DROP FUNCTION accounts_move_counters();
DROP FUNCTION accounts_check_undoing(bigint, bigint, bigint, bigint);
"""


class Migration(migrations.Migration):

    dependencies = [("accounts", "0003_ledger_and_bank_tables")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

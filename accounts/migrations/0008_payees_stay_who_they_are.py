"""Nobody can make an existing payee, or a payment that comes again, reach somebody else."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION accounts_guard_payee() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.customer_id, NEW.kind, NEW.target_digest, NEW.target_sealed, NEW.bank_id)
        IS DISTINCT FROM (OLD.customer_id, OLD.kind, OLD.target_digest, OLD.target_sealed, OLD.bank_id)
    THEN
        RAISE EXCEPTION 'payee %: its target does not change', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'payee_target_is_fixed';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION accounts_guard_scheduled_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.customer_id, NEW.payee_id) IS DISTINCT FROM (OLD.customer_id, OLD.payee_id) THEN
        RAISE EXCEPTION 'scheduled payment %: its payee does not change', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'scheduled_payee_is_fixed';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER accounts_payee_guard BEFORE UPDATE ON accounts_payee
    FOR EACH ROW EXECUTE FUNCTION accounts_guard_payee();
CREATE TRIGGER accounts_scheduledpayment_guard BEFORE UPDATE ON accounts_scheduledpayment
    FOR EACH ROW EXECUTE FUNCTION accounts_guard_scheduled_payment();
ALTER TABLE accounts_payee ENABLE ALWAYS TRIGGER accounts_payee_guard;
ALTER TABLE accounts_scheduledpayment ENABLE ALWAYS TRIGGER accounts_scheduledpayment_guard;
"""

BACKWARD = """
DROP TRIGGER accounts_scheduledpayment_guard ON accounts_scheduledpayment;
DROP TRIGGER accounts_payee_guard ON accounts_payee;
DROP FUNCTION accounts_guard_scheduled_payment();
DROP FUNCTION accounts_guard_payee();
"""


class Migration(migrations.Migration):

    dependencies = [("accounts", "0007_operations_end_whole")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

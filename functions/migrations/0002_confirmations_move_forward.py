"""What a customer was asked never changes, its state moves only forward, and no row is deleted."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION functions_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'functions_evidence_is_kept';
END
$$;

CREATE FUNCTION functions_guard_confirmation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    allowed functions_confirmation;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'pending' OR NEW.decided_at IS NOT NULL OR NEW.operation_id IS NOT NULL THEN
            RAISE EXCEPTION 'confirmation: starts pending'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'confirmation_starts_pending';
        END IF;
        RETURN NEW;
    END IF;
    allowed := NEW;
    allowed.state := OLD.state;
    allowed.code := OLD.code;
    allowed.outcome := OLD.outcome;
    allowed.bad_signatures := OLD.bad_signatures;
    IF OLD.decided_at IS NULL THEN
        allowed.decided_at := OLD.decided_at;
        allowed.decided_device := OLD.decided_device;
        allowed.decided_kid := OLD.decided_kid;
        allowed.signature := OLD.signature;
    END IF;
    IF OLD.state = 'pending' THEN
        allowed.due_at := OLD.due_at;
        allowed.operation_id := OLD.operation_id;
    END IF;
    IF allowed IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'confirmation %: what was asked and decided does not change', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'confirmation_is_never_rewritten';
    END IF;
    IF NEW.state <> OLD.state
        AND NOT (OLD.state = 'pending' AND NEW.state <> 'asked_again')
        AND NOT (OLD.state = 'processing' AND NEW.state IN ('executed', 'failed'))
        AND NOT (OLD.state = 'cooling_off' AND NEW.state IN ('asked_again', 'cancelled'))
    THEN
        RAISE EXCEPTION 'confirmation %: % does not become %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'confirmation_moves_forward';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER functions_confirmation_guard BEFORE INSERT OR UPDATE ON functions_confirmation
    FOR EACH ROW EXECUTE FUNCTION functions_guard_confirmation();
CREATE TRIGGER functions_confirmation_refuse_delete BEFORE DELETE ON functions_confirmation
    FOR EACH ROW EXECUTE FUNCTION functions_refuse_delete();
ALTER TABLE functions_confirmation ENABLE ALWAYS TRIGGER functions_confirmation_guard;
ALTER TABLE functions_confirmation ENABLE ALWAYS TRIGGER functions_confirmation_refuse_delete;
"""

REVERSE = """
DROP TRIGGER functions_confirmation_guard ON functions_confirmation;
DROP TRIGGER functions_confirmation_refuse_delete ON functions_confirmation;
DROP FUNCTION functions_guard_confirmation();
DROP FUNCTION functions_refuse_delete();
"""


class Migration(migrations.Migration):
    dependencies = [("functions", "0001_calls_handles_and_confirmations")]

    operations = [migrations.RunSQL(FORWARD, REVERSE)]

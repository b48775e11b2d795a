"""The append-only table of evidence and the triggers that keep it so."""

import audit.models
import uuid_utils.compat
from django.db import migrations, models

# The leaf hash is checked by the database, so a row that does not prove its own body cannot come in. No trigger has
# a way round: ENABLE ALWAYS makes them fire for replication roles too, and nothing they do depends on a setting.
PROTECT = """
ALTER TABLE audit_auditentry
    ADD CONSTRAINT audit_entry_digest_proves_body CHECK (digest = sha256('\\x00'::bytea || body));

CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit entries are append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_refuse_update BEFORE UPDATE OR DELETE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_refuse_truncate BEFORE TRUNCATE ON audit_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

ALTER TABLE audit_auditentry ENABLE ALWAYS TRIGGER audit_refuse_update;
ALTER TABLE audit_auditentry ENABLE ALWAYS TRIGGER audit_refuse_truncate;
"""

UNPROTECT = """
DROP TRIGGER audit_refuse_truncate ON audit_auditentry;
DROP TRIGGER audit_refuse_update ON audit_auditentry;
DROP FUNCTION audit_refuse_change();
ALTER TABLE audit_auditentry DROP CONSTRAINT audit_entry_digest_proves_body;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('body', models.BinaryField()),
                ('digest', models.BinaryField(max_length=32)),
                ('action', models.CharField(choices=audit.models.list_actions, max_length=48, verbose_name='action')),
                ('outcome', models.CharField(choices=[('ok', 'done'), ('refused', 'refused'), ('failed', 'failed')], max_length=16, verbose_name='outcome')),
                ('actor_kind', models.CharField(choices=[('customer', 'customer'), ('staff', 'staff'), ('system', 'system'), ('anonymous', 'anonymous')], max_length=16, verbose_name='actor kind')),
                ('actor_id', models.CharField(blank=True, max_length=128, verbose_name='actor')),
                ('origin', models.CharField(choices=[('ws', 'WebSocket'), ('http', 'REST'), ('admin', 'staff site'), ('command', 'command line'), ('engine', 'engine')], max_length=16, verbose_name='origin')),
                ('subject', models.CharField(max_length=48, verbose_name='subject kind')),
                ('subject_id', models.CharField(blank=True, max_length=256, verbose_name='subject')),
                ('customer_id', models.UUIDField(blank=True, null=True, verbose_name='customer')),
                ('conversation_id', models.UUIDField(blank=True, null=True, verbose_name='conversation')),
                ('turn_id', models.UUIDField(blank=True, null=True, verbose_name='turn')),
                ('request_id', models.CharField(blank=True, max_length=128, verbose_name='request')),
                ('occurred_at', models.DateTimeField(verbose_name='occurred at')),
                ('recorded_at', models.DateTimeField(db_default=audit.models.ClockTimestamp(), editable=False, verbose_name='recorded at')),
            ],
            options={
                'verbose_name': 'audit entry',
                'verbose_name_plural': 'audit entries',
                'permissions': [('export_auditentry', 'Can export audit entries')],
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['occurred_at', 'id'], name='entry_by_time'), models.Index(fields=['action', 'occurred_at', 'id'], name='entry_by_action'), models.Index(fields=['outcome', 'occurred_at', 'id'], name='entry_by_outcome'), models.Index(fields=['actor_id', 'occurred_at', 'id'], name='entry_by_actor'), models.Index(fields=['subject_id', 'occurred_at', 'id'], name='entry_by_subject'), models.Index(condition=models.Q(('customer_id__isnull', False)), fields=['customer_id', 'occurred_at', 'id'], name='entry_by_customer'), models.Index(condition=models.Q(('conversation_id__isnull', False)), fields=['conversation_id', 'occurred_at', 'id'], name='entry_by_conversation'), models.Index(condition=models.Q(('turn_id__isnull', False)), fields=['turn_id', 'occurred_at', 'id'], name='entry_by_turn'), models.Index(condition=models.Q(('request_id', ''), _negated=True), fields=['request_id'], name='entry_by_request')],
            },
        ),
        migrations.RunSQL(PROTECT, UNPROTECT),
    ]

"""Tables of the functions: what the model asked, what its handles stand for, what the customer was asked."""

import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0010_device_keys_and_step_up'),
    ]

    operations = [
        migrations.CreateModel(
            name='FunctionCall',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('conversation_id', models.UUIDField(verbose_name='conversation')),
                ('turn_id', models.UUIDField(verbose_name='turn')),
                ('step', models.PositiveSmallIntegerField(verbose_name='step')),
                ('name', models.CharField(max_length=64, verbose_name='function')),
                ('kind', models.CharField(blank=True, choices=[('read', 'read'), ('action', 'action'), ('money', 'money')], max_length=8, verbose_name='class')),
                ('version', models.PositiveSmallIntegerField(default=0, verbose_name='version')),
                ('schema_hash', models.CharField(blank=True, max_length=16, verbose_name='schema hash')),
                ('said', models.TextField(blank=True, verbose_name='text beside the call')),
                ('state_id', models.CharField(blank=True, max_length=128, verbose_name="provider's state")),
                ('arguments_sealed', models.BinaryField(verbose_name='sealed arguments')),
                ('arguments_hash', models.CharField(max_length=64, verbose_name='arguments hash')),
                ('arguments_public', models.JSONField(default=dict, verbose_name='arguments')),
                ('status', models.CharField(choices=[('waiting', 'waiting for the customer'), ('ok', 'done'), ('error', 'refused by a rule'), ('denied', 'not allowed'), ('timeout', 'took too long')], max_length=8, verbose_name='status')),
                ('code', models.CharField(blank=True, max_length=32, verbose_name='code')),
                ('result', models.TextField(blank=True, verbose_name='result')),
                ('result_bytes', models.PositiveIntegerField(default=0, verbose_name='result, bytes')),
                ('duration_ms', models.PositiveIntegerField(default=0, verbose_name='duration, ms')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished at')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='function_calls', to='accounts.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'function call',
                'verbose_name_plural': 'function calls',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Confirmation',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('conversation_id', models.UUIDField(verbose_name='conversation')),
                ('turn_id', models.UUIDField(verbose_name='turn')),
                ('function', models.CharField(max_length=64, verbose_name='function')),
                ('version', models.PositiveSmallIntegerField(verbose_name='version')),
                ('is_money', models.BooleanField(verbose_name='moves money')),
                ('plan', models.JSONField(verbose_name='plan')),
                ('payload', models.BinaryField(verbose_name='payload')),
                ('digest', models.CharField(max_length=43, verbose_name='digest')),
                ('nonce', models.CharField(max_length=22, unique=True, verbose_name='nonce')),
                ('risk', models.PositiveSmallIntegerField(choices=[(0, 'one tap'), (1, 'own money, known biller'), (2, 'known payee'), (3, 'new payee, large or unusual'), (4, 'signs of fraud')], verbose_name='risk')),
                ('methods', models.CharField(max_length=64, verbose_name='methods')),
                ('needs_step_up', models.BooleanField(default=False, verbose_name='needs a fresh password')),
                ('needs_payee', models.BooleanField(default=False, verbose_name='payee must be typed')),
                ('provenance', models.CharField(blank=True, max_length=200, verbose_name='provenance')),
                ('state', models.CharField(choices=[('pending', 'waits for the customer'), ('executed', 'executed'), ('processing', 'on its way'), ('failed', 'failed'), ('cooling_off', 'delayed by antifraud'), ('asked_again', 'asked again'), ('declined', 'declined by the customer'), ('expired', 'expired'), ('superseded', 'superseded'), ('cancelled', 'cancelled')], default='pending', max_length=12, verbose_name='state')),
                ('code', models.CharField(blank=True, max_length=32, verbose_name='code')),
                ('outcome', models.TextField(blank=True, verbose_name='outcome')),
                ('bad_signatures', models.PositiveSmallIntegerField(default=0, verbose_name='bad signatures')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('expires_at', models.DateTimeField(verbose_name='expires at')),
                ('decided_at', models.DateTimeField(blank=True, null=True, verbose_name='decided at')),
                ('decided_device', models.CharField(blank=True, max_length=64, verbose_name='decided on')),
                ('decided_kid', models.CharField(blank=True, max_length=80, verbose_name='device key')),
                ('signature', models.BinaryField(null=True, verbose_name='signature')),
                ('due_at', models.DateTimeField(blank=True, null=True, verbose_name='asked again at')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='confirmations', to='accounts.customer', verbose_name='customer')),
                ('operation', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='asked_as', to='accounts.operation', verbose_name='operation')),
                ('replaces', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='functions.confirmation', verbose_name='replaces')),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='confirmations', to='functions.functioncall', verbose_name='call')),
            ],
            options={
                'verbose_name': 'confirmation',
                'verbose_name_plural': 'confirmations',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Handle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('conversation_id', models.UUIDField(verbose_name='conversation')),
                ('kind', models.CharField(choices=[('acc', 'account'), ('card', 'card'), ('tx', 'transaction'), ('payee', 'payee'), ('bill', 'bill'), ('plan', 'scheduled payment'), ('confirm', 'confirmation'), ('file', 'statement'), ('phone', 'phone'), ('pan', 'card number'), ('number', 'account number'), ('inn', 'INN'), ('name', 'name'), ('email', 'e-mail')], max_length=8, verbose_name='kind')),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('reference', models.CharField(max_length=64, verbose_name='stands for')),
                ('sealed', models.BinaryField(null=True, verbose_name='sealed value')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='handles', to='accounts.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'handle',
                'verbose_name_plural': 'handles',
                'default_permissions': ('view',),
            },
        ),
        migrations.AddIndex(
            model_name='functioncall',
            index=models.Index(fields=['-created_at', '-id'], name='call_by_time'),
        ),
        migrations.AddIndex(
            model_name='functioncall',
            index=models.Index(fields=['customer', '-created_at', '-id'], name='call_by_customer'),
        ),
        migrations.AddIndex(
            model_name='functioncall',
            index=models.Index(fields=['conversation_id', 'created_at'], name='call_by_conversation'),
        ),
        migrations.AddConstraint(
            model_name='functioncall',
            constraint=models.UniqueConstraint(fields=('turn_id', 'step'), name='one_call_per_step'),
        ),
        migrations.AddConstraint(
            model_name='functioncall',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['waiting', 'ok', 'error', 'denied', 'timeout'])), name='call_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='functioncall',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('result', ''), ('status', 'waiting')), models.Q(models.Q(('status', 'waiting'), _negated=True), models.Q(('result', ''), _negated=True), ('finished_at__isnull', False)), _connector='OR'), name='call_has_a_result_unless_waiting'),
        ),
        migrations.AddIndex(
            model_name='confirmation',
            index=models.Index(fields=['-created_at', '-id'], name='confirmation_by_time'),
        ),
        migrations.AddIndex(
            model_name='confirmation',
            index=models.Index(fields=['customer', '-created_at', '-id'], name='confirmation_by_customer'),
        ),
        migrations.AddIndex(
            model_name='confirmation',
            index=models.Index(fields=['turn_id'], name='confirmation_by_turn'),
        ),
        migrations.AddIndex(
            model_name='confirmation',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['expires_at'], name='confirmation_still_pending'),
        ),
        migrations.AddIndex(
            model_name='confirmation',
            index=models.Index(condition=models.Q(('state__in', ['processing', 'cooling_off'])), fields=['created_at'], name='confirmation_unfinished'),
        ),
        migrations.AddConstraint(
            model_name='confirmation',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('conversation_id',), name='one_pending_confirmation'),
        ),
        migrations.AddConstraint(
            model_name='confirmation',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'executed', 'processing', 'failed', 'cooling_off', 'asked_again', 'declined', 'expired', 'superseded', 'cancelled'])), name='confirmation_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='confirmation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('is_money', True), ('state__in', ('executed', 'processing')), _negated=True), ('operation__isnull', False), _connector='OR'), name='executed_money_has_an_operation'),
        ),
        migrations.AddConstraint(
            model_name='confirmation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ('pending', 'declined', 'expired', 'superseded', 'cancelled', 'cooling_off', 'asked_again')), _negated=True), ('operation__isnull', True), _connector='OR'), name='unexecuted_confirmation_has_no_operation'),
        ),
        migrations.AddConstraint(
            model_name='confirmation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('due_at__isnull', False), ('state', 'cooling_off')), models.Q(('state', 'cooling_off'), _negated=True), _connector='OR'), name='cooling_off_has_an_end'),
        ),
        migrations.AddConstraint(
            model_name='handle',
            constraint=models.UniqueConstraint(fields=('conversation_id', 'kind', 'number'), name='handle_is_minted_once'),
        ),
        migrations.AddConstraint(
            model_name='handle',
            constraint=models.UniqueConstraint(fields=('conversation_id', 'kind', 'reference'), name='object_has_one_handle'),
        ),
        migrations.AddConstraint(
            model_name='handle',
            constraint=models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='handle_numbers_start_at_one'),
        ),
        migrations.AddConstraint(
            model_name='handle',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['acc', 'card', 'tx', 'payee', 'bill', 'plan', 'confirm', 'file', 'phone', 'pan', 'number', 'inn', 'name', 'email'])), name='handle_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='handle',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ('phone', 'pan', 'number', 'inn', 'name', 'email')), ('sealed__isnull', False)), models.Q(models.Q(('kind__in', ('phone', 'pan', 'number', 'inn', 'name', 'email')), _negated=True), ('sealed__isnull', True)), _connector='OR'), name='handle_seals_values_only'),
        ),
    ]
